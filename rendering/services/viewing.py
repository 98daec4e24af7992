"""What a viewer sends to the slot, and what the page may know of the session's state."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from rendering.errors import ConversationOver, MessagesTooFast
from rendering.models import Conversation, LiveState
from rendering.protocol import MAX_SDP_CHARS
from trustcore.jobs.models import Job, LeaseEvent
from trustcore.jobs.services import leases
from trustcore.primitives.grants import EMOTIONS
from trustcore.web.errors import RequestInvalid

MAX_TEXT_CHARS = 1000
DEFAULT_MILLI = 600
PATIENCE = timedelta(seconds=10)
MAX_WORDS_IN_PATIENCE = 30  # offers and messages of one viewer


def put_offer(conversation: Conversation, body: Mapping[str, Any], *, now: datetime) -> int:
    """Pass a viewer's offer to the slot. Returns the event's row id. Whether the session may still go on is asked when
    the manifest is signed, before anything is answered.

    Raises:
        RequestInvalid: sdp or viewer_nonce is missing or too long.
        MessagesTooFast: too many in a few seconds.
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
    job = _job(conversation)
    _demand_patience(job, now=now)
    return leases.say(job, kind="offer", body={
        "offer_id": secrets.token_hex(8), "sdp": sdp, "viewer_nonce": nonce,
        "ice_servers": list(getattr(settings, "ICE_SERVERS", ()))})


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
    job = _job(conversation)
    _demand_patience(job, now=now)
    leases.say(job, kind=kind, body={
        "message_id": secrets.token_hex(8), "text": text, "emotion": emotion, "milli": milli if emotion else None})


def put_interruption(conversation: Conversation, *, now: datetime) -> None:
    """Tell the slot to stop speaking and to forget what was about to be said.

    Raises:
        ConversationOver, MessagesTooFast
    """
    job = _job(conversation)
    _demand_patience(job, now=now)
    leases.say(job, kind="interrupt", body={})


def _demand_patience(job: Job, *, now: datetime) -> None:
    """Raises MessagesTooFast: each word is a row, and a lowered emotion an entry of the log."""
    if LeaseEvent.objects.filter(job=job, created_at__gt=now - PATIENCE).count() >= MAX_WORDS_IN_PATIENCE:
        raise MessagesTooFast("That was too much at once. Wait a few seconds and go on.")


def _job(conversation: Conversation) -> Job:
    job = Job.objects.filter(public_id=conversation.lease_id, state__in=("queued", "leased")).first()
    if conversation.state == "ended" or job is None:
        raise ConversationOver("This conversation is over.", reason=conversation.end_reason)
    return job


def state_of(conversation: Conversation) -> dict[str, Any]:
    """{"status": active or ended, "state", "reason", "slot_state": waiting, loading, ready, live or ending}."""
    live = LiveState.objects.filter(conversation=conversation).first()
    return {
        "status": "ended" if conversation.state == "ended" else "active", "state": conversation.state,
        "reason": conversation.end_reason,
        "slot_state": (live.worker_state if live else "") or "waiting",
    }
