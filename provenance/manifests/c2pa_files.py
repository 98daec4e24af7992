"""Signing and reading through c2pa-python, with the settings this project insists on."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from c2pa import Builder, C2paError, C2paSigningAlg, Context, Reader, Signer

from provenance.manifests import cose, jumbf
from provenance.manifests.assertions import GENERATOR
from provenance.manifests.certs import ClaimSigner, demand_issued_under
from provenance.manifests.errors import (
    CoseInvalid,
    ManifestInvalid,
    ManifestMissing,
    ManifestSigningFailed,
    SignerUntrusted,
)
from trustcore.primitives.errors import TrustcoreError

MP4, JPEG = "video/mp4", "image/jpeg"
# Failures that speak about the signer only: the bytes hold together.
SIGNER_FAILURES = {"signingCredential.untrusted", "signingCredential.invalid", "signingCredential.expired"}
SIGNER_HOLDS = {"claimSignature.validated", "signingCredential.trusted"}
# Failures that speak about the bytes around a manifest whose own signature holds.
CONTENT_FAILURES = {"assertion.bmffHash.mismatch", "assertion.dataHash.mismatch"}
EXPIRED = "signingCredential.expired"
HEADER_X5CHAIN = 33
TRUSTED = "Trusted"  # the one state that counts; "Valid" is what an unknown authority gets


@dataclass(frozen=True)
class Ingredient:
    """Something that went in, as JSON facts or as a file; relationship `inputTo`."""

    ident: str
    title: str
    format: str
    content: bytes


@dataclass(frozen=True)
class TrustedFile:
    """A file whose active manifest is Trusted under the given anchor."""

    label: str
    manifest: dict[str, Any]
    codes: tuple[str, ...]  # validation codes of success and information
    signed_at: str = ""  # what a time-stamp authority said, RFC 3339; worth something only if `is_time_trusted`

    @property
    def signer_serial(self) -> str:
        """Serial number of the signer's certificate, hex; "" where the reader names none."""
        number = self.manifest.get("signature_info", {}).get("cert_serial_number")
        return f"{int(number):x}" if number else ""

    @property
    def is_time_trusted(self) -> bool:
        """The time stamp is over this signature and comes from an authority that was given."""
        return {"timeStamp.validated", "timeStamp.trusted"} <= set(self.codes)


def context(anchor_pem: str, tsa_anchor_pem: str = "") -> Context:
    """Thumbnails off (they cost 43 ms and 200 KB), everything verified, no network. No anchor: nothing is Trusted.

    The library keeps time-stamp authorities in a list of their own but believes claim signers under it as well, so
    `read_trusted` looks again at who issued the signer.
    """
    settings: dict[str, Any] = {
        "version": 1,
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {
            "verify_after_reading": True, "verify_after_sign": True, "verify_trust": True,
            "ocsp_fetch": False, "remote_manifest_fetch": False,
        },
    }
    trust: dict[str, Any] = {"trust_anchors": anchor_pem} if anchor_pem else {}
    if tsa_anchor_pem:
        trust["anchors"] = [{"trust_anchors": tsa_anchor_pem, "trust_kind": "tsa"}]
    if trust:
        settings["trust"] = trust
    return Context.from_dict(settings)


def sign_file(
    media: bytes, title: str, assertions: Sequence[tuple[str, Any]], ingredients: Sequence[Ingredient],
    signer: ClaimSigner, *, media_type: str = MP4,
) -> bytes:
    """`media` with a signed manifest.

    Raises:
        ManifestSigningFailed: with the cause, also when the signing function itself failed.
    """
    definition = {
        "claim_generator_info": [GENERATOR], "title": title, "format": media_type,
        "assertions": [{"label": label, "data": body, "created": True} for label, body in assertions],
    }
    causes: list[Exception] = []

    def sign(message: bytes) -> bytes:
        # c2pa-python turns any exception here into "internal error"; the cause is kept for the report.
        try:
            return signer.sign(message)
        except (TrustcoreError, OSError, ValueError) as error:
            causes.append(error)
            raise

    out = io.BytesIO()
    try:
        builder = Builder(definition, context(signer.anchor_pem))
        for ingredient in ingredients:
            facts = {"title": ingredient.title, "relationship": "inputTo", "label": ingredient.ident}
            builder.add_ingredient(facts, ingredient.format, io.BytesIO(ingredient.content))
        with Signer.from_callback(sign, C2paSigningAlg.ES256, signer.chain_pem) as handle:
            builder.sign(handle, media_type, io.BytesIO(media), out)
    except C2paError as error:
        raise ManifestSigningFailed(f"The manifest could not be signed: {error}") from (causes or [error])[0]
    return out.getvalue()


def read_trusted(
    media: bytes, anchor_pem: str, media_type: str = MP4, tsa_anchor_pem: str = "",
) -> TrustedFile:
    """The active manifest of a file that is Trusted under `anchor_pem`.

    With a time stamp under `tsa_anchor_pem` the signer's certificate need not be valid any more today, only then; that
    is for MP4 and JPEG.

    Raises:
        ManifestMissing: the file carries no manifest.
        SignerUntrusted: the bytes hold, but the signer is unknown, expired or not allowed to sign claims.
        ManifestInvalid: changed bytes, or a malformed manifest.
    """
    try:
        trusted = _read(media, anchor_pem, media_type, "")
    except SignerUntrusted as untrusted:
        if not (tsa_anchor_pem and EXPIRED in untrusted.facts["failures"]):
            raise
        trusted = _read(media, anchor_pem, media_type, tsa_anchor_pem)
        store = jumbf.parse_store(media, jumbf.find_store(media))
        demand_issued_under(signer_chain(media, jumbf.active_manifest(store)), anchor_pem)
        return trusted
    return _read(media, anchor_pem, media_type, tsa_anchor_pem) if tsa_anchor_pem else trusted


def signer_chain(encoded: bytes, manifest: jumbf.Superbox) -> list[bytes]:
    """The certificates (DER) inside a claim signature (x5chain), the signer's first. Nothing about them is checked.

    Raises:
        ManifestInvalid: there are none.
    """
    start, end = manifest.child("c2pa.signature").content(b"cbor")
    try:
        protected, unprotected, _, _ = cose.parse_shortest(encoded[start:end]).value
        chain = {**unprotected, **cose.parse_shortest(protected)}[HEADER_X5CHAIN]
    except (CoseInvalid, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ManifestInvalid("The claim signature carries no readable certificate.") from error
    return [chain] if isinstance(chain, bytes) else list(chain)


def _read(media: bytes, anchor_pem: str, media_type: str, tsa_anchor_pem: str) -> TrustedFile:
    try:
        with Reader(media_type, io.BytesIO(media), context=context(anchor_pem, tsa_anchor_pem)) as reader:
            state = reader.get_validation_state()
            results = reader.get_validation_results() or {}
            report = json.loads(reader.json())
    except C2paError.ManifestNotFound as error:
        raise ManifestMissing("This file carries no manifest.") from error
    except C2paError as error:
        raise ManifestInvalid(f"This file's manifest cannot be read: {error}") from error
    active = results.get("activeManifest", {})
    failures = [entry["code"] for entry in active.get("failure", [])]
    if state != TRUSTED or failures:
        kind = SignerUntrusted if failures and set(failures) <= SIGNER_FAILURES else ManifestInvalid
        raise kind(
            f"This file's manifest is not trusted (state {state}: {', '.join(failures) or 'no failure named'}).",
            state=state, failures=failures,
        )
    label = report["active_manifest"]
    manifest = report["manifests"][label]
    codes = [entry["code"] for kind in ("success", "informational") for entry in active.get(kind, [])]
    return TrustedFile(label, manifest, tuple(codes), manifest.get("signature_info", {}).get("time") or "")


def read_changed(media: bytes, anchor_pem: str, media_type: str = MP4) -> TrustedFile | None:
    """The active manifest of a file that was signed under `anchor_pem` and changed afterwards; else None.

    The claim's own signature holds and its signer is trusted, and every failure speaks of the bytes around it. That
    says who signed once, and nothing about what the file shows now: a manifest can be glued onto another file.
    """
    try:
        with Reader(media_type, io.BytesIO(media), context=context(anchor_pem)) as reader:
            active = (reader.get_validation_results() or {}).get("activeManifest", {})
            report = json.loads(reader.json())
    except C2paError:
        return None
    held = {entry["code"] for entry in active.get("success", [])}
    failures = {entry["code"] for entry in active.get("failure", [])}
    if not failures or not held >= SIGNER_HOLDS or not failures <= CONTENT_FAILURES:
        return None
    label = report["active_manifest"]
    return TrustedFile(label, report["manifests"][label], ())
