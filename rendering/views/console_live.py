"""The live wall, one session, the kill switch, and recordings."""

from datetime import datetime
from typing import Any

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_POST

from rendering import selectors
from rendering.models import Conversation, LiveState, Recording
from rendering.services import recordings, stops
from trustcore.accounts.permissions import Permission, requires
from trustcore.audit import recording as audit
from trustcore.audit.actions import Action
from trustcore.audit.models import Event
from trustcore.jobs.models import Slot
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import NotFound, RequestInvalid

NEWS_LATE_S = 6.0
SLOT_GONE_S = 60.0
TOLD_WORDS: dict[str, tuple[Any, str]] = {
    "rendered": (_lazy("Frames drawn"), ""), "sent": (_lazy("Frames sent"), ""),
    "dropped": (_lazy("Frames dropped before sending"), ""),
    "unsealed_sent": (_lazy("Sent without signature or mark"), ""), "clamped": (_lazy("Emotions lowered"), ""),
    "frame_ms_p50": (_lazy("A frame, half are faster than"), "ms"),
    "frame_ms_p95": (_lazy("A frame, 95 of 100 are faster than"), "ms"),
    "claim_to_ready_ms": (_lazy("Place taken to replica loaded"), "ms"),
    "offer_to_answer_ms": (_lazy("Offer to answer"), "ms"),
    "offer_to_connected_ms": (_lazy("Offer to line open"), "ms"),
    "offer_to_first_frame_ms": (_lazy("Offer to first frame sent"), "ms"),
    "rejoin_to_first_frame_ms": (_lazy("Coming back to first frame sent"), "ms"),
    "message_to_sound_ms": (_lazy("Message to first sound sent"), "ms"),
}  # fmt: skip
END_WORDS: dict[str, Any] = {
    "viewer_left": _lazy("the viewer left"), "consent_withdrawn": _lazy("consent was withdrawn"),
    "kill_switch": _lazy("kill switch"),
    "stopped_by_officer": _lazy("stopped by an officer"), "max_call_duration": _lazy("its time was over"),
    "not_joined": _lazy("nobody came"), "not_connected": _lazy("no line could be made"),
    "not_rejoined": _lazy("the viewer did not come back"),
    "unsealed_frame": _lazy("a frame was not sealed"), "lease_expired": _lazy("the worker was lost"),
    "approval_ended": _lazy("its approval ended"),
    "legal_hold": _lazy("legal hold"), "replica_suspended": _lazy("replica suspended"),
    "replica_invalid": _lazy("the replica cannot be drawn: train it again"),
}  # fmt: skip


@requires(Permission.CONVERSATION_VIEW)
@require_GET
def wall(request: Any) -> HttpResponse:
    context = _wall(request)
    if request.headers.get("X-Wall-Part") == "tiles":
        return render(request, "rendering/_live_tiles.html", context)
    return render(request, "rendering/live_wall.html", context)


def _wall(request: Any) -> dict[str, Any]:
    now = utc_now()
    rows = [_tile(one, now) for one in selectors.live_conversations(request.organisation)]
    rows.sort(key=lambda tile: (not tile["needs_look"], tile["conversation"].created_at))
    alarms = [_tile(one, now) for one in selectors.unsealed_lately(request.organisation, now=now)]
    states = [tile["state"] for tile in [*alarms, *rows] if tile["state"]]
    slots = Slot.objects.filter(
        worker__is_active=True, seen_at__gt=datetime.fromtimestamp(now.timestamp() - SLOT_GONE_S, tz=now.tzinfo)
    )
    return {
        "tiles": rows, "needs_look": [*alarms, *(tile for tile in rows if tile["needs_look"])], "now": now,
        "unsealed": sum(state.counters.get("unsealed_sent", 0) for state in states),
        "free": slots.exclude(jobs__state="leased").count(), "places": slots.count(),
        "renewed": sum(1 for tile in rows if not tile["is_late"]),
        "switch": selectors.kill_switch_in_force(request.organisation.id),
    }


def _tile(conversation: Conversation, now: datetime) -> dict[str, Any]:
    state = LiveState.objects.filter(conversation=conversation).first()
    age_s = (now - state.seen_at).total_seconds() if state else 0.0
    counters = state.counters if state else {}
    is_late, unsealed = age_s > NEWS_LATE_S, counters.get("unsealed_sent", 0)
    if unsealed:
        verdict, words = "fail", _("%(n)s sent unsigned") % {"n": unsealed}
    elif is_late:
        verdict, words = "warn", _("no news for %(s)s s") % {"s": round(age_s)}
    elif conversation.state == "joining":
        verdict, words = "waiting", _("connecting")
    elif state is not None and state.worker_state == "away":
        verdict, words = "waiting", _("the viewer's line is gone")
    elif state is not None and state.worker_state == "reading":
        verdict, words = "waiting", _("no line; the viewer reads")
    else:
        verdict, words = "pass", _("all signed")
    sound = (state.marks_ms if state else {}).get("message_to_sound_ms")
    return {
        "conversation": conversation, "state": state, "person": selectors.person_name(conversation.version.replica),
        "verdict": verdict,
        "words": words, "is_late": is_late, "needs_look": bool(unsealed or is_late), "counters": counters,
        "first_sound_ms": round(sound) if sound is not None else None, "body": conversation.grant["body"],
    }


@requires(Permission.CONVERSATION_VIEW)
@require_GET
def session(request: Any, conversation_id: str) -> HttpResponse:
    conversation = selectors.conversation(request.organisation, conversation_id)
    events = Event.objects.filter(object_type="conversation", object_id=conversation_id).order_by("-at")[:60]
    tile = _tile(conversation, utc_now())
    return render(
        request,
        "rendering/live_session.html",
        {
            "conversation": conversation,
            "tile": tile,
            "body": conversation.grant["body"],
            "recording": Recording.objects.filter(conversation=conversation).first(),
            "events": events,
            "told": _told(tile),
            "end_words": END_WORDS.get(conversation.end_reason, conversation.end_reason.replace("_", " ")),
        },
    )


def _told(tile: dict[str, Any]) -> list[tuple[str, str]]:
    """What the worker counted and measured, in words and units; what nobody has named yet keeps its own name."""
    marks = tile["state"].marks_ms if tile["state"] else {}
    found = {**tile["counters"], **marks}
    named = [
        (str(words), f"{round(found[key])} {unit}".strip()) for key, (words, unit) in TOLD_WORDS.items() if key in found
    ]
    return named + [(key, str(value)) for key, value in sorted(found.items()) if key not in TOLD_WORDS]


@requires(Permission.CONVERSATION_END)
@require_POST
def stop(request: Any, conversation_id: str) -> HttpResponse:
    conversation = selectors.conversation(request.organisation, conversation_id)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise RequestInvalid("Write a reason first. The session goes on.", fields={"reason": ["is missing"]})
    stops.stop_session(actor=request.actor, conversation=conversation, reason=reason, now=utc_now())
    return redirect("rendering_session", conversation_id=conversation_id)


@requires(GET=Permission.STREAM_KILL, POST=Permission.STREAM_KILL)
def kill(request: Any) -> HttpResponse:
    """Names every session, asks for the passkey again, then ends them all."""
    switch, live = (
        selectors.kill_switch_in_force(request.organisation.id),
        selectors.live_conversations(request.organisation),
    )
    if request.method == "POST":
        if is_reauthentication_required(request, app="allauth.mfa"):
            return redirect(f"/accounts/reauthenticate/?{urlencode({'next': '/console/kill/'})}")
        reason = request.POST.get("reason", "").strip()
        if not reason:
            raise RequestInvalid("Write a reason first. Nothing was stopped.", fields={"reason": ["is missing"]})
        _switch, ended = stops.pull_kill_switch(
            actor=request.actor, user=request.user, organisation=request.organisation, reason=reason, now=utc_now())
        messages.success(request, _("Stopped. %(n)s sessions ended.") % {"n": ended})
        return redirect("rendering_kill")
    return render(
        request, "rendering/kill_switch.html", {"switch": switch, "live": [_tile(one, utc_now()) for one in live]}
    )


@requires(Permission.STREAM_KILL)
@require_POST
def lift(request: Any) -> HttpResponse:
    switch = selectors.kill_switch_in_force(request.organisation.id)
    if switch is None:
        raise NotFound("Nothing is stopped.")
    is_lifted = stops.lift_kill_switch(actor=request.actor, user=request.user, switch=switch, now=utc_now())
    messages.success(
        request, _("Lifted. New sessions can begin.") if is_lifted else _("Asked. A second officer must lift it.")
    )
    return redirect("rendering_kill")


@requires(Permission.RECORDING_VIEW)
@require_GET
def recording_file(request: Any, conversation_id: str, part: str) -> HttpResponse:
    """The signed copy or the very fragments, decrypted for somebody who may see them. Seeing a
    recording is an event.
    """
    row = _recording_of(request, conversation_id)
    with audit.recording(actor=request.actor, action=Action.RECORDING_VIEWED, obj=row) as event:
        event.add(part=part)
        data = (
            recordings.open_signed(row, actor=request.actor)
            if part == "signed"
            else recordings.open_fragments(row, actor=request.actor)
        )
    name = f"{conversation_id}.mp4" if part == "signed" else f"{conversation_id}.fragments.mp4"
    return HttpResponse(
        data, content_type="video/mp4", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@requires(Permission.CONVERSATION_VIEW)
@require_GET
def session_state(request: Any, conversation_id: str) -> HttpResponse:
    conversation = selectors.conversation(request.organisation, conversation_id)
    tile = _tile(conversation, utc_now())
    return JsonResponse(
        {
            "state": conversation.state,
            "reason": conversation.end_reason,
            "verdict": tile["verdict"],
            "words": str(tile["words"]),
            "counters": tile["counters"],
            "marks_ms": tile["state"].marks_ms if tile["state"] else {},
        }
    )


@requires(Permission.RECORDING_VIEW)
@require_GET
def still_file(request: Any, conversation_id: str) -> HttpResponse:
    """One picture of the recording as a signed JPEG, `?at_s=` after its beginning. Taking one is an event."""
    row = _recording_of(request, conversation_id)
    told = request.GET.get("at_s", "0")
    if not (told.isascii() and told.isdigit() and len(told) <= 6):
        raise RequestInvalid("Say how many whole seconds after the beginning.", fields={"at_s": ["is no number"]})
    picture = recordings.signed_still(row, 1000 * int(told), actor=request.actor)
    name = f"{conversation_id}-{int(told)}s.jpg"
    return HttpResponse(
        picture, content_type="image/jpeg", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _recording_of(request: Any, conversation_id: str) -> Recording:
    """The recording of a session of this organisation. Raises NotFound, also for another organisation's."""
    row: Recording | None = (
        Recording.objects.filter(
            conversation__organisation=request.organisation, conversation__public_id=conversation_id
        )
        .select_related("conversation__organisation")
        .first()
    )
    if row is None:
        raise NotFound("There is no recording of this session.")
    return row
