"""A live session as control sees it: what the slot is told, what it reports, and when it must stop."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, get_args

from django.db.models import F

from consent import selectors as consents
from provenance.services import session_manifests
from rendering import protocol, selectors
from rendering.models import Conversation, LiveState
from rendering.services import conversations, persona_layers, turn
from rendering.services.release_terms import ReleaseTerms
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs.errors import LeaseLost
from trustcore.jobs.models import Job
from trustcore.jobs.services import leases
from trustcore.keys.services import holds, mark_keys
from trustcore.policy.clamp import MAX_MILLI
from trustcore.primitives.clock import from_rfc3339
from trustcore.primitives.errors import Refusal
from trustcore.primitives.grants import EMOTIONS
from trustcore.primitives.signing import b64
from trustcore.web.errors import RequestInvalid

MODEL_FILES = ("model.safetensors", "manifest.json")
MAX_SEGMENTS_A_CALL = 120
MAX_CLAMPS_A_CALL = 200
MAX_EMOTIONS_A_CALL = 200
MAX_EMOTIONS_KEPT = 200
MAX_RUNGS_A_CALL = 120
MAX_TROUBLES_A_CALL = 100
MAX_FRAMES_A_SECOND = 240
MAX_SEQUENCE = 2**31
MAX_TARGET_BPS = 100_000_000
MAX_MEDIA_TIME_S = 7 * 24 * 3600.0  # no session is so long; a time is shown as a date, and those end
MAX_SEGMENT_TEXT_CHARS = 200
UNSEALED_REASON = "unsealed_frame"


def conversation_of(job: Job) -> Conversation:
    return Conversation.objects.select_related("organisation", "version__replica", "persona").get(
        public_id=job.object_id
    )


def make_lease(job: Job, lease_id: str, *, now: datetime) -> protocol.Lease | None:
    """What the slot gets with its lease. None when the session may no longer begin; it is ended then."""
    conversation = conversation_of(job)
    if reason := end_if_not_allowed(job, now=now):
        leases.finish(job, action="cancel", reason=reason, now=now)
        return None
    files = {a.name: a.blob_public_id for a in conversation.version.artefacts.filter(name__in=MODEL_FILES)}
    return protocol.Lease(
        lease_id=lease_id, kind="session", epoch=job.epoch, nonce=job.nonce, grant=conversation.grant, job=None,
        blobs=files,
        facts=_facts_for_slot(conversation, now=now),
    )


def max_rung(properties: Mapping[str, Any]) -> str:
    """The best rung that the app allows, or "" for all of them. Sound only is the lower of the two wishes. PURE."""
    wanted = [str(properties.get("max_rung") or ""), "audio" if properties.get("audio_only") else ""]
    return max((name for name in wanted if name), key=protocol.RUNG_NAMES.index, default="")


def _facts_for_slot(conversation: Conversation, *, now: datetime) -> dict[str, Any]:
    persona = conversation.persona
    context = "\n".join(
        text for text in (persona.context if persona else "", conversation.conversational_context) if text
    )
    return {
        "conversation_id": conversation.public_id,
        "person_name": selectors.person_name(conversation.version.replica),
        "persona": {
            "name": persona.persona_name if persona else "",
            "system_prompt": persona.system_prompt if persona else "",
            "context": context,
            "documents": [],
            "greeting": conversation.custom_greeting,
            "conversational_flow": (persona.layers.get("conversational_flow") or {}) if persona else {},
            **persona_layers.for_slot(persona.layers if persona else {}),
        },
        "organisation": conversation.organisation.name,
        "disclosure": conversation.grant["body"]["disclosure"],
        "language": conversation.grant["body"]["language"],
        "emotion": {"name": conversation.emotion, "milli": conversation.emotion_milli}
        if conversation.emotion != "neutral"
        else None,
        "max_duration_s": conversation.max_duration_s,
        "recording": conversation.is_recorded,
        "video_codec": conversation.properties.get("video_codec", ""),
        "max_rung": max_rung(conversation.properties),
        "is_relayed": bool(conversation.properties.get("relay_only")),
        "signer_certificate": session_manifests.certificate_b64(),
        "ice_servers": turn.ice_servers(conversation.public_id, now=now),
    }


def release_terms(job: Job, *, now: datetime) -> ReleaseTerms:
    """What the keys of this session are bound to, and which they are.

    Raises:
        LeaseLost: the session may not go on.
    """
    conversation = conversation_of(job)
    reason = reason_to_stop(conversation, now=now)
    if reason:
        raise LeaseLost("This session may not go on, so no key leaves.", reason=reason)
    version = conversation.version
    state = LiveState.objects.get(conversation=conversation)
    epoch = mark_keys.get(state.mark["epoch"])
    return ReleaseTerms(
        grant_sha256=conversation.grant_sha256, replica_version=version.wire_name, reference=reference_to(conversation),
        read={a.name: a.blob_public_id for a in version.artefacts.filter(name__in=MODEL_FILES)},
        mark={"epoch_key": b64(epoch.key), "slot_id": state.mark["slot_id"], "first_index": state.mark["first_index"]},
    )


# --- may it go on? ----------------------------------------------------------------------------------------------------


def reason_to_stop(conversation: Conversation, *, now: datetime) -> str:
    """One word why this conversation may not go on, or "". Asked at claim, release, offer, each renewal and each
    wake-up. Everything that the grant stands on is looked at again: stops, holds, time, consent and both approvals.
    """
    if conversation.state == "ended":
        return conversation.end_reason or "ended"
    if stop := selectors.stop_in_force(conversation):
        return stop
    if holds.in_force(conversation.subject_public_id):
        return "legal_hold"
    if conversation.live_at and now - conversation.live_at >= timedelta(seconds=conversation.max_duration_s):
        return "max_call_duration"
    if now >= from_rfc3339(conversation.grant["body"]["not_after"]):
        return "max_call_duration"
    try:
        selectors.consent_for(conversation, now=now)
    except Refusal as refusal:
        return refusal.code.replace(".", "_")
    if not consents.approvals_stand(_approvals_of(conversation), now=now):
        return "approval_ended"
    return ""


def _approvals_of(conversation: Conversation) -> list[str]:
    """The replica's and the policy's approval, as the attestation of this conversation names them."""
    attested = conversation.attestation["body"]
    return [attested["replica"]["approval"], attested["policy"]["approval"]]


def end_if_not_allowed(job: Job, *, now: datetime) -> str:
    """End the session when its ground is gone. Returns why it is over, or ""."""
    conversation = conversation_of(job)
    reason = reason_to_stop(conversation, now=now)
    if reason and conversation.state != "ended":
        conversations.end(conversation=conversation, actor=Actor.system("gate"), reason=reason, now=now)
    return reason


# --- what the slot reports --------------------------------------------------------------------------------------------


def note_renewal(job: Job, renewal: Mapping[str, Any], *, now: datetime) -> str:
    """Keep the counters of a renewal; say why the session must stop, or ""."""
    if reason := end_if_not_allowed(job, now=now):
        return reason
    if _keep_counters(job, renewal, now=now)["unsealed_sent"]:
        conversation = conversation_of(job)
        conversations.end(conversation=conversation, actor=Actor.system("gate"), reason=UNSEALED_REASON, now=now)
        return UNSEALED_REASON
    return ""


def _keep_counters(job: Job, report: Mapping[str, Any], *, now: datetime) -> dict[str, int]:
    """The counters that were told, once they are kept; more unsealed frames than before are an alarm."""
    try:
        told = dict(report.get("counters") or {})
        counters = {one.name: int(told.get(one.name, 0)) for one in fields(protocol.Counters)}
        marks = {str(k)[:40]: float(v) for k, v in list(dict(report.get("marks_ms") or {}).items())[:40]}
    except (TypeError, ValueError) as error:
        raise RequestInvalid("Counters and marks are numbers by name.") from error
    changes: dict[str, Any] = {"counters": counters, "seen_at": now}
    if marks:
        changes["marks_ms"] = marks
    if report.get("state") in protocol.SESSION_STATES:
        changes["worker_state"] = report["state"]
    if counters["unsealed_sent"]:
        with contextlib.suppress(_ToldBefore):
            _alarm_unsealed(job, counters)
    LiveState.objects.filter(conversation__public_id=job.object_id).update(**changes)
    return counters


def _alarm_unsealed(job: Job, counters: Mapping[str, int]) -> None:
    """Write the alarm, and the count it is about, in one transaction.

    Raises:
        _ToldBefore: these frames have had their alarm; nothing is written.
    """
    reference = reference_to(conversation_of(job))
    with recording.recording(actor=_worker(job), action=Action.FRAME_UNSEALED, obj=reference) as event:
        state = LiveState.objects.select_for_update().get(conversation__public_id=job.object_id)
        if counters["unsealed_sent"] <= state.counters.get("unsealed_sent", 0):
            raise _ToldBefore
        state.counters = dict(counters)
        state.save(update_fields=["counters"])
        event.add(lease=job.public_id, epoch=job.epoch, counters=dict(counters))


def note_segments(job: Job, segments: Sequence[Mapping[str, Any]]) -> None:
    """Write one event per sent second: its Merkle root and where it lies. A segment told twice is written once."""
    if len(segments) > MAX_SEGMENTS_A_CALL:
        raise RequestInvalid(f"Send at most {MAX_SEGMENTS_A_CALL} segments at a time.")
    conversation = conversation_of(job)
    for segment in segments:
        try:
            fact = protocol.SegmentRoot(**segment)
        except TypeError as error:
            raise RequestInvalid("A segment has missing or unknown fields.") from error
        _demand_one_second(fact)
        with contextlib.suppress(_ToldBefore):
            _record_segment(job, conversation, fact)


class _ToldBefore(Exception):  # ends a transaction; never leaves this module
    """This second is in the log already."""


def _record_segment(job: Job, conversation: Conversation, fact: protocol.SegmentRoot) -> None:
    """Count a second and write its event in one transaction: a crash in between would leave it out of the log.

    Raises:
        _ToldBefore: it was counted; nothing is written.
    """
    reference = reference_to(conversation)
    with recording.recording(actor=_worker(job), action=Action.SEGMENT_RECORDED, obj=reference) as event:
        # One statement looks and counts, so of two calls that tell the same second only one finds it new.
        mine = LiveState.objects.filter(conversation=conversation, last_segment__lt=fact.number)
        if not mine.update(last_segment=fact.number):
            raise _ToldBefore
        event.add(**protocol.to_json(fact), lease=job.public_id, epoch=job.epoch)


def _demand_one_second(fact: protocol.SegmentRoot) -> None:
    """Whoever verifies an export walks over these numbers: a span without end would keep them busy without end.

    Raises:
        RequestInvalid
    """
    numbers = (fact.number, fact.first_sequence, fact.last_sequence, fact.mark_slot_index, fact.mark_slot_from)
    texts = (fact.root, fact.manifest_label, fact.mark_slot_id, fact.started_at)
    is_number = all(type(number) is int and 0 <= number < MAX_SEQUENCE for number in numbers)
    if not is_number or not 0 <= fact.last_sequence - fact.first_sequence < MAX_FRAMES_A_SECOND:
        raise RequestInvalid(f"A segment is one second of at most {MAX_FRAMES_A_SECOND} frames, in order.")
    if not all(isinstance(text, str) and len(text) <= MAX_SEGMENT_TEXT_CHARS for text in texts):
        raise RequestInvalid("A segment's root, label, mark and time are short texts.")


def note_clamps(job: Job, clamps: Sequence[Mapping[str, Any]]) -> None:
    """Write one event for each intensity that was lowered to the limit of the grant."""
    if len(clamps) > MAX_CLAMPS_A_CALL:
        raise RequestInvalid(f"Send at most {MAX_CLAMPS_A_CALL} clamps at a time.")
    reference = reference_to(conversation_of(job))
    for clamp in clamps:
        emotion, asked, shown = clamp.get("emotion"), clamp.get("asked_milli"), clamp.get("shown_milli")
        at_s = clamp.get("media_time_s") or 0
        is_milli = isinstance(asked, int) and isinstance(shown, int)
        if emotion not in EMOTIONS or not is_milli or not _is_media_time(at_s):
            raise RequestInvalid("A clamp needs emotion, asked_milli, shown_milli and media_time_s.")
        with recording.recording(actor=_worker(job), action=Action.EMOTION_CLAMPED, obj=reference) as event:
            event.add(
                emotion=emotion,
                asked_milli=asked,
                shown_milli=shown,
                media_time_ms=round(at_s * 1000),
                lease=job.public_id,
            )
        LiveState.objects.filter(conversation__public_id=job.object_id).update(clamp_count=F("clamp_count") + 1)


def note_emotions(job: Job, emotions: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the face turned to, the newest when there are too many. What was lowered is told as a clamp besides."""
    if len(emotions) > MAX_EMOTIONS_A_CALL:
        raise RequestInvalid(f"Send at most {MAX_EMOTIONS_A_CALL} emotions at a time.")
    told = [_checked_emotion(emotion) for emotion in emotions]
    mine = LiveState.objects.filter(conversation__public_id=job.object_id)
    # Only the slot that holds the lease tells these, one call after the other; a call told again adds nothing.
    kept = mine.values_list("emotions", flat=True).get()
    mine.update(emotions=[*kept, *(one for one in told if one not in kept)][-MAX_EMOTIONS_KEPT:])


def note_rungs(job: Job, rungs: Sequence[Mapping[str, Any]]) -> None:
    """Write one event for each change of what the viewer gets. A call told again writes again: each has its time."""
    if len(rungs) > MAX_RUNGS_A_CALL:
        raise RequestInvalid(f"Send at most {MAX_RUNGS_A_CALL} rungs at a time.")
    reference = reference_to(conversation_of(job))
    for change in [_checked_rung(rung) for rung in rungs]:
        with recording.recording(actor=_worker(job), action=Action.RUNG_CHANGED, obj=reference) as event:
            event.add(rung=change.rung, before=change.before, why=change.why, target_bps=change.target_bps,
                      media_time_ms=round(change.media_time_s * 1000), lease=job.public_id)


def _checked_rung(unverified: Mapping[str, Any]) -> protocol.RungChanged:
    try:
        fact = protocol.RungChanged(**unverified)
    except TypeError as error:
        raise RequestInvalid("A change of rung has missing or unknown fields.") from error
    is_known = {fact.rung, fact.before} <= set(protocol.RUNG_NAMES) and fact.why in protocol.RUNG_REASONS
    is_rate = type(fact.target_bps) is int and 0 <= fact.target_bps <= MAX_TARGET_BPS
    if not is_known or not is_rate or not _is_media_time(fact.media_time_s):
        raise RequestInvalid("A change of rung names two rungs, a reason, a rate and a time.")
    return fact


def note_troubles(job: Job, troubles: Sequence[Mapping[str, Any]]) -> None:
    """Write one event for each part of the conversation that failed: which, how and when, nothing of what was said."""
    if len(troubles) > MAX_TROUBLES_A_CALL:
        raise RequestInvalid(f"Send at most {MAX_TROUBLES_A_CALL} troubles at a time.")
    facts = [_checked_trouble(trouble) for trouble in troubles]
    reference = reference_to(conversation_of(job))
    for fact in facts:
        with recording.recording(actor=_worker(job), action=Action.PART_FAILED, obj=reference) as event:
            event.add(
                part=fact.part, trouble=fact.trouble, media_time_ms=round(fact.media_time_s * 1000),
                lease=job.public_id)


def _checked_trouble(unverified: Mapping[str, Any]) -> protocol.PartTrouble:
    try:
        fact = protocol.PartTrouble(**unverified)
    except TypeError as error:
        raise RequestInvalid("A trouble has missing or unknown fields.") from error
    is_known = fact.part in protocol.TROUBLED_PARTS and fact.trouble in protocol.TROUBLES
    if not is_known or not _is_media_time(fact.media_time_s):
        raise RequestInvalid("A trouble is a part, how it failed, and its media time.")
    return fact


def _is_media_time(unverified: Any) -> bool:
    return type(unverified) in (int, float) and 0 <= unverified <= MAX_MEDIA_TIME_S


def _checked_emotion(unverified: Mapping[str, Any]) -> dict[str, Any]:
    try:
        fact = protocol.EmotionShown(**unverified)
    except TypeError as error:
        raise RequestInvalid("An emotion has missing or unknown fields.") from error
    is_known = fact.emotion in EMOTIONS and fact.asked in EMOTIONS
    is_milli = all(type(milli) is int and 0 <= milli <= MAX_MILLI for milli in (fact.shown_milli, fact.asked_milli))
    is_told = fact.source in get_args(protocol.EmotionSource) and fact.limited_by in get_args(protocol.EmotionLimit)
    if not is_known or not is_milli or not is_told or not _is_media_time(fact.media_time_s):
        raise RequestInvalid("An emotion is one of eight, in thousandths, with its source, its limit and its time.")
    return protocol.to_json(fact)


def finish(job: Job, body: Mapping[str, Any], *, now: datetime) -> None:
    """The slot's last words. The conversation ends with the reason control already had, else with the slot's."""
    reason = str(body.get("reason") or "finished")[:64]
    _keep_counters(job, body, now=now)
    conversations.end(conversation=conversation_of(job), actor=_worker(job), reason=job.stop_reason or reason, now=now)
    leases.finish(job, action="finish", reason=job.stop_reason or reason, now=now)


def _worker(job: Job) -> Actor:
    return Actor.worker(job.slot.worker.public_id if job.slot else "")
