"""The life of a conversation after it was granted: a viewer joins, it goes live, it ends. Opening
one is `opening.py`.
"""

import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from rendering.errors import JoinRefused
from rendering.models import Conversation, LiveState
from rendering.protocol import LEASE_LIFETIME_S, UNJOINED_LIFETIME_S
from rendering.states import CONVERSATION
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.jobs import wakeups
from trustcore.jobs.models import Job
from trustcore.jobs.services import leases
from trustcore.keys.services import mark_keys
from trustcore.primitives.errors import InvalidTransition
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.ids import mark_id_text, new_mark_id
from trustcore.primitives.states import next_state

# The stop that must be seen at once (the slot drops its keys) as against an end by agreement or by time.
REVOCATIONS = frozenset({
    "kill_switch", "replica_suspended", "stopped_by_officer", "key_destroyed", "approval_ended", "legal_hold",
})  # fmt: skip


def topic(conversation: Conversation) -> str:
    """Wakes the viewer's request that waits for an answer or an end."""
    return f"conversation:{conversation.public_id}"


def is_revocation(reason: str) -> bool:
    return reason in REVOCATIONS or reason.startswith(
        ("consent_", "identity_", "approval_", "policy_", "replica_", "subject_", "grant_")
    )


@dataclass(frozen=True)
class Joined:
    """The conversation a viewer may see, and the cookie that shows later requests to be the same
    viewer's (None: already set).
    """

    conversation: Conversation
    new_cookie: str | None


def join(*, conversation_id: str, token: str, cookie: str, now: datetime) -> Joined:
    """Let the first viewer in and ask for a slot; let the same viewer in again.

    The token works once. Whoever shows it first gets a cookie, and from then on only that cookie opens the
    conversation.

    Raises:
        JoinRefused: no such conversation, another viewer holds it, the token is wrong, or nobody came in time. One
            answer for all.
    """
    conversation = (
        Conversation.objects.select_related("organisation", "version__replica")
        .filter(public_id=conversation_id)
        .first()
    )
    refusal = JoinRefused("This link does not open a conversation. It works once, in one browser. Ask for a new one.")
    if conversation is None:
        raise refusal
    if is_viewer(conversation, cookie):
        return Joined(conversation, None)
    is_taken = conversation.viewer_cookie_sha256 or conversation.state != "waiting"
    if is_taken or not _fits(token, conversation.join_token_sha256):
        raise refusal
    new_cookie = secrets.token_urlsafe(32)
    viewer = Actor.viewer(sha256_hex(new_cookie.encode())[:16])
    with recording.recording(actor=viewer, action=Action.CONVERSATION_JOINED, obj=conversation) as event:
        locked = Conversation.objects.select_for_update().get(id=conversation.id)
        if locked.viewer_cookie_sha256:
            # Two browsers opened the link at once; the row lock decided.
            raise refusal
        conversation.state = next_state(CONVERSATION, locked.state, "join")
        conversation.viewer_cookie_sha256 = sha256_hex(new_cookie.encode())
        conversation.viewer_bound_at = now
        job = _ask_for_slot(conversation, now=now)
        conversation.lease_id = job.public_id
        conversation.save(update_fields=["state", "viewer_cookie_sha256", "viewer_bound_at", "lease_id"])
        event.add(lease=job.public_id)
    return Joined(conversation, new_cookie)


def _fits(secret: str, stored_sha256: str) -> bool:
    return bool(secret) and hmac.compare_digest(sha256_hex(secret.encode()), stored_sha256)


def is_viewer(conversation: Conversation, cookie: str) -> bool:
    """Whether this cookie is the one the first viewer got."""
    return bool(conversation.viewer_cookie_sha256) and _fits(cookie, conversation.viewer_cookie_sha256)


def _ask_for_slot(conversation: Conversation, *, now: datetime) -> Job:
    mark = {
        "slot_id": mark_id_text(new_mark_id()),
        "epoch": mark_keys.current(now).name,
        "first_index": secrets.randbelow(64),
    }
    LiveState.objects.get_or_create(conversation=conversation, defaults={"mark": mark})
    return leases.enqueue(
        kind="session", tenant=conversation.tenant, object_id=conversation.public_id,
        subject_public_id=conversation.subject_public_id,
        idempotency_key=f"session:{conversation.public_id}", lease_lifetime_s=LEASE_LIFETIME_S, is_repeatable=False,
        queue_until=now + timedelta(seconds=UNJOINED_LIFETIME_S), max_attempts=1,
    )


def go_live(*, conversation: Conversation, actor: Actor, now: datetime) -> None:
    """The slot answered an offer. A second answer (the page was loaded again) changes nothing."""
    if conversation.state != "joining":
        return
    with (
        suppress(InvalidTransition),
        recording.recording(actor=actor, action=Action.CONVERSATION_STARTED, obj=conversation) as event,
    ):
        locked = Conversation.objects.select_for_update().get(id=conversation.id)
        conversation.state = next_state(CONVERSATION, locked.state, "go_live")
        conversation.live_at = now
        conversation.save(update_fields=["state", "live_at"])
        event.add(lease=conversation.lease_id)


def end(*, conversation: Conversation, actor: Actor, reason: str, now: datetime) -> bool:
    """End a conversation and tell its slot. False when it was over before: the first reason stands."""
    if conversation.state == "ended":
        return False
    action = Action.CONVERSATION_KILLED if is_revocation(reason) else Action.CONVERSATION_ENDED
    try:
        with recording.recording(actor=actor, action=action, obj=conversation, reason=reason) as event:
            locked = Conversation.objects.select_for_update().get(id=conversation.id)
            conversation.state = next_state(CONVERSATION, locked.state, "end")
            conversation.end_reason, conversation.ended_at = reason, now
            conversation.save(update_fields=["state", "end_reason", "ended_at"])
            event.add(lease=conversation.lease_id, counters=_counters(conversation))
            LiveState.objects.filter(conversation=conversation).update(captions=[])  # words end with it
            _stop_slot(conversation, reason, now=now)
    except InvalidTransition:
        # Somebody else ended it between our read and our lock; nothing of ours was written.
        conversation.refresh_from_db()
        return False
    return True


def _stop_slot(conversation: Conversation, reason: str, *, now: datetime) -> None:
    wakeups.notify(topic(conversation))
    job = Job.objects.filter(public_id=conversation.lease_id).first() if conversation.lease_id else None
    if job is None:
        return
    leases.ask_to_stop(job, kind="revoke" if is_revocation(reason) else "end", reason=reason)
    if job.state == "queued":
        leases.finish(job, action="cancel", reason=reason, now=now)


def _counters(conversation: Conversation) -> dict[str, int]:
    state = LiveState.objects.filter(conversation=conversation).first()
    return dict(state.counters) if state else {}
