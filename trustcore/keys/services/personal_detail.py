"""Personal detail of events, encrypted under the subject's key: erasing the key erases it and leaves every proof
whole."""

import base64

from trustcore.audit import recording
from trustcore.keys.services import subject_keys
from trustcore.primitives.envelope import decrypt as open_file
from trustcore.primitives.envelope import encrypt as seal_file

PURPOSE = "event-detail"


def encrypt(subject_public_id: str, event_id: str, plaintext: bytes) -> str:
    """Base64 ciphertext, bound to the event. Writing an event is no unwrap event: that would never end.

    Raises:
        KeyMissing: the subject has no live key.
    """
    key = subject_keys.derive(subject_public_id, PURPOSE)
    return base64.b64encode(seal_file(key, f"event/{event_id}", plaintext)).decode()


def decrypt(subject_public_id: str, event_id: str, sealed: str, *, actor: recording.Actor, purpose: str) -> bytes:
    """The detail in the clear, on the record. Raises KeyMissing once the subject's key is destroyed."""
    obj = recording.ObjectRef(
        "event", event_id, tenant=subject_keys.tenant_of(subject_public_id), subject=subject_public_id
    )
    with recording.recording(actor=actor, action=recording.Action.KEY_UNWRAPPED, obj=obj) as event:
        event.add(purpose=purpose)
        return open_file(subject_keys.derive(subject_public_id, PURPOSE), f"event/{event_id}", base64.b64decode(sealed))
