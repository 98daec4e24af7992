"""The session manifest: a signed init segment that names the session key and everything the session rests on."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance.manifests import assertions, c2pa_files, cose, fmp4, jumbf
from provenance.manifests.assertions import SessionFacts
from provenance.manifests.attest import SessionKey
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.errors import CoseInvalid, FragmentInvalid, ManifestInvalid, ManifestSigningFailed
from provenance.manifests.frame_codecs import CODECS, H264_FRAMES, FrameCodec
from trustcore.primitives.canonical import canonical_bytes

MODEL_NAME = "Trustcore Gaussian replica"
MAX_INIT_BYTES = 4 * 1024 * 1024  # a signed init segment is about 20 KB
MAX_VALIDITY_S = 24 * 3600
MAX_MEDIA_START_MS = MAX_VALIDITY_S * 1000


@dataclass(frozen=True)
class SessionPublicKey:
    """What the worker sends to the signer: its public key and the proof that it holds the private one."""

    cose_key: bytes
    signer_binding: bytes

    @classmethod
    def of(cls, key: SessionKey, end_entity_certificate_der: bytes) -> "SessionPublicKey":
        return cls(key.cose_key(), key.bind_to_signer(end_entity_certificate_der))


@dataclass(frozen=True)
class InitSegment:
    """A signed init segment, already re-read as Trusted. Log the label and claim hash, never a hash of the bytes."""

    encoded: bytes
    label: str
    claim_sha256: str


@dataclass(frozen=True)
class KeyEntry:
    """One key of `c2pa.session-keys` whose signer binding holds."""

    kid: bytes
    public: Ed25519PublicKey
    minimum_sequence: int
    created_at: datetime
    validity_s: int

    @property
    def expires_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.validity_s)


@dataclass(frozen=True)
class SessionManifest:
    """A session manifest that is Trusted and whose keys are bound to its signer."""

    label: str
    claim_sha256: str
    facts: dict[str, Any]
    key: KeyEntry
    signer_name: str
    codec: FrameCodec
    signer_serial: str = ""  # of its certificate, hex
    media_start_ms: int = 0  # a viewer who came back has a manifest that begins later on the session's media clock
    follows: str = ""  # label of the manifest before it in the same session


def sign_session_manifest(
    signer: ClaimSigner, facts: SessionFacts, session_key: SessionPublicKey, *, width: int, height: int,
    minimum_sequence: int = 1, codec: FrameCodec = H264_FRAMES,
) -> InitSegment:
    """Sign the init segment of a session and re-read it.

    Raises:
        ManifestInvalid: the session key's binding to this signer does not hold.
        ManifestSigningFailed: signing failed, or the result does not read back as Trusted. Start no media.
    """
    check_signer_binding(session_key, signer.end_entity_der)
    strict = {
        assertions.SESSION_KEYS_LABEL: assertions.session_keys(
            session_key.cose_key, session_key.signer_binding, minimum_sequence=minimum_sequence,
            created_at=facts.created_at, validity_s=facts.validity_s,
        ),
        assertions.SOFT_BINDING_LABEL: assertions.soft_binding(facts.mark_slots),
    }
    ingredients = session_ingredients(facts)
    said = [
        ("c2pa.actions.v2", assertions.actions(MODEL_NAME, [i.ident for i in ingredients])),
        (assertions.SESSION_KEYS_LABEL, jumbf.placeholder(len(strict[assertions.SESSION_KEYS_LABEL]))),
        (assertions.SOFT_BINDING_LABEL, assertions.soft_binding_placeholder(facts.mark_slots)),
        ("c2pa.ai-disclosure", assertions.ai_disclosure(MODEL_NAME, facts.oversight)),
        ("cawg.training-mining", assertions.training_mining()),
        (assertions.SESSION_LABEL, facts.to_assertion()),
    ]
    init = fmp4.init_segment(width, height, codec.sample_entry)
    signed = c2pa_files.sign_file(init, f"Live session {facts.session_id}", said, ingredients, signer)
    encoded = jumbf.replace_assertions(signed, strict, signer.sign)
    try:
        manifest = read_session_manifest(encoded, signer.anchor_pem)
    except ManifestInvalid as error:
        raise ManifestSigningFailed(f"The signed session manifest does not read back: {error}") from error
    return InitSegment(encoded, manifest.label, manifest.claim_sha256)


def session_ingredients(facts: SessionFacts) -> list[c2pa_files.Ingredient]:
    """Consent receipt and training footage, by hash only: both are private."""
    receipt = {"consent_id": facts.consent_id, "receipt_sha256": facts.consent_receipt_sha256}
    found = [c2pa_files.Ingredient(
        "consent_receipt", "Consent receipt (hash)", "application/json", canonical_bytes(receipt),
    )]
    if facts.footage_sha256:
        footage = canonical_bytes({"footage_sha256": facts.footage_sha256})
        found.append(c2pa_files.Ingredient("footage", "Training footage (hash)", "application/json", footage))
    return found


def check_signer_binding(session_key: SessionPublicKey, end_entity_der: bytes) -> None:
    """The holder of the session key has signed this claim signer's certificate (18.25).

    Raises:
        ManifestInvalid: it has not, or for another certificate.
    """
    try:
        _, public = cose.parse_cose_key(cose.parse_canonical(session_key.cose_key))
        binding = cose.parse_sign1(session_key.signer_binding)
        cose.verify_sign1(public, binding, detached_payload=cose.canonical_cbor(end_entity_der))
    except CoseInvalid as error:
        raise ManifestInvalid("The session key is not bound to this signer's certificate.") from error


def read_session_manifest(init: bytes, anchor_pem: str) -> SessionManifest:
    """Verify a signed init segment: chain, assertions, no media inside, one session key bound to the signer.

    Does not check times or the viewer's nonce: those belong to whoever watches or replays.

    Raises:
        ManifestInvalid: any of it does not hold.
    """
    _check_init_boxes(init)
    trusted = c2pa_files.read_trusted(init, anchor_pem)
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    if manifest.label != trusted.label:
        raise ManifestInvalid("This file's active manifest is ambiguous.")
    certificate = signer_certificate(init, manifest)
    facts = _read_facts(jumbf.assertion_cbor(init, manifest, assertions.SESSION_LABEL))
    _demand_same(trusted, facts, certificate)
    return SessionManifest(
        label=trusted.label, claim_sha256=jumbf.claim_sha256(init, manifest),
        facts=facts,
        key=_read_key(jumbf.assertion_cbor(init, manifest, assertions.SESSION_KEYS_LABEL), certificate),
        signer_name=certificate.subject.rfc4514_string(), codec=_codec_of(init),
        signer_serial=f"{certificate.serial_number:x}", media_start_ms=_read_media_start(facts),
        follows=_read_follows(facts),
    )


def _read_media_start(facts: dict[str, Any]) -> int:
    start_ms: int = facts.get("media_start_ms", 0)
    if not _is_whole(start_ms, MAX_MEDIA_START_MS):
        raise ManifestInvalid("The media time at which this manifest begins is malformed.")
    return start_ms


def _read_follows(facts: dict[str, Any]) -> str:
    follows = facts.get("follows", "")
    if not isinstance(follows, str):
        raise ManifestInvalid("The label of the manifest that this one follows is malformed.")
    return follows


def _demand_same(trusted: c2pa_files.TrustedFile, facts: dict[str, Any], certificate: x509.Certificate) -> None:
    """What is read here is what c2pa-python, which checked the signature, read. Two parsers, one manifest."""
    said = [entry["data"] for entry in trusted.manifest.get("assertions", [])
            if entry["label"] == assertions.SESSION_LABEL]
    if said != [facts] or trusted.signer_serial != f"{certificate.serial_number:x}":
        raise ManifestInvalid("Two readers read this manifest differently; it is not believed.")


def _codec_of(init: bytes) -> FrameCodec:
    """The codec that the signed `moov` names: frames of this session are read as that and nothing else."""
    try:
        entry = fmp4.picture_track_of(init).sample_entry
    except FragmentInvalid as error:
        raise ManifestInvalid(error.message) from error
    return next(codec for codec in CODECS.values() if codec.sample_entry == entry)


def _check_init_boxes(init: bytes) -> None:
    if len(init) > MAX_INIT_BYTES:
        raise ManifestInvalid("This is too large for a session's init segment.", size=len(init))
    try:
        if any(kind == b"mdat" for kind, _, _ in fmp4.walk_boxes(init)):
            raise ManifestInvalid("A session's init segment must hold no media.")
    except FragmentInvalid as error:
        raise ManifestInvalid(error.message) from error


def _read_facts(session_facts: bytes) -> dict[str, Any]:
    """The facts as JSON knows them: numbers, texts, lists and maps of those."""
    try:
        facts = json.loads(json.dumps(_decode(session_facts), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ManifestInvalid("The session's facts hold what JSON cannot say.") from error
    if not isinstance(facts, dict):
        raise ManifestInvalid("The session's facts are not a map.")
    return facts


def signer_certificate(encoded: bytes, manifest: jumbf.Superbox) -> x509.Certificate:
    """The end-entity certificate inside the claim signature (x5chain). Its chain is c2pa-python's to check."""
    try:
        return x509.load_der_x509_certificate(c2pa_files.signer_chain(encoded, manifest)[0])
    except (TypeError, ValueError, IndexError) as error:
        raise ManifestInvalid("The claim signature carries no readable certificate.") from error


def _decode(encoded: bytes) -> Any:
    try:
        return cose.parse_shortest(encoded)
    except CoseInvalid as error:
        raise ManifestInvalid("An assertion is not readable CBOR in its shortest form.") from error


def _read_key(session_keys: bytes, signer: x509.Certificate) -> KeyEntry:
    try:
        (entry,) = cose.parse_canonical(session_keys)["keys"]
        kid, public = cose.parse_cose_key(entry["key"])
        created_at, validity_s, minimum = entry["createdAt"], entry["validityPeriod"], entry["minSequenceNumber"]
        binding = cose.canonical_cbor(entry["signerBinding"])
        cose.verify_sign1(
            public, cose.parse_sign1(binding),
            detached_payload=cose.canonical_cbor(signer.public_bytes(serialization.Encoding.DER)),
        )
    except (KeyError, TypeError, ValueError, CoseInvalid, InvalidSignature) as error:
        raise ManifestInvalid("The session key is missing, malformed or not bound to the signer.") from error
    if not isinstance(created_at, datetime) or created_at.tzinfo is None:
        raise ManifestInvalid("The session key's time is malformed.")
    if not _is_whole(validity_s, MAX_VALIDITY_S) or not _is_whole(minimum, fmp4.MAX_SEQUENCE):
        raise ManifestInvalid("The session key's life or first number is malformed.")
    return KeyEntry(kid, public, minimum, created_at, validity_s)


def _is_whole(value: Any, most: int) -> bool:
    """Whether this is a whole number from 0 to `most` (and no truth value, which Python counts as a number)."""
    return type(value) is int and 0 <= value <= most
