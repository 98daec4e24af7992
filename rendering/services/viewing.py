"""What a viewer sends to the slot, and what the page may know of the session's state."""

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from rendering.errors import ConversationOver, MessagesTooFast, RejoinRefused
from rendering.models import Conversation, LiveState
from rendering.protocol import MAX_SDP_CHARS
from rendering.services import turn
from trustcore.accounts.services.strangers import strangers
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs.models import Job, LeaseEvent
from trustcore.jobs.services import leases
from trustcore.policy.clamp import DEFAULT_MILLI
from trustcore.primitives.errors import Refusal
from trustcore.primitives.grants import EMOTIONS
from trustcore.web.errors import RequestInvalid

MAX_TEXT_CHARS = 1000
MAX_CALL_ID_CHARS = 120
MAX_RESULT_CHARS = 8000
PATIENCE = timedelta(seconds=10)
MAX_WORDS_IN_PATIENCE = 30  # offers and messages of one viewer
MAX_REJOINS = 20  # of one conversation; each has a manifest signed
REJOIN_EVERY = timedelta(seconds=1)


def actor_of(conversation: Conversation) -> Actor:
    """The viewer, as the log names them."""
    return Actor.viewer(conversation.viewer_cookie_sha256[:16])


def put_offer(conversation: Conversation, body: Mapping[str, Any], *, now: datetime) -> int:
    """Pass a viewer's offer to the slot. Returns the event's row id. Whether the session may still go on is asked when
    the manifest is signed, before anything is answered.

    The first offer joins. Each later one comes from the same viewer's page after a reload or a lost line, or from
    another tab of theirs: the slot then makes a new connection, and the one before is over.

    Raises:
        RequestInvalid: sdp or viewer_nonce is missing or too long.
        MessagesTooFast: too many in a few seconds.
        RejoinRefused: too many in this conversation, or a nonce that it has seen.
        ConversationOver: it has ended.
    """
    sdp, nonce = body.get("sdp"), body.get("viewer_nonce")
    if (
        not isinstance(sdp, str)
        or not 0 < len(sdp) <= MAX_SDP_CHARS
        or not isinstance(nonce, str)
        or not 16 <= len(nonce) <= 64
    ):
        raise RequestInvalid("An offer needs sdp and a viewer_nonce of 16 to 64 characters.")
    job = job_of(conversation)
    demand_patience(job, now=now)
    offer = {
        "offer_id": secrets.token_hex(8), "sdp": sdp, "viewer_nonce": nonce,
        "ice_servers": turn.ice_servers(conversation.public_id, now=now)}
    if _offers(job).exists():
        return _rejoin(conversation, job, offer, now=now)
    # Of two first offers at once the second looks again, and is no first one.
    first = leases.say_next(job, kind="offer", body=offer)
    return put_offer(conversation, body, now=now) if first is None else first


def _rejoin(conversation: Conversation, job: Job, offer: Mapping[str, Any], *, now: datetime) -> int:
    actor, about = actor_of(conversation), reference_to(conversation)
    try:
        with recording.recording(actor=actor, action=Action.CONVERSATION_REJOINED, obj=about) as event:
            Job.objects.select_for_update().get(id=job.id)  # of two tabs at once, the second counts the first
            before = list(_offers(job).values_list("body__viewer_nonce", "created_at"))
            demand_rejoin(offer["viewer_nonce"], before, now=now)
            event.add(lease=job.public_id, connection=len(before) + 1)
            return leases.say(job, kind="offer", body=offer)
    except (RejoinRefused, MessagesTooFast) as refusal:
        note_refused(conversation, refusal)
        raise


def note_refused(conversation: Conversation, refusal: Refusal) -> None:
    """On the record that a try to connect again was refused; once a minute, for anybody can try without end."""
    strangers.refused(action=Action.REJOIN_REFUSED, obj=reference_to(conversation), reason=refusal.code)


def demand_rejoin(nonce: str, before: Iterable[tuple[str, datetime]], *, now: datetime) -> None:
    """May a viewer connect again? PURE.

    Args:
        before: viewer nonce and time of each offer of this conversation so far, at least one.

    Raises:
        RejoinRefused: there were too many, or this nonce was used: a manifest is fresh by its nonce alone.
        MessagesTooFast: the last one was a moment ago.
    """
    nonces, times = zip(*before, strict=True)
    if len(nonces) > MAX_REJOINS:
        raise RejoinRefused("You have connected to this conversation too often. Ask for a new link.")
    if nonce in nonces:
        raise RejoinRefused("This offer was made before. Load the page again.")
    if now - max(times) < REJOIN_EVERY:
        raise MessagesTooFast("That was too soon after the last try. Wait a second and go on.")


def _offers(job: Job) -> QuerySet[LeaseEvent]:
    return LeaseEvent.objects.filter(job=job, kind="offer").order_by("number")


def answer_to(conversation_row_id: int, event_id: int) -> dict[str, Any] | None:
    """The slot's answer, {"ended": reason} when there will be none, or None when it is not there yet."""
    event = LeaseEvent.objects.filter(id=event_id).first()
    if event is not None and event.answer is not None:
        return dict(event.answer)
    conversation = Conversation.objects.get(id=conversation_row_id)
    return {"ended": conversation.end_reason} if conversation.state == "ended" else None


def put_message(conversation: Conversation, body: Mapping[str, Any], *, now: datetime) -> None:
    """Pass what the viewer typed, and the emotion asked for with it, to the slot.

    Raises:
        RequestInvalid, ConversationOver, MessagesTooFast
    """
    text, emotion, milli = body.get("text", ""), body.get("emotion"), body.get("milli", DEFAULT_MILLI)
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARS or (not text.strip() and emotion is None):
        raise RequestInvalid(f"A message has 1 to {MAX_TEXT_CHARS} characters.")
    if emotion is not None and emotion not in EMOTIONS:
        raise RequestInvalid(f"An emotion is one of {', '.join(EMOTIONS)}.")
    if isinstance(milli, bool) or not isinstance(milli, int) or not 0 <= milli <= 1000:
        raise RequestInvalid("milli is a whole number from 0 to 1000.")
    kind = "message" if text.strip() else "emotion"
    job = job_of(conversation)
    demand_patience(job, now=now)
    leases.say(job, kind=kind, body={
        "message_id": secrets.token_hex(8), "text": text, "emotion": emotion, "milli": milli if emotion else None})


def put_interruption(conversation: Conversation, *, now: datetime) -> None:
    """Tell the slot to stop speaking and to forget what was about to be said.

    Raises:
        ConversationOver, MessagesTooFast
    """
    job = job_of(conversation)
    demand_patience(job, now=now)
    leases.say(job, kind="interrupt", body={})


def put_tool_result(conversation: Conversation, body: Mapping[str, Any], *, now: datetime) -> None:
    """Pass to the slot what the app answers to a tool call. Only the app may: a viewer could put words into the
    replica's mouth that it then says as its own.

    Raises:
        RequestInvalid, ConversationOver, MessagesTooFast
    """
    call_id, result = body.get("tool_call_id"), body.get("result")
    content = result if isinstance(result, str) else json.dumps(result)
    if not isinstance(call_id, str) or not 1 <= len(call_id) <= MAX_CALL_ID_CHARS:
        raise RequestInvalid("Name the call in properties.tool_call_id, as conversation.tool_call told it.")
    if result is None or len(content) > MAX_RESULT_CHARS:
        raise RequestInvalid(f"properties.result is text or JSON of at most {MAX_RESULT_CHARS} characters.")
    job = job_of(conversation)
    demand_patience(job, now=now)
    leases.say(job, kind="tool_result", body={"tool_call_id": call_id, "result": content})


def demand_patience(job: Job, *, now: datetime) -> None:
    """A viewer may say so much at once: each word is a row, and a lowered emotion an entry of the log.

    Raises:
        MessagesTooFast
    """
    if LeaseEvent.objects.filter(job=job, created_at__gt=now - PATIENCE).count() >= MAX_WORDS_IN_PATIENCE:
        raise MessagesTooFast("That was too much at once. Wait a few seconds and go on.")


def job_of(conversation: Conversation) -> Job:
    """The session's job. Raises ConversationOver when it has ended."""
    job = Job.objects.filter(public_id=conversation.lease_id, state__in=("queued", "leased")).first()
    if conversation.state == "ended" or job is None:
        raise ConversationOver("This conversation is over.", reason=conversation.end_reason)
    return job


def state_of(conversation: Conversation) -> dict[str, Any]:
    """{"status": active or ended, "state", "reason", "slot_state": waiting, loading, ready, live, away or ending,
    "viewer_nonce": of the newest offer}. By the last one a page learns that another tab went on in its place.
    """
    live = LiveState.objects.filter(conversation=conversation).first()
    newest = LeaseEvent.objects.filter(job__public_id=conversation.lease_id, kind="offer").order_by("number").last()
    return {
        "status": "ended" if conversation.state == "ended" else "active", "state": conversation.state,
        "reason": conversation.end_reason,
        "slot_state": (live.worker_state if live else "") or "waiting",
        "viewer_nonce": newest.body.get("viewer_nonce", "") if newest else "",
    }
