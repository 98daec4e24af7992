"""What is said, for who reads it over plain HTTP: a viewer without a line, and the app that opened the conversation.

The slot tells nothing of it while nobody reads. What it tells is kept beside the session's live state, the newest only,
and is gone when the conversation ends: it is in no event and in no export.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from provenance.manifests.label import TEXTS
from rendering import protocol
from rendering.models import Conversation, LiveState
from trustcore.jobs import wakeups
from trustcore.jobs.models import Job
from trustcore.web.errors import RequestInvalid

Reader = Literal["viewer", "app"]
READS_FOR = timedelta(seconds=8)  # after the last sign of a reader; an open stream gives one every few seconds
MAX_CAPTIONS_A_CALL = 100
MAX_CAPTION_BYTES = 8 * 1024
MAX_CAPTIONS_KEPT = 100
MAX_SEQUENCE = 2**31


@dataclass(frozen=True)
class News:
    """What a reader has not had yet, and why it is over, or ""."""

    captions: tuple[protocol.Caption, ...]
    ended: str


def topic(conversation_id: str) -> str:
    """Wakes the streams of one conversation when there are words."""
    return f"captions:{conversation_id}"


def opening(conversation: Conversation) -> dict[str, Any]:
    """What a stream begins with: who speaks, that it is an AI, what is in force. The words after it are not signed."""
    grant = conversation.grant["body"]
    short = str(grant["language"]).split("-")[0].lower()
    return {
        "conversation_id": conversation.public_id, "language": grant["language"],
        "ai_label": TEXTS.get(short, TEXTS["en"]), "disclosure": grant["disclosure"],
        "replica_id": grant["replica_id"], "replica_version": grant["replica_version"],
        "consent_receipt_sha256": grant["consent_receipt_sha256"], "grant_sha256": conversation.grant_sha256,
        "is_signed": False,
    }


def note_reader(conversation: Conversation, reader: Reader, *, now: datetime) -> None:
    """Somebody reads, or still does. The slot learns it with its next renewal."""
    field = "viewer_reads_at" if reader == "viewer" else "app_reads_at"
    LiveState.objects.filter(conversation=conversation).update(**{field: now})


def reader_of(job: Job, *, now: datetime) -> str:
    """Who reads now: "viewer" (who goes on without a line), "app", or ""."""
    times = LiveState.objects.filter(conversation__public_id=job.object_id).values_list(
        "viewer_reads_at", "app_reads_at").first() or (None, None)
    for reader, at in zip(protocol.READERS[1:], times, strict=True):
        if at is not None and now - at < READS_FOR:
            return reader
    return ""


def note(job: Job, captions: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the slot tells of what is said, the newest when there is too much. Told twice, it is kept once."""
    if len(captions) > MAX_CAPTIONS_A_CALL:
        raise RequestInvalid(f"Send at most {MAX_CAPTIONS_A_CALL} captions at a time.")
    told = [_checked(caption, job.object_id) for caption in captions]
    # A conversation that is over has forgotten its words, and learns no new ones.
    mine = LiveState.objects.filter(conversation__public_id=job.object_id).exclude(conversation__state="ended")
    kept = mine.values_list("captions", flat=True).first()
    if kept is None:
        return
    newest = kept[-1]["seq"] if kept else 0
    fresh = [protocol.to_json(one) for one in told if one.seq > newest]
    if fresh:
        mine.update(captions=[*kept, *fresh][-MAX_CAPTIONS_KEPT:])
        wakeups.notify(topic(job.object_id))


def _checked(unverified: Mapping[str, Any], conversation_id: str) -> protocol.Caption:
    seq, text = unverified.get("seq"), unverified.get("event")
    if type(seq) is not int or not 0 < seq < MAX_SEQUENCE or not isinstance(text, str):
        raise RequestInvalid("A caption has seq, a number from 1 on, and event, a text.")
    if len(text.encode()) > MAX_CAPTION_BYTES or "\n" in text or "\r" in text:
        raise RequestInvalid(f"A caption's event is one line of at most {MAX_CAPTION_BYTES} bytes.")
    try:
        event = json.loads(text)
        is_known = event["event_type"] in protocol.CAPTION_EVENTS
        is_mine = event["conversation_id"] == conversation_id and isinstance(event["properties"], dict)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RequestInvalid("A caption's event is an event of the conversation, as JSON.") from error
    if not is_known or not is_mine:
        raise RequestInvalid("A caption's event is one of what is said in this conversation.")
    return protocol.Caption(seq, text)


def news(conversation_row_id: int, after: int, reader: Reader) -> News:
    """What was said after event number `after`. An app is told what the replica says, and not what the viewer does."""
    row = LiveState.objects.filter(conversation_id=conversation_row_id).values_list(
        "captions", "conversation__state", "conversation__end_reason").first()
    kept, state, reason = row or ([], *Conversation.objects.filter(id=conversation_row_id).values_list(
        "state", "end_reason").get())
    found = tuple(protocol.Caption(**one) for one in kept if one["seq"] > after)
    if reader == "app":
        found = tuple(one for one in found if json.loads(one.event)["properties"].get("role") != "user")
    return News(found, (reason or "ended") if state == "ended" else "")
