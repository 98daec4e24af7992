"""Recordings: the very fragments that were sent, and a playable copy signed as a whole. Both are
kept under the subject's key.
"""

from datetime import datetime

from provenance.manifests import fmp4
from provenance.manifests.errors import FragmentInvalid
from provenance.services import session_manifests
from rendering.errors import RecordingRefused
from rendering.models import Conversation, Recording
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs.models import Worker
from trustcore.keys.services import blobs
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.ids import new_id


def store(*, conversation: Conversation, worker: Worker, fragments: bytes, now: datetime) -> Recording:
    """Keep a session's fragments with their init segments, and the signed copy. Handed in twice, the first stands.

    Args:
        fragments: for each connection the init segment that was signed for it, and what was sent under it.

    Raises:
        RecordingRefused: the session was not to be recorded, or an init segment is not one of its own.
        Refusal: the fragments are not those of this session, or the subject's key is gone.
    """
    known = Recording.objects.filter(conversation=conversation).first()
    if known is not None:
        return known
    if not conversation.is_recorded:
        raise RecordingRefused("This session is not to be recorded.", conversation=conversation.public_id)
    _demand_own_manifests(conversation, fragments)
    actor = Actor.worker(worker.public_id)
    signed = session_manifests.sign_recording(
        actor=actor, conversation=reference_to(conversation), fragment_file=fragments)
    kept = blobs.put(conversation.subject_public_id, context(conversation, "fragments"), fragments, actor=actor)
    playable = blobs.put(conversation.subject_public_id, context(conversation, "signed"), signed.encoded, actor=actor)
    row = Recording(
        public_id=new_id("recording"), conversation=conversation, fragments_blob_id=kept.public_id,
        fragments_sha256=kept.sha256,
        signed_blob_id=playable.public_id, signed_sha256=sha256_hex(signed.encoded), size_bytes=len(fragments),
        created_at=now,
    )
    with recording.recording(actor=actor, action=Action.RECORDING_CREATED, obj=row) as event:
        event.covers(conversation)
        row.save(force_insert=True)
        event.add(conversation=conversation.public_id, fragments_sha256=kept.sha256, signed_sha256=row.signed_sha256)
    return row


def _demand_own_manifests(conversation: Conversation, fragments: bytes) -> None:
    """Each run begins with an init segment that was signed for this conversation.

    Raises:
        RecordingRefused
    """
    own = session_manifests.init_segments_of(conversation.public_id)
    try:
        told = [fmp4.split_recording(run)[0] for run in fmp4.split_runs(fragments)]
    except FragmentInvalid as error:
        raise RecordingRefused(error.message, conversation=conversation.public_id) from error
    if any(init not in own for init in told):
        raise RecordingRefused(
            "This recording names a session manifest that was not signed for it.", conversation=conversation.public_id)


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
