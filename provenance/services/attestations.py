"""The signed attestation that an app receives with a conversation: what is in force, by which keys and which build."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings

from provenance.manifests.assertions import SOFT_BINDING_ALG
from provenance.services import claim_keys
from trustcore.keys.services import mark_keys, signing_keys
from trustcore.primitives.checkpoints import verifier_line
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.grants import Grant
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import b64, sign_statement

PURPOSE = "attestation"
KIND = "conversation"
PACKAGES = ("trustcore", "consent", "provenance", "rendering")


def attest_conversation(grant: Grant, *, decision_id: str, now: datetime) -> dict[str, Any]:
    """A signed statement (purpose "attestation") over replica, consent, policy, build and keys in force.

    Verify it with `verify_statement(signed, "attestation", keys)`; the key is at /check/keys/.
    """
    body = {
        "v": 1, "kind": KIND, "conversation_id": grant.conversation_id, "tenant": grant.tenant,
        "replica": {"id": grant.replica_id, "version": grant.replica_version, "sha256": grant.replica_sha256},
        "consent": {"id": grant.consent_id, "receipt_sha256": grant.consent_receipt_sha256},
        "policy": {"id": grant.policy_id, "version": grant.policy_version, "sha256": grant.policy_sha256,
                   "cedar_sha256": grant.cedar_sha256, "emotion_max_milli": dict(grant.emotion_max_milli)},
        "use": {"purpose": grant.purpose, "audience": grant.audience, "country": grant.country,
                "language": grant.language, "context_of_use": grant.context_of_use},
        "grant": {"id": grant.grant_id, "sha256": grant.sha256, "not_after": grant.not_after},
        "decision_id": decision_id, "build": {"control_sha256": source_sha256()}, "keys": keys_in_force(),
        "issued_at": to_rfc3339(now),
    }
    return sign_statement(signing_keys.get("attestation"), PURPOSE, body)


def keys_in_force() -> Mapping[str, Any]:
    """Public keys and certificates of this installation, for everyone who verifies."""
    public = {purpose: b64(signing_keys.verify_key(purpose).public_bytes)
              for purpose in ("grant", "receipt", "attestation", "bundle")}
    return {
        **public,
        "log_key": b64(signing_keys.verify_key("checkpoint").public_bytes),
        "log": verifier_line(settings.LOG_ORIGIN, signing_keys.verify_key("checkpoint")),
        "claim_signer_sha256": sha256_hex(claim_keys.current().end_entity_der),
        "authority_sha256": sha256_hex(_authority_der()),
        "mark": {"alg": SOFT_BINDING_ALG, "epoch": mark_keys.current().name},
    }


def _authority_der() -> bytes:
    return x509.load_pem_x509_certificate(claim_keys.anchor_pem().encode()).public_bytes(Encoding.DER)


@lru_cache(maxsize=1)
def source_sha256() -> str:
    """Hash over the source files this process was started from, in order of their paths."""
    root = Path(settings.BASE_DIR)
    lines = [
        f"{sha256_hex(path.read_bytes())}  {path.relative_to(root).as_posix()}\n"
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    ]
    return sha256_hex("".join(lines).encode())
