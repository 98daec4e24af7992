"""One key per subject. Everything of theirs is under it, and only this module ever sees it in the clear.

root key -> tenant key (file) -> subject key (file) -> data keys (database, wrapped). Destroying the one file makes all
the subject's files unreadable, in every backup of the database too.
"""

from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from django.conf import settings

from trustcore.audit import recording
from trustcore.keys import keystore, providers
from trustcore.keys.errors import KeyExists, KeyHeld, KeyMissing
from trustcore.keys.models import SubjectKey
from trustcore.keys.services import holds
from trustcore.primitives.clock import utc_now
from trustcore.primitives.envelope import new_key, unwrap_key, wrap_key

State = SubjectKey.State


def create(subject_public_id: str, *, actor: recording.Actor, tenant: str) -> SubjectKey:
    """Make the subject's key.

    Raises:
        KeyExists: they have one, or had one that was destroyed.
    """
    row = SubjectKey(public_id=subject_public_id, tenant=tenant)
    with recording.recording(actor=actor, action=recording.Action.KEY_CREATED, obj=row):
        if SubjectKey.objects.filter(public_id=subject_public_id).exists():
            raise KeyExists("This subject has had a key already.", subject=subject_public_id)
        row.save()
        # Before commit: a file without its row is a key nobody asks for; a row without its file would look destroyed.
        wrapped = wrap_key(_tenant_key(tenant), _context(tenant, subject_public_id), new_key())
        path = _path(subject_public_id)
        keystore.remove(path)  # left by a creation that did not commit: no row, so nothing was ever wrapped under it
        keystore.write_once(path, wrapped)
    return row


def ensure(subject_public_id: str, *, actor: recording.Actor, tenant: str) -> None:
    """Make the subject's key unless it is there."""
    if not exists(subject_public_id):
        create(subject_public_id, actor=actor, tenant=tenant)


def exists(subject_public_id: str) -> bool:
    """Whether the subject's data can still be read: the row says live and the file is there."""
    row = SubjectKey.objects.filter(public_id=subject_public_id).first()
    return row is not None and row.state == State.LIVE and _path(subject_public_id).exists()


def destroy(subject_public_id: str, *, actor: recording.Actor, reason: str = "") -> None:
    """Destroy the subject's key, for ever. Safe to call again after a crash: it finishes what was begun.

    "About to" is on the record before the file goes, "done" after; between the two the key counts as gone.

    Raises:
        KeyHeld: a legal hold is in force.
        KeyMissing: there never was a key.
    """
    row = _row(subject_public_id)
    if row.state == State.DESTROYED:
        return
    if row.state == State.LIVE:
        with recording.recording(actor=actor, action=recording.Action.KEY_DESTRUCTION_BEGUN, obj=row, reason=reason):
            if holds.in_force(subject_public_id):
                raise KeyHeld(
                    "A legal hold forbids destroying this key. Lift the hold first.", subject=subject_public_id
                )
            row.state = State.DESTROYING
            row.save(update_fields=["state"])
    keystore.remove(_path(subject_public_id))
    with recording.recording(actor=actor, action=recording.Action.KEY_DESTROYED, obj=row, reason=reason):
        row.state, row.destroyed_at = State.DESTROYED, utc_now()
        row.save(update_fields=["state", "destroyed_at"])


def tenant_of(subject_public_id: str) -> str:
    """Whose subject this is. Raises KeyMissing when they have no key."""
    return _row(subject_public_id).tenant


def wrap(subject_public_id: str, context: str, key: bytes) -> bytes:
    """A data key wrapped under the subject's key, bound to its context. Raises KeyMissing."""
    return wrap_key(_open(subject_public_id), context, key)


def unwrap(subject_public_id: str, context: str, wrapped: bytes) -> bytes:
    """Reverse of `wrap`, for `data_keys` only. Raises KeyMissing, EnvelopeInvalid."""
    return unwrap_key(_open(subject_public_id), context, wrapped)


def derive(subject_public_id: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, gone when the subject's key is gone. For `personal_detail` only."""
    return HKDFExpand(SHA256(), 32, b"trustcore/subject/" + purpose.encode()).derive(_open(subject_public_id))


def _open(subject_public_id: str) -> bytes:
    row = _row(subject_public_id)
    if row.state != State.LIVE:
        raise KeyMissing(
            "This subject's key was destroyed. What it protected cannot be read.", subject=subject_public_id
        )
    wrapped = keystore.read(_path(subject_public_id))
    return unwrap_key(_tenant_key(row.tenant), _context(row.tenant, subject_public_id), wrapped)


def _row(subject_public_id: str) -> SubjectKey:
    row: SubjectKey | None = SubjectKey.objects.filter(public_id=subject_public_id).first()
    if row is None:
        raise KeyMissing("This subject has no key yet.", subject=subject_public_id)
    return row


def _tenant_key(tenant: str) -> bytes:
    """The tenant's key, made at first need. Two processes that make it at once end with the same one."""
    path = keystore.path_of(Path(settings.KEYSTORE_DIR), "tenants", tenant)
    context = f"tenant/{tenant}"
    if not path.exists():
        with suppress(KeyExists):  # another process was first; its key is the one
            keystore.write_once(path, providers.root().wrap(context, new_key()))
    return providers.root().unwrap(context, keystore.read(path))


def _context(tenant: str, subject_public_id: str) -> str:
    return f"subject/{tenant}/{subject_public_id}"


def _path(subject_public_id: str) -> Path:
    return keystore.path_of(Path(settings.KEYSTORE_DIR), "subjects", subject_public_id)
