"""The public keys and certificates of this installation, for everyone who verifies."""

from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings

from provenance.manifests.assertions import SOFT_BINDING_ALG
from provenance.services import claim_keys
from trustcore.keys.services import mark_keys, signing_keys
from trustcore.primitives.checkpoints import verifier_line
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import b64

PURPOSES = ("grant", "receipt", "attestation", "bundle")


def in_force() -> Mapping[str, Any]:
    """Keys by purpose (b64, 32 bytes), the log's key in both spellings, certificates by hash, the mark's epoch."""
    log_key = signing_keys.verify_key("checkpoint")
    authority = x509.load_pem_x509_certificate(claim_keys.anchor_pem().encode()).public_bytes(Encoding.DER)
    return {
        **{purpose: b64(signing_keys.verify_key(purpose).public_bytes) for purpose in PURPOSES},
        "log_key": b64(log_key.public_bytes),
        "log": verifier_line(settings.LOG_ORIGIN, log_key),
        "claim_signer_sha256": sha256_hex(claim_keys.current().end_entity_der),
        "authority_sha256": sha256_hex(authority),
        "mark": {"alg": SOFT_BINDING_ALG, "epoch": mark_keys.current().name},
    }
