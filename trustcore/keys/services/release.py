"""Key release: data keys leave control only sealed to the ephemeral key of one slot's claim.

The caller has checked grant, lease and claim (rendering/services); this seals and records. AAD binds the seal to grant,
lease, epoch and replica version, so a sealed key replayed for another lease does not open.
"""

from collections.abc import Mapping
from typing import Any

from trustcore.audit import recording
from trustcore.keys.errors import KeyMissing
from trustcore.keys.models import DataKey
from trustcore.keys.services import blobs, data_keys
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.envelope import hpke_seal
from trustcore.primitives.signing import b64


def seal_keys(
    *,
    actor: recording.Actor,
    lease: recording.ObjectRef,
    info: bytes,
    aad: Mapping[str, Any],
    ephemeral_public: bytes,
    read: Mapping[str, str],
    write_key_id: str | None = None,
    write_contexts: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """Unwrap the keys of some files and seal them to one slot.

    Args:
        actor: the worker that asks.
        lease: what the release is for; the event names it.
        info: the protocol's HPKE info (`rendering.protocol.RELEASE_INFO`).
        aad: `rendering.protocol.release_aad(...)`.
        ephemeral_public: raw X25519 key of the claim, 32 bytes.
        read: name -> blob public id, of the files the slot may open.
        write_key_id: a data key under which the slot encrypts what it makes.
        write_contexts: name -> Cobblestone context, of the files it may write.
        extra: further secrets of the lease, such as {"mark": {...}}.

    Returns:
        b64 of the sealed canonical JSON {"read": {name: key}, "write": key | None, "contexts": {name: context}} and
        what `extra` adds.

    Raises:
        BlobMissing, KeyMissing: a file or its subject's key is gone; nothing is released then.
    """
    rows = {name: blobs.live(public_id) for name, public_id in read.items()}
    contexts = {name: blob.context for name, blob in rows.items()} | dict(write_contexts or {})
    with recording.recording(actor=actor, action=recording.Action.KEY_RELEASED, obj=lease) as event:
        event.add(aad=dict(aad), blobs=sorted(read.values()), write_key=write_key_id or "")
        keys = {
            name: data_keys.unwrap(
                blob.data_key.public_id, purpose=f"release:{lease.id}", actor=actor, context=blob.data_key.context
            )
            for name, blob in rows.items()
        }
        write = _write_key(write_key_id, lease, actor) if write_key_id else None
        secret = {
            "read": {name: b64(key) for name, key in keys.items()},
            "write": b64(write) if write else None,
            "contexts": contexts,
            **(extra or {}),
        }
        return b64(hpke_seal(ephemeral_public, info, canonical_bytes(dict(aad)), canonical_bytes(secret)))


def _write_key(data_key_id: str, lease: recording.ObjectRef, actor: recording.Actor) -> bytes:
    row = DataKey.objects.filter(public_id=data_key_id).first()
    if row is None:
        raise KeyMissing("There is no such data key.", key=data_key_id)
    return data_keys.unwrap(data_key_id, purpose=f"release:{lease.id}", actor=actor, context=row.context)
