"""Encrypted files. Nothing of a person touches the disk in the clear; opening one is an event."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from trustcore.audit import recording
from trustcore.keys.errors import BlobDamaged, BlobMissing
from trustcore.keys.models import Blob, DataKey
from trustcore.keys.services import data_keys
from trustcore.primitives import envelope
from trustcore.primitives.clock import utc_now
from trustcore.primitives.files import write_whole
from trustcore.primitives.hashing import sha256_hex


@dataclass(frozen=True)
class BlobRef:
    """A stored file. `sha256` and `size` are of the plaintext, `ciphertext_sha256` of what lies on disk."""

    public_id: str
    sha256: str
    size: int
    ciphertext_sha256: str
    data_key_id: str


def put(subject_public_id: str, context: str, data: bytes, *, actor: recording.Actor) -> BlobRef:
    """Encrypt under a new data key of the subject, store, record.

    Args:
        context: what it is ("studio/footage/f12"); opening must name the same.

    Raises:
        KeyMissing: the subject has no live key.
    """
    plaintext_key = envelope.new_key()
    key = data_keys.build(subject_public_id, context, plaintext_key)
    blob = _store(key, context, envelope.encrypt(plaintext_key, context, data))
    with recording.recording(actor=actor, action=recording.Action.BLOB_STORED, obj=blob) as event:
        event.covers(key)
        event.add(context=context, ciphertext_sha256=blob.ciphertext_sha256)
        key.save()
        blob.data_key = key
        blob.save()
    return BlobRef(blob.public_id, sha256_hex(data), len(data), blob.ciphertext_sha256, key.public_id)


def put_ciphertext(data_key_id: str, context: str, ciphertext: bytes, *, actor: recording.Actor) -> str:
    """Store what a worker encrypted under a data key that was released to it. Returns the blob's public id.

    Raises:
        BlobMissing: there is no such data key.
    """
    key = DataKey.objects.filter(public_id=data_key_id).first()
    if key is None:
        raise BlobMissing("There is no such data key to store a file under.", key=data_key_id)
    blob = _store(key, context, ciphertext)
    with recording.recording(actor=actor, action=recording.Action.BLOB_STORED, obj=blob) as event:
        event.add(context=context, ciphertext_sha256=blob.ciphertext_sha256)
        blob.data_key = key
        blob.save()
    return blob.public_id


def get(public_id: str, context: str, *, purpose: str, actor: recording.Actor) -> bytes:
    """The file in the clear, for a stated purpose, on the record.

    Raises:
        BlobMissing, BlobDamaged; KeyMissing when the subject's key is destroyed; EnvelopeInvalid on another context.
    """
    blob = live(public_id)
    stored = _read(blob)
    key = data_keys.unwrap(blob.data_key.public_id, purpose=purpose, actor=actor, context=blob.data_key.context)
    return envelope.decrypt(key, context, stored)


def ciphertext(public_id: str) -> bytes:
    """The file as it lies on disk. Reading it tells nothing, so it is no event. Raises BlobMissing, BlobDamaged."""
    return _read(live(public_id))


def ciphertext_path(public_id: str) -> Path:
    """Where the ciphertext lies, for streaming it out. Raises BlobMissing."""
    return _path(live(public_id).public_id)


def delete(public_id: str, *, actor: recording.Actor, reason: str) -> None:
    """Remove the file. The row stays, and says when. Raises BlobMissing."""
    blob = live(public_id)
    with recording.recording(actor=actor, action=recording.Action.BLOB_DELETED, obj=blob, reason=reason):
        blob.deleted_at = utc_now()
        blob.save(update_fields=["deleted_at"])
    _path(public_id).unlink(missing_ok=True)


def live(public_id: str) -> Blob:
    """The row of a file that was not deleted, with its data key. Raises BlobMissing."""
    blob: Blob | None = Blob.objects.select_related("data_key").filter(public_id=public_id, deleted_at=None).first()
    if blob is None:
        raise BlobMissing("There is no such file, or it was deleted.", blob=public_id)
    return blob


def _store(key: DataKey, context: str, ciphertext_bytes: bytes) -> Blob:
    """Write the ciphertext before any row names it: a file without a row is unreadable noise, the reverse is a loss."""
    blob = Blob(
        subject_public_id=key.subject_public_id,
        tenant=key.tenant,
        context=context,
        ciphertext_sha256=sha256_hex(ciphertext_bytes),
        size_bytes=len(ciphertext_bytes),
    )
    write_whole(_path(blob.public_id), ciphertext_bytes)
    return blob


def _read(blob: Blob) -> bytes:
    try:
        stored = _path(blob.public_id).read_bytes()
    except FileNotFoundError as error:
        raise BlobMissing("The file is not in the store.", blob=blob.public_id) from error
    if sha256_hex(stored) != blob.ciphertext_sha256:
        raise BlobDamaged(f"The stored file {blob.public_id} is not what was written.", blob=blob.public_id)
    return stored


def _path(public_id: str) -> Path:
    return Path(settings.BLOBS_DIR) / public_id[-2:] / public_id
