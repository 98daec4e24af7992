"""Recordings: the very fragments that were sent, and a playable copy signed as a whole. Both are
kept under the subject's key.
"""

from datetime import datetime

from provenance.services import session_manifests
from rendering.errors import RecordingRefused
from rendering.models import Conversation, LiveState, Recording
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs.models import Worker
from trustcore.keys.services import blobs
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import unb64


def store(*, conversation: Conversation, worker: Worker, fragments: bytes, now: datetime) -> Recording:
    """Keep a session's fragments with their init segment, and the signed copy. Handed in twice, the first stands.

    Raises:
        RecordingRefused: the session was not to be recorded, or never had a manifest.
        Refusal: the fragments are not those of this session, or the subject's key is gone.
    """
    known = Recording.objects.filter(conversation=conversation).first()
    if known is not None:
        return known
    state = LiveState.objects.filter(conversation=conversation).first()
    if not conversation.is_recorded or state is None or not state.init_segment:
        raise RecordingRefused("This session is not to be recorded.", conversation=conversation.public_id)
    init = unb64(state.init_segment)
    whole = fragments if fragments.startswith(init) else init + fragments
    actor = Actor.worker(worker.public_id)
    signed = session_manifests.sign_recording(actor=actor, conversation=reference_to(conversation), fragment_file=whole)
    kept = blobs.put(conversation.subject_public_id, context(conversation, "fragments"), whole, actor=actor)
    playable = blobs.put(conversation.subject_public_id, context(conversation, "signed"), signed.encoded, actor=actor)
    row = Recording(
        public_id=new_id("recording"), conversation=conversation, fragments_blob_id=kept.public_id,
        fragments_sha256=kept.sha256,
        signed_blob_id=playable.public_id, signed_sha256=sha256_hex(signed.encoded), size_bytes=len(whole),
        created_at=now,
    )
    with recording.recording(actor=actor, action=Action.RECORDING_CREATED, obj=row) as event:
        event.covers(conversation)
        row.save(force_insert=True)
        event.add(conversation=conversation.public_id, fragments_sha256=kept.sha256, signed_sha256=row.signed_sha256)
    return row


def context(conversation: Conversation, part: str) -> str:
    """What one file of a recording is bound to: `part` is "fragments" or "signed"."""
    return f"{conversation.tenant}/recording/{conversation.public_id}/{part}"


def open_signed(row: Recording, *, actor: Actor) -> bytes:
    """The playable, signed MP4, for somebody who may see it; on the record."""
    return blobs.get(
        row.signed_blob_id, context(row.conversation, "signed"), purpose="watch the recording", actor=actor
    )


def signed_still(row: Recording, at_ms: int, *, actor: Actor) -> bytes:
    """One picture of the recording as a signed JPEG, `at_ms` after its first; on the record.

    Raises:
        Refusal: the fragments are not those of a session of ours, or the subject's key is gone.
    """
    signed = session_manifests.sign_still(
        actor=actor, conversation=reference_to(row.conversation), fragment_file=open_fragments(row, actor=actor),
        at_ms=at_ms,
    )
    return signed.encoded


def open_fragments(row: Recording, *, actor: Actor) -> bytes:
    """Init segment and fragments as they were sent; on the record."""
    return blobs.get(
        row.fragments_blob_id, context(row.conversation, "fragments"), purpose="export the recording", actor=actor
    )
