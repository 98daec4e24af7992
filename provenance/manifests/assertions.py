"""What our manifests say: the assertions of a session and of a recording (C2PA 2.4 section 18, CAWG 1.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import cbor2

from provenance.manifests.cose import canonical_cbor
from trustcore.primitives.clock import to_rfc3339_seconds
from trustcore.primitives.ids import mark_id_text

SOFT_BINDING_ALG = "org.trustcore.wm.1"
SESSION_LABEL = "org.trustcore.session"  # version 1; C2PA writes ".v2" and later only (6.2)
SESSION_KEYS_LABEL = "c2pa.session-keys"
SOFT_BINDING_LABEL = "c2pa.soft-binding"
TRAINED_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
GENERATOR = {"name": "Trustcore", "version": "1"}

# A live replica is steered by prompts or runs by itself; nobody validates each frame, so that value is not offered.
Oversight = Literal["prompt_guided", "fully_autonomous"]


@dataclass(frozen=True)
class MarkSlot:
    """One watermark payload and when it is in the picture: at most, in a session's plan; really, in a recording."""

    slot_id: int  # 64 bits
    start_ms: int
    end_ms: int

    @property
    def hex_id(self) -> str:
        return mark_id_text(self.slot_id)


@dataclass(frozen=True)
class SessionFacts:
    """What a session manifest binds to the session key. Times are aware."""

    session_id: str
    tenant: str
    replica_id: str
    replica_version: int
    consent_id: str
    consent_receipt_sha256: str
    policy_id: str
    policy_version: int
    grant_sha256: str
    viewer_nonce: str  # chosen by the viewer: stops replay of another session
    dtls_fingerprint: str  # "sha-256 AA:BB:…" of the sender's certificate
    mark_slots: tuple[MarkSlot, ...]
    created_at: datetime
    validity_s: int
    footage_sha256: str = ""
    disclosure: str = ""
    oversight: Oversight = "prompt_guided"
    extra: dict[str, Any] = field(default_factory=dict)  # further JSON facts, shown and never relied on

    def to_assertion(self) -> dict[str, Any]:
        """The JSON of `org.trustcore.session`."""
        return {
            "session_id": self.session_id, "tenant": self.tenant, "replica_id": self.replica_id,
            "replica_version": self.replica_version, "consent_id": self.consent_id,
            "consent_receipt_sha256": self.consent_receipt_sha256, "policy_id": self.policy_id,
            "policy_version": self.policy_version, "grant_sha256": self.grant_sha256,
            "viewer_nonce": self.viewer_nonce, "dtls_fingerprint": self.dtls_fingerprint,
            "mark": {
                "alg": SOFT_BINDING_ALG,
                "slots": [{"slot_id": s.hex_id, "start_ms": s.start_ms, "end_ms": s.end_ms}
                          for s in self.mark_slots],
            },
            "created_at": to_rfc3339_seconds(self.created_at), "validity_s": self.validity_s,
            "footage_sha256": self.footage_sha256, "disclosure": self.disclosure, "extra": self.extra,
        }


def actions(oversight_agent: str, ingredient_ids: Sequence[str]) -> dict[str, Any]:
    """`c2pa.actions.v2`: made by a trained model, then watermarked with a bound payload."""
    created: dict[str, Any] = {
        "action": "c2pa.created", "digitalSourceType": TRAINED_MEDIA,
        "softwareAgent": {"name": oversight_agent, "version": GENERATOR["version"]},
    }
    if ingredient_ids:
        created["parameters"] = {"ingredientIds": list(ingredient_ids)}
    return {"actions": [created, {"action": "c2pa.watermarked.bound"}]}


def ai_disclosure(model_name: str, oversight: Oversight) -> dict[str, Any]:
    """`c2pa.ai-disclosure` with an honest oversight level."""
    return {
        "modelType": "c2pa.types.model", "modelName": model_name,
        "contentProfile": {"humanOversightLevel": oversight},
    }


def training_mining() -> dict[str, Any]:
    """`cawg.training-mining`: nobody may mine or train on a person's replica."""
    names = ("cawg.data_mining", "cawg.ai_training", "cawg.ai_generative_training", "cawg.ai_inference")
    return {"entries": {name: {"use": "notAllowed"} for name in names}}


def slot_value(slot_id: int) -> bytes:
    """A payload as it stands in `c2pa.soft-binding` and, in base64, in the resolution API: 8 bytes, big-endian."""
    return slot_id.to_bytes(8, "big")


def soft_binding(slots: Sequence[MarkSlot], *, is_still: bool = False) -> bytes:
    """Strict CBOR of `c2pa.soft-binding`: one block per slot, the value a byte string; a still has no time span."""
    blocks = [{"scope": _scope(slot, is_still), "value": slot_value(slot.slot_id)} for slot in slots]
    return canonical_cbor({"alg": SOFT_BINDING_ALG, "blocks": blocks, "pad": b""})


def soft_binding_placeholder(slots: Sequence[MarkSlot], *, is_still: bool = False) -> dict[str, Any]:
    """JSON of `c2pa.soft-binding` whose CBOR is as long as `soft_binding`'s: text in place of byte strings.

    c2pa-python decodes this assertion while it signs, so any other placeholder would be refused.
    """
    blocks = [{"scope": _scope(slot, is_still), "value": "0" * 8} for slot in slots]
    return {"alg": SOFT_BINDING_ALG, "blocks": blocks, "pad": []}


def _scope(slot: MarkSlot, is_still: bool) -> dict[str, Any]:
    return {} if is_still else {"timespan": {"start": slot.start_ms, "end": slot.end_ms}}


def session_keys(
    cose_key: bytes, signer_binding: bytes, *, minimum_sequence: int, created_at: datetime, validity_s: int,
) -> bytes:
    """Strict CBOR of `c2pa.session-keys` (18.25) with one key.

    Args:
        cose_key: canonical COSE_Key. signer_binding: COSE_Sign1_Tagged. Both are embedded as CBOR, not as bytes.
    """
    entry = {
        "key": cbor2.loads(cose_key),
        "minSequenceNumber": minimum_sequence,
        "createdAt": cbor2.CBORTag(0, to_rfc3339_seconds(created_at)),
        "validityPeriod": validity_s,
        "signerBinding": cbor2.loads(signer_binding),
    }
    return canonical_cbor({"keys": [entry]})
