"""A session's manifest: the slot asks, the signer decides, control only carries and keeps the init
segment for the recording.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provenance.errors import SessionRequestInvalid
from provenance.services import session_manifests
from provenance.services.signer import mark_slots
from rendering.models import Conversation, LiveState
from rendering.services import sessions
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs.errors import LeaseLost
from trustcore.jobs.models import Job, LeaseEvent, Worker
from trustcore.primitives.errors import Refusal


def sign_for_session(
    job: Job, *, lease_id: str, worker: Worker, body: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The signed manifest in the protocol's shape.

    Raises:
        LeaseLost: the session may not go on.
        SessionRequestInvalid: the slot names a mark that this session was not given, or a viewer that asked nothing.
        Refusal: what `session_manifests.sign_for_session` raises.
    """
    conversation = Conversation.objects.select_related("organisation", "version__replica").get(public_id=job.object_id)
    _demand_own_facts(job, conversation, worker, body, now=now)
    signed = session_manifests.sign_for_session(
        actor=Actor.worker(worker.public_id), request=body, conversation=reference_to(conversation), lease_id=lease_id,
        epoch=job.epoch,
        now=now)
    LiveState.objects.filter(conversation=conversation).update(init_segment=signed["init_segment_b64"])
    return signed


def _demand_own_facts(
    job: Job, conversation: Conversation, worker: Worker, body: Mapping[str, Any], *, now: datetime
) -> None:
    """What the signer cannot know: whether consent still holds, which mark this session was given, which viewer waits.

    Raises:
        LeaseLost, SessionRequestInvalid
    """
    try:
        reason = sessions.reason_to_stop(conversation, now=now)
        if reason:
            raise LeaseLost("This session may not go on, so no manifest is signed.", reason=reason)
        given = LiveState.objects.get(conversation=conversation).mark["slot_id"]
        if {f"{slot.slot_id:016x}" for slot in mark_slots(body.get("mark_slots"))} != {given}:
            raise SessionRequestInvalid("This session was given another mark. Name the one that came with its keys.")
        nonce = body.get("viewer_nonce")
        if not LeaseEvent.objects.filter(job=job, kind="offer", body__viewer_nonce=nonce).exists():
            raise SessionRequestInvalid("No viewer of this session sent this nonce. Name the one of the offer.")
    except Refusal as refusal:
        actor, about = Actor.worker(worker.public_id), reference_to(conversation)
        recording.refused(actor=actor, action=Action.MANIFEST_REFUSED, obj=about, reason=refusal.code)
        raise
