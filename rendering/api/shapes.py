"""Rows as the /v2/ API shows them, each name in both Tavus spellings."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from rendering import selectors
from rendering.models import Conversation, Persona, Replica
from rendering.services import opening, perceiving
from trustcore.policy import perception
from trustcore.primitives.clock import to_rfc3339

TAVUS_STATUS = {"training": "training", "failed": "error", "retired": "error"}


def conversation(row: Conversation, *, has_token: bool = False) -> dict[str, Any]:
    token = f"?t={opening.join_token(row.public_id)}" if has_token else ""
    replica_id, persona_id = row.version.replica.public_id, row.persona.public_id if row.persona else None
    body = row.grant["body"]
    return {
        "conversation_id": row.public_id, "conversation_name": row.conversation_name,
        "conversation_url": f"{settings.BASE_URL}/c/{row.public_id}/{token}",
        "status": "ended" if row.state == "ended" else "active",
        "callback_url": row.callback_url, "created_at": to_rfc3339(row.created_at),
        "updated_at": to_rfc3339(row.ended_at or row.live_at or row.created_at),
        "replica_id": replica_id, "face_id": replica_id, "persona_id": persona_id, "pal_id": persona_id,
        "state": row.state, "end_reason": row.end_reason, "emotion": row.emotion, "emotion_milli": row.emotion_milli,
        "purpose": body["purpose"], "audience": body["audience"], "country": body["country"],
        "language": body["language"],
        "context_of_use": body["context_of_use"], "perception": body.get("perception", "off"),
        "emotion_shown": emotion_shown(row),
        "decision_id": row.decision_id, "grant_sha256": row.grant_sha256,
        "not_after": body["not_after"],
    }


def emotion_shown(row: Conversation) -> dict[str, Any] | None:
    """What the face shows now, or None before it showed anything and after the end."""
    state = getattr(row, "live_state", None)
    return dict(state.emotions[-1]) if state and state.emotions and row.state != "ended" else None


def conversation_events(row: Conversation) -> list[dict[str, Any]]:
    """What `?verbose=true` adds: the webhook events of this conversation so far."""
    envelope = {"conversation_id": row.public_id, "webhook_url": row.callback_url, "message_type": "system"}
    events = []
    if row.live_at:
        for kind in ("system.replica_joined", "system.pal_joined"):
            events.append(
                {
                    **envelope,
                    "event_type": kind,
                    "timestamp": to_rfc3339(row.live_at),
                    "properties": {
                        "replica_id": row.version.replica.public_id,
                        "face_id": row.version.replica.public_id,
                    },
                }
            )
    ruling = perceiving.ruling_of(row)
    if ruling.is_refused:
        events.append({**envelope, "message_type": "application", "event_type": "application.perception_unavailable",
                       "timestamp": to_rfc3339(row.created_at), "properties": {
                           "reason": ruling.reason, "rule": perception.REASONS[ruling.reason]}})
    state = getattr(row, "live_state", None)
    for shown in state.emotions if state and row.live_at else ():
        at = row.live_at + timedelta(seconds=shown["media_time_s"])
        events.append({**envelope, "message_type": "trustcore", "event_type": "trustcore.emotion",
                       "timestamp": to_rfc3339(at), "properties": shown})
    if row.ended_at:
        events.append({**envelope, "event_type": "system.shutdown", "timestamp": to_rfc3339(row.ended_at),
                       "properties": {"shutdown_reason": row.end_reason}})
    return events


def replica(row: Replica, *, now: datetime) -> dict[str, Any]:
    newest = row.versions.select_related("replica__organisation", "footage", "author").order_by("-number").first()
    standing = selectors.standing(newest, now=now) if newest else None
    speaking = selectors.speaking_version(row, now=now)
    state = newest.state if newest else "training"
    return {
        "replica_id": row.public_id, "face_id": row.public_id, "replica_name": row.name, "face_name": row.name,
        "status": "ready" if speaking else TAVUS_STATUS.get(state, "training"), "training_progress": _progress(newest),
        "replica_type": "user", "created_at": to_rfc3339(row.created_at),
        "error_message": newest.failure if newest else "",
        "version": speaking.number if speaking else None, "may_speak": speaking is not None,
        "quality": (newest.report.get("quality") or {}).get("held_out") if newest else None,
        "standing": standing.word if standing else "untrained",
        "standing_sentence": standing.sentence if standing else "Nothing is trained yet.",
    }


def _progress(version: Any) -> str:
    if version is None:
        return "0/100"
    if version.state == "trained":
        return "100/100"
    step = version.steps.order_by("-id").first()
    return f"{round(100 * selectors.share_done(step)) if step else 0}/100"


def persona(row: Persona) -> dict[str, Any]:
    """Flat fields and `data` together: Tavus documents one and its clients read the other."""
    flat = {
        "persona_id": row.public_id, "pal_id": row.public_id, "persona_name": row.persona_name,
        "pal_name": row.persona_name,
        "system_prompt": row.system_prompt, "context": row.context, "pipeline_mode": row.pipeline_mode,
        "default_replica_id": row.default_replica_id, "default_face_id": row.default_replica_id, "layers": row.layers,
        "default_use": row.default_use, "created_at": to_rfc3339(row.created_at),
    }
    return {**flat, "data": [flat]}
