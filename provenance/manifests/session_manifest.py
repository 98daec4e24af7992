"""The session manifest: a signed init segment that names the session key and everything the session rests on."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance.manifests import assertions, c2pa_files, cose, fmp4, jumbf
from provenance.manifests.assertions import SessionFacts
from provenance.manifests.attest import SessionKey
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.errors import CoseInvalid, ManifestInvalid, ManifestSigningFailed
from trustcore.primitives.canonical import canonical_bytes

MODEL_NAME = "Trustcore Gaussian replica"


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
    signer_serial: str = ""  # of its certificate, hex


def sign_session_manifest(
    signer: ClaimSigner, facts: SessionFacts, session_key: SessionPublicKey, *, width: int, height: int,
    minimum_sequence: int = 1,
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
    signed = c2pa_files.sign_file(
        fmp4.init_segment(width, height), f"Live session {facts.session_id}", said, ingredients, signer,
    )
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
    if any(kind == b"mdat" for kind, _ in fmp4.split_boxes(init)):
        raise ManifestInvalid("A session's init segment must hold no media.")
    trusted = c2pa_files.read_trusted(init, anchor_pem)
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    if manifest.label != trusted.label:
        raise ManifestInvalid("This file's active manifest is ambiguous.")
    certificate = signer_certificate(init, manifest)
    facts = json.loads(json.dumps(_decode(jumbf.assertion_cbor(init, manifest, assertions.SESSION_LABEL))))
    if not isinstance(facts, dict):
        raise ManifestInvalid("The session's facts are not a map.")
    return SessionManifest(
        label=trusted.label, claim_sha256=jumbf.claim_sha256(init, manifest), facts=facts,
        key=_read_key(jumbf.assertion_cbor(init, manifest, assertions.SESSION_KEYS_LABEL), certificate),
        signer_name=certificate.subject.rfc4514_string(), signer_serial=f"{certificate.serial_number:x}",
    )


def signer_certificate(encoded: bytes, manifest: jumbf.Superbox) -> x509.Certificate:
    """The end-entity certificate inside the claim signature (x5chain). Its chain is c2pa-python's to check."""
    try:
        return x509.load_der_x509_certificate(c2pa_files.signer_chain(encoded, manifest)[0])
    except (TypeError, ValueError, IndexError) as error:
        raise ManifestInvalid("The claim signature carries no readable certificate.") from error


def _decode(encoded: bytes) -> Any:
    try:
        return cbor2.loads(encoded)
    except (cbor2.CBORError, ValueError) as error:
        raise ManifestInvalid("An assertion is not readable CBOR.") from error


def _read_key(session_keys: bytes, signer: x509.Certificate) -> KeyEntry:
    try:
        (entry,) = _decode(session_keys)["keys"]
        kid, public = cose.parse_cose_key(entry["key"])
        created_at, validity_s, minimum = entry["createdAt"], entry["validityPeriod"], entry["minSequenceNumber"]
        binding = cose.canonical_cbor(entry["signerBinding"])
        cose.verify_sign1(
            public, cose.parse_sign1(binding),
            detached_payload=cose.canonical_cbor(signer.public_bytes(serialization.Encoding.DER)),
        )
    except (KeyError, TypeError, ValueError, CoseInvalid, InvalidSignature) as error:
        raise ManifestInvalid("The session key is missing, malformed or not bound to the signer.") from error
    if not isinstance(created_at, datetime) or not isinstance(validity_s, int) or not isinstance(minimum, int):
        raise ManifestInvalid("The session key's times or first number are malformed.")
    return KeyEntry(kid, public, minimum, created_at, validity_s)
