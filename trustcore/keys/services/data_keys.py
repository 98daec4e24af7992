"""Data keys: made, kept wrapped in the database, unwrapped for a stated purpose. Every unwrap is an event.

The one door of plaintext data keys: outside this package they exist only sealed to a slot (`release`), or inside
`blobs` while a file is read or written (tests/architecture/test_trust.py).
"""

from dataclasses import dataclass, field

from trustcore.audit import recording
from trustcore.keys.errors import KeyMissing
from trustcore.keys.models import DataKey as DataKeyRow
from trustcore.keys.services import subject_keys
from trustcore.primitives.envelope import new_key


@dataclass(frozen=True)
class DataKey:
    """A data key in the clear. It prints without its bytes."""

    id: str
    plaintext: bytes = field(repr=False)  # 32 bytes


def new(subject_public_id: str, context: str, *, actor: recording.Actor) -> DataKey:
    """Make a data key under the subject's key.

    Args:
        context: what it is for, e.g. "replica/r12/3"; unwrapping must name the same.

    Raises:
        KeyMissing: the subject has no live key.
    """
    plaintext = new_key()
    row = build(subject_public_id, context, plaintext)
    with recording.recording(actor=actor, action=recording.Action.KEY_CREATED, obj=row) as event:
        event.add(context=context)
        row.save()
    return DataKey(row.public_id, plaintext)


def build(subject_public_id: str, context: str, plaintext: bytes) -> DataKeyRow:
    """The unsaved row of a wrapped data key, for the caller's own recording."""
    row = DataKeyRow(
        subject_public_id=subject_public_id, tenant=subject_keys.tenant_of(subject_public_id), context=context
    )
    row.wrapped = subject_keys.wrap(subject_public_id, _context(row), plaintext)
    return row


def unwrap(data_key_id: str, *, purpose: str, actor: recording.Actor, context: str) -> bytes:
    """The data key in the clear, for `purpose`. The unwrap is on the record before the key is returned.

    Raises:
        KeyMissing: no such data key, or its subject's key is destroyed.
        EnvelopeInvalid: it was made for another context.
    """
    row = DataKeyRow.objects.filter(public_id=data_key_id).first()
    if row is None:
        raise KeyMissing("There is no such data key.", key=data_key_id)
    stated = DataKeyRow(
        public_id=row.public_id, subject_public_id=row.subject_public_id, tenant=row.tenant, context=context
    )
    with recording.recording(actor=actor, action=recording.Action.KEY_UNWRAPPED, obj=row) as event:
        event.add(purpose=purpose, context=context)
        return subject_keys.unwrap(row.subject_public_id, _context(stated), bytes(row.wrapped))


def _context(row: DataKeyRow) -> str:
    """What the wrapping is bound to: moved to another tenant, subject, key or context, it does not open."""
    return f"data-key/{row.tenant}/{row.subject_public_id}/{row.public_id}/{row.context}"
