"""The slot's answer to a viewer's offer. It is passed on only with a session manifest: the slot asks, the signer
decides, control carries both. A viewer who comes back makes another offer and gets another manifest.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provenance.errors import SessionRequestInvalid
from provenance.services import session_manifests
from provenance.services.signer import mark_slots
from rendering.models import Conversation, LiveState
from rendering.protocol import MAX_SDP_CHARS
from rendering.services import conversations, sessions
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs import wakeups
from trustcore.jobs.errors import LeaseLost
from trustcore.jobs.models import Job, LeaseEvent, Worker
from trustcore.primitives.errors import Refusal
from trustcore.primitives.ids import mark_id_text
from trustcore.web.errors import RequestInvalid


def answer_offer(job: Job, *, lease_id: str, worker: Worker, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Have a session manifest signed, hand the answer with it to the viewer's waiting request, and note that the
    session is live. Returns the signed manifest in the protocol's shape.

    Args:
        body: {"offer_id", "sdp", "session_facts", "manifest"}, the last a ManifestRequest as JSON types.

    Raises:
        RequestInvalid: there is no such offer, or a field is missing.
        LeaseLost: the session may not go on.
        SessionRequestInvalid: the slot names a mark that this session was not given, or another viewer's nonce.
        Refusal: what `session_manifests.sign_for_session` raises.
    """
    offer, sdp, asked, facts = _told(job, body)
    live = LiveState.objects.select_related("conversation__organisation", "conversation__version__replica").get(
        conversation__public_id=job.object_id)
    conversation = live.conversation
    actor = Actor.worker(worker.public_id)
    _demand_own_facts(live, offer, actor, asked, now=now)
    signed = session_manifests.sign_for_session(
        actor=actor, request=asked, conversation=reference_to(conversation), lease_id=lease_id, epoch=job.epoch,
        mark_epoch=live.mark["epoch"], now=now)
    facts |= {name: signed[name] for name in ("manifest_label", "claim_sha256")}
    _pass_on(conversation, offer, {"sdp": sdp, "manifest_b64": signed["init_segment_b64"], "session_facts": facts})
    LiveState.objects.filter(id=live.id).update(
        session_facts=facts, worker_state="live", seen_at=now)
    conversations.go_live(conversation=conversation, actor=actor, now=now)
    return signed


def _told(job: Job, body: Mapping[str, Any]) -> tuple[LeaseEvent, str, dict[str, Any], dict[str, Any]]:
    """The offer, the SDP, the manifest request and the session's facts. Raises RequestInvalid."""
    sdp, asked, facts = body.get("sdp"), body.get("manifest"), body.get("session_facts")
    if not isinstance(sdp, str) or not 0 < len(sdp) <= MAX_SDP_CHARS:
        raise RequestInvalid(f"An answer needs sdp, of at most {MAX_SDP_CHARS} characters.")
    if not isinstance(asked, dict) or not isinstance(facts, dict):
        raise RequestInvalid("An answer needs two objects: manifest, which asks for the signature, and session_facts.")
    offer_id = str(body.get("offer_id", ""))
    offer = LeaseEvent.objects.filter(job=job, kind="offer", body__offer_id=offer_id, answer__isnull=True).first()
    if offer is None:
        raise RequestInvalid("There is no offer with this id that waits for an answer.")
    return offer, sdp, asked, dict(facts)


def _demand_own_facts(
    live: LiveState, offer: LeaseEvent, actor: Actor, asked: Mapping[str, Any], *, now: datetime
) -> None:
    """What the signer cannot know: whether consent still holds (else the session ends here), which mark this session
    was given, which viewer waits.

    Raises:
        LeaseLost, SessionRequestInvalid
    """
    try:
        reason = sessions.reason_to_stop(live.conversation, now=now)
        if reason:
            conversations.end(conversation=live.conversation, actor=Actor.system("gate"), reason=reason, now=now)
            raise LeaseLost("This session may not go on, so no manifest is signed.", reason=reason)
        if {mark_id_text(slot.slot_id) for slot in mark_slots(asked.get("mark_slots"))} != {live.mark["slot_id"]}:
            raise SessionRequestInvalid("This session was given another mark. Name the one that came with its keys.")
        if asked.get("viewer_nonce") != offer.body["viewer_nonce"]:
            raise SessionRequestInvalid("The viewer of this offer sent another nonce. Name the one of the offer.")
        _demand_own_past(live, asked.get("follows") or "")
    except Refusal as refusal:
        about = reference_to(live.conversation)
        recording.refused(actor=actor, action=Action.MANIFEST_REFUSED, obj=about, reason=refusal.code)
        raise


def _demand_own_past(live: LiveState, follows: Any) -> None:
    """A connection follows one of this session, and none only while the log knows of no frame before it: else what was
    sent before could be left out of a recording, and nobody would miss it.

    Raises:
        SessionRequestInvalid
    """
    if not follows and live.last_segment < 0:
        return
    if not isinstance(follows, str) or follows not in session_manifests.labels_of(live.conversation.public_id):
        raise SessionRequestInvalid("Frames of this session were sent before. Name the manifest they were sent under.")


def _pass_on(conversation: Conversation, offer: LeaseEvent, answer: Mapping[str, Any]) -> None:
    """Keep the answer and wake the viewer's request that waits for it. The first answer stands."""
    LeaseEvent.objects.filter(id=offer.id, answer__isnull=True).update(answer=dict(answer))
    wakeups.notify(conversations.topic(conversation))
