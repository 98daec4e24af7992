"""Consent clips: draw a challenge, take the recording, check it, and let a person decide."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from consent import intake, seams
from consent.errors import AcceptClosed, AlreadyDecided, ChallengeClosed, DecisionInvalid
from consent.identity import challenge as challenges
from consent.identity.challenge import Challenge
from consent.identity.replay import SeenMedia as SeenFacts
from consent.identity.results import CheckResult
from consent.identity.same_face import Vector, check_same_face, face_vector
from consent.models import (
    ClipChallenge,
    Consent,
    ConsentClip,
    IdentityCheck,
    IdentityDecision,
    Invitation,
    SeenMedia,
)
from consent.services import invitations
from consent.states import CONSENT, IDENTITY_CHECK, INVITATION
from trustcore.accounts.models import User
from trustcore.audit.recording import Action, Actor, recording, refused
from trustcore.keys.services import blobs
from trustcore.primitives.clock import utc_now
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.states import next_state
from trustcore.tracker import MediaRefused

DECIDE_WITHIN = timedelta(hours=24)
DECISIONS = ("accept", "ask_again", "refuse")
SENTENCES = {
    "accept": "Your recording was accepted. Your consent is in force.",
    "ask_again": "Please record once more.",
    "refuse": "The recording was not accepted.",
}


def issue_challenge(*, consent: Consent, device_sha256: str, now: datetime | None = None) -> Challenge:
    """A fresh challenge for this consent, this device and this moment. Every visit to the page draws a new one."""
    drawn = challenges.draw(now=now or utc_now(), device_sha256=device_sha256, notice_sha256=consent.notice.sha256)
    ClipChallenge.objects.create(consent=consent, body=drawn.to_dict(), sha256=drawn.sha256, closes_at=drawn.closes_at)
    return drawn


def submit_clip(
    *, consent: Consent, nonce: str, device_sha256: str, media: bytes, content_type: str, is_timed: bool,
    device_label: str = "", now: datetime | None = None,
) -> IdentityCheck:  # fmt: skip
    """Take a recording: use up its challenge, check it in the sandbox, keep it encrypted, and let a decision wait.

    Raises:
        ChallengeClosed: the challenge is used, too old, or another device's.
        MediaRefused: the file cannot be used. Nothing of it is kept.
    """
    now = now or utc_now()
    actor = Actor.subject(consent.subject_public_id)
    stored = _used_challenge(actor, consent, nonce, device_sha256, now)
    challenge = Challenge.from_dict(stored.body)
    reference, reference_name = _reference_face(actor, consent)
    try:
        found = intake.run_checks(
            media, challenge, is_timed=is_timed, seen=_seen(), reference=reference, reference_name=reference_name,
            detector=seams.own_output_detector(),
        )  # fmt: skip
    except MediaRefused as error:
        refused(actor=actor, action=Action.CLIP_REFUSED, obj=consent, reason=error.code)
        raise
    clip = ConsentClip(
        consent=consent, challenge=stored, challenge_sha256=stored.sha256, sha256=sha256_hex(media),
        size_bytes=len(media), content_type=content_type[:80], duration_s=found.duration_s,
        device_sha256=device_sha256, device_label=device_label[:160], is_timed=is_timed,
        attempt=consent.clips.count() + 1, received_at=now,
    )  # fmt: skip
    _keep_blobs(actor, clip, media, found)
    return _record_clip(actor, clip, found, now)


def _used_challenge(actor: Actor, consent: Consent, nonce: str, device_sha256: str, now: datetime) -> ClipChallenge:
    """The challenge, marked used by this very statement, so that two uploads at once cannot both have it."""
    mine = ClipChallenge.objects.filter(consent=consent, body__nonce=nonce, body__device_sha256=device_sha256)
    if not mine.filter(used_at__isnull=True, closes_at__gt=now).update(used_at=now):
        refused(actor=actor, action=Action.CLIP_REFUSED, obj=consent, reason=ChallengeClosed.code)
        raise ChallengeClosed("These instructions are used up or too old. Reload the page for new ones.")
    return mine.get()


def may_open_page(invitation: Invitation, *, device_sha256: str) -> bool:
    """Whether this browser may open the page of the invited person: it made a clip for this invitation, and, once this
    person was ever verified, that very clip was accepted. Else an officer could invite a known person again, answer in
    their place with any face, and withdraw as them.
    """
    mine = ConsentClip.objects.filter(consent__invitation=invitation, device_sha256=device_sha256)
    accepted = IdentityCheck.objects.filter(clip__consent__subject=invitation.subject, state="accepted")
    return accepted.filter(clip__in=mine).exists() if accepted.exists() else mine.exists()


def _seen() -> list[SeenFacts]:
    # Every earlier file is read: a copy may come from anybody's invitation. Linear, and fine up to some ten thousand.
    # In the order of coming, so that a copy of a copy is told as a copy of the first.
    rows = SeenMedia.objects.order_by("id").values_list("public_id", "sha256", "fingerprint")
    return [SeenFacts(public_id, digest, bytes(packed)) for public_id, digest, packed in rows]


def _reference_face(actor: Actor, consent: Consent) -> tuple[Vector | None, str]:
    """The face of this person's latest accepted clip, if there is one."""
    accepted = (
        IdentityCheck.objects.select_related("clip")
        .filter(clip__consent__subject=consent.subject, state="accepted")
        .exclude(clip__face_blob_id="")
        .order_by("-clip__received_at")
        .first()
    )
    if accepted is None:
        return None, ""
    return _face_of(actor, accepted.clip), f"the accepted clip of {accepted.clip.received_at:%-d %B %Y}"


def _face_of(actor: Actor, clip: ConsentClip) -> Vector:
    stored = blobs.get(clip.face_blob_id, _context(clip, "face"), purpose="same face check", actor=actor)
    return np.frombuffer(stored, dtype="<f4")


def _context(clip: ConsentClip, artefact: str) -> str:
    return f"{clip.tenant}/{clip.subject_public_id}/{clip.public_id}/{artefact}"


def _keep_blobs(actor: Actor, clip: ConsentClip, media: bytes, found: intake.Intake) -> None:
    subject = clip.subject_public_id
    clip.blob_id = blobs.put(subject, _context(clip, "clip"), media, actor=actor).public_id
    clip.poster_blob_id = blobs.put(subject, _context(clip, "poster"), found.poster_jpeg, actor=actor).public_id
    if found.face is not None:
        packed = found.face.astype("<f4").tobytes()
        clip.face_blob_id = blobs.put(subject, _context(clip, "face"), packed, actor=actor).public_id


def _record_clip(actor: Actor, clip: ConsentClip, found: intake.Intake, now: datetime) -> IdentityCheck:
    check = IdentityCheck(clip=clip, decide_by=now + DECIDE_WITHIN)
    invitation = clip.consent.invitation
    action = Action.IDENTITY_CHECK_FAILED if found.failed else Action.IDENTITY_CHECK_FINISHED
    with recording(actor=actor, action=Action.CLIP_SUBMITTED, obj=clip) as submitted:
        submitted.covers(invitation)
        clip.save()
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        locked.state = next_state(INVITATION, locked.state, "receive_clip")
        locked.attempts_left = max(0, locked.attempts_left - 1)
        locked.save(update_fields=["state", "attempts_left"])
        SeenMedia.objects.create(
            public_id=clip.public_id, subject_public_id=clip.subject_public_id, sha256=clip.sha256,
            fingerprint=found.fingerprint,
        )  # fmt: skip
        check.clip = clip
        with recording(actor=Actor.system("intake"), action=action, obj=check) as checked:
            check.state = next_state(IDENTITY_CHECK, check.state, "check")
            _put_results(check, found.results)
            check.save()
            checked.add(verdicts=check.verdicts)
    return check


def _put_results(check: IdentityCheck, results: list[CheckResult]) -> None:
    check.results = [asdict(result) for result in results]
    check.verdicts = {result.name: result.verdict for result in results}


def record_again(*, check: IdentityCheck) -> None:
    """The person saw why a clip does not count and records once more, without waiting for an officer.

    Raises:
        AcceptClosed: no check failed; an officer decides about this clip.
        InvalidTransition: it was decided meanwhile.
    """
    invitation = check.consent.invitation
    if "fail" not in check.verdicts.values() or not invitation.attempts_left:
        raise AcceptClosed("This recording waits for an officer. You will hear from us.")
    actor = Actor.subject(check.subject_public_id)
    with recording(actor=actor, action=Action.IDENTITY_CLIP_REQUESTED, obj=check) as event:
        event.covers(invitation)
        _move_check(check, "supersede")
        _move_invitation(invitation, "ask_again", "")


def decide(
    *, actor: Actor, officer: User, check: IdentityCheck, decision: str, sentence: str = "", reason: str = "",
    now: datetime | None = None,
) -> IdentityDecision:  # fmt: skip
    """An officer decides. Accepting puts the consent in force; it is closed while any check has failed.

    Raises:
        DecisionInvalid, AlreadyDecided, AcceptClosed, KeyGoing.
    """
    now = now or utc_now()
    if decision not in DECISIONS:
        raise DecisionInvalid("Choose one of the three decisions.")
    _demand_undecided(check)
    if decision == "accept":
        invitations.demand_lasting_key(check.consent.subject)
    failed = [result for result in check.results if result["verdict"] == "fail"]
    if decision == "accept" and failed:
        refused(actor=actor, action=Action.IDENTITY_REFUSED, obj=check, reason=AcceptClosed.code,
                details={"failed": [result["name"] for result in failed]})  # fmt: skip
        raise AcceptClosed(f"Accept is closed: {failed[0]['measure']}. Ask for a new clip, or refuse.")
    made = IdentityDecision(
        identity_check=check, decision=decision, decided_by=officer, reason=reason[:400],
        sentence=(sentence or SENTENCES[decision])[:400],
    )  # fmt: skip
    action = {
        "accept": Action.IDENTITY_VERIFIED,
        "ask_again": Action.IDENTITY_CLIP_REQUESTED,
        "refuse": Action.IDENTITY_REJECTED,
    }[decision]
    with recording(actor=actor, action=action, obj=check, reason=made.reason) as event:
        replaced = list(_consents_to_replace(check)) if decision == "accept" else []
        event.covers(made, check.consent, check.consent.invitation, *replaced)
        event.add(verdicts=check.verdicts, decision=made.public_id)
        _move_check(check, decision)
        made.save()
        _move_invitation(check.consent.invitation, decision, made.sentence)
        _apply_to_consent(check.consent, decision, replaced, now)
    check.refresh_from_db()
    return made


def _demand_undecided(check: IdentityCheck) -> None:
    if check.state != "checked":
        raise AlreadyDecided("Somebody else decided meanwhile. See their decision.", state=check.state)


def _move_check(check: IdentityCheck, act: str) -> None:
    locked = IdentityCheck.objects.select_for_update().get(pk=check.pk)
    _demand_undecided(locked)
    locked.state = next_state(IDENTITY_CHECK, locked.state, act)
    locked.save(update_fields=["state"])


def _move_invitation(invitation: Invitation, act: str, message: str) -> None:
    locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
    locked.state = next_state(INVITATION, locked.state, act)
    locked.message = message
    if act == "ask_again":
        # An officer who asks again wants an answer: the last attempt used up is given back.
        locked.attempts_left = max(1, locked.attempts_left)
    locked.save(update_fields=["state", "message", "attempts_left"])


def _consents_to_replace(check: IdentityCheck) -> Any:
    return Consent.objects.filter(subject=check.consent.subject, state="in_force").exclude(pk=check.consent.pk)


def _apply_to_consent(consent: Consent, decision: str, replaced: list[Consent], now: datetime) -> None:
    if decision == "ask_again":
        return
    locked = Consent.objects.select_for_update().get(pk=consent.pk)
    if decision == "accept":
        locked.state = next_state(CONSENT, locked.state, "accept_identity")
        locked.verified_at = now
    else:
        locked.state = next_state(CONSENT, locked.state, "refuse_identity")
        locked.ended_at = now
    locked.save(update_fields=["state", "verified_at", "ended_at"])
    for older in Consent.objects.select_for_update().filter(pk__in=[one.pk for one in replaced]):
        older.state = next_state(CONSENT, older.state, "replace")
        older.ended_at = now
        older.save(update_fields=["state", "ended_at"])


def open_clip(*, actor: Actor, check: IdentityCheck) -> bytes:
    """The recording's bytes, for a person who decides or audits. Every opening is an event (trustcore/keys)."""
    return blobs.get(check.clip.blob_id, _context(check.clip, "clip"), purpose="identity review", actor=actor)


def open_poster(*, actor: Actor, check: IdentityCheck) -> bytes:
    """The still of the recording, JPEG."""
    return blobs.get(
        check.clip.poster_blob_id, _context(check.clip, "poster"), purpose="show who decides about whom", actor=actor
    )


def compare_footage(*, actor: Actor, subject_public_id: str, landmarks: Any, footage_public_id: str) -> CheckResult:
    """Is the face of training footage the face of the accepted consent clip? Written to the log with its verdict.

    Args:
        landmarks: [T, 478, 3] of the footage, from the tracker.

    Returns:
        `fail`: do not train. `warn`: nearer than the limit, which proves nothing. `not_run`: nothing to compare with.
    """
    check = (
        IdentityCheck.objects.select_related("clip__consent__subject__organisation")
        .filter(clip__consent__subject__public_id=subject_public_id, state="accepted")
        .order_by("-clip__received_at")
        .first()
    )
    reference = _face_of(actor, check.clip) if check is not None and check.clip.face_blob_id else None
    result = check_same_face(face_vector(landmarks), reference, reference_name="the accepted consent clip")
    if check is not None:
        action = Action.IDENTITY_CHECK_FAILED if result.verdict == "fail" else Action.IDENTITY_CHECK_FINISHED
        with recording(actor=actor, action=action, obj=check) as event:
            event.add(check="same_face", verdict=result.verdict, score=result.score, threshold=result.threshold,
                      footage=footage_public_id)  # fmt: skip
    return result
