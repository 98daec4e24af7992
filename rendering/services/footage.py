"""Footage of a person: received in pieces, encrypted before it touches the disk, then checked in the sandbox.

Pieces are small enough to stay in memory on their way in. Each is encrypted under the subject's key as it comes; the
whole is put together in memory, encrypted again as one file, and the pieces go.
"""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent import seams
from consent import selectors as consents
from consent.identity.own_output import check_own_output
from consent.services import identities
from rendering.errors import FootageRefused, FootageTooLarge
from rendering.models import Footage, FootagePiece, Replica
from rendering.states import FOOTAGE
from trustcore.accounts.models import Organisation, User
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.celery import app as celery_app
from trustcore.jobs.models import Job
from trustcore.jobs.services import leases
from trustcore.keys.services import blobs
from trustcore.primitives.errors import Refusal
from trustcore.primitives.ids import new_id
from trustcore.primitives.states import next_state
from trustcore.tracker import Limits, MediaRefused, TrackedClip, track_clip

MIB = 1024 * 1024
PIECE_MAX_BYTES = 2 * MIB
MAX_BYTES = 200 * MIB
# Asked for: 30 to 120 s; a frame more or less at the ends is no reason to refuse.
MIN_SECONDS, MAX_SECONDS = 29.0, 125.0
LIMITS = Limits(max_bytes=MAX_BYTES, min_seconds=MIN_SECONDS, max_seconds=MAX_SECONDS)
CHECK_LEASE_S = 300.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, as the footage page and the API's `error_type` tell it."""

    error_type: str
    verdict: str  # pass, warn, fail, not_run
    measure: str
    need: str


def begin(
    *,
    actor: Actor,
    user: User,
    organisation: Organisation,
    subject_public_id: str,
    was_recorded_here: bool,
    now: datetime,
) -> Footage:
    """Open an upload. Raises a consent refusal when this person has no consent in force here."""
    consent = consents.consent_in_force(subject_public_id, now=now)
    if consent.tenant != organisation.tenant:
        raise FootageRefused("This person is not one of this organisation's.", error_type="other_quality_issue")
    row = Footage(
        public_id=new_id("footage"), organisation=organisation, subject_public_id=subject_public_id, uploaded_by=user,
        size_bytes=0,
        was_recorded_here=was_recorded_here,
    )
    with recording.recording(actor=actor, action=Action.FOOTAGE_STARTED, obj=row):
        row.save(force_insert=True)
    return row


def add_piece(*, actor: Actor, footage: Footage, number: int, data: bytes) -> None:
    """Take piece `number` (from 0). Sent twice, the later one counts.

    Raises:
        FootageTooLarge: the piece or the whole is over its limit.
        FootageRefused: the upload is finished, or the piece is empty or out of order.
    """
    if footage.state != "receiving":
        raise FootageRefused("This upload is finished. Start a new one.", error_type="video_processing")
    if not data or len(data) > PIECE_MAX_BYTES:
        raise FootageTooLarge(f"A piece holds 1 byte to {PIECE_MAX_BYTES // MIB} MiB.", error_type="file_size")
    if number * PIECE_MAX_BYTES + len(data) > MAX_BYTES:
        raise FootageTooLarge(
            f"The footage is larger than {MAX_BYTES // MIB} MB. Record at a lower quality.", error_type="file_size"
        )
    if number > footage.pieces.count():
        raise FootageRefused("Pieces come in order. Send the missing one first.", error_type="video_processing")
    old = footage.pieces.filter(number=number).first()
    blob = blobs.put(footage.subject_public_id, _piece_context(footage, number), data, actor=actor)
    FootagePiece.objects.update_or_create(
        footage=footage, number=number, defaults={"blob_public_id": blob.public_id, "size_bytes": blob.size}
    )
    if old is not None:
        blobs.delete(old.blob_public_id, actor=actor, reason="sent again")


def complete(*, actor: Actor, footage: Footage) -> Footage:
    """Put the pieces together, keep them as one encrypted file, and queue the checks. Raises
    FootageRefused when nothing was sent.
    """
    pieces = list(footage.pieces.order_by("number"))
    if not pieces or footage.state != "receiving":
        raise FootageRefused("Nothing was sent. Choose a video first.", error_type="file_size")
    data = b"".join(
        blobs.get(
            piece.blob_public_id, _piece_context(footage, piece.number), purpose="put footage together", actor=actor
        )
        for piece in pieces
    )
    ref = blobs.put(footage.subject_public_id, context(footage), data, actor=actor)
    with recording.recording(actor=actor, action=Action.FOOTAGE_UPLOADED, obj=footage) as event:
        footage.state = next_state(FOOTAGE, footage.state, "complete")
        footage.blob_public_id, footage.sha256, footage.size_bytes = (
            ref.public_id,
            hashlib.sha256(data).hexdigest(),
            len(data),
        )
        footage.save(update_fields=["state", "blob_public_id", "sha256", "size_bytes"])
        job = leases.enqueue(
            kind="footage_check", tenant=footage.tenant, object_id=footage.public_id,
            subject_public_id=footage.subject_public_id,
            idempotency_key=f"footage_check:{footage.public_id}", lease_lifetime_s=CHECK_LEASE_S, is_repeatable=True,
            max_attempts=3)
        event.add(size_bytes=len(data), job=job.public_id)
        # Only a wake-up: the job row is the truth, and beat finds it should this message be lost.
        transaction.on_commit(lambda: celery_app.send_task("rendering.run_jobs"), robust=True)
    for piece in pieces:
        blobs.delete(piece.blob_public_id, actor=actor, reason="put together")
    footage.pieces.all().delete()
    return footage


def receive(
    *, actor: Actor, user: User, organisation: Organisation, subject_public_id: str, data: bytes,
    was_recorded_here: bool, now: datetime,
) -> Footage:
    """The whole footage at once: for forms without script and for programs."""
    footage = begin(
        actor=actor, user=user, organisation=organisation, subject_public_id=subject_public_id,
        was_recorded_here=was_recorded_here, now=now)
    for number in range(max(1, -(-len(data) // PIECE_MAX_BYTES))):
        add_piece(
            actor=actor,
            footage=footage,
            number=number,
            data=data[number * PIECE_MAX_BYTES : (number + 1) * PIECE_MAX_BYTES],
        )
    return complete(actor=actor, footage=footage)


def context(footage: Footage) -> str:
    return f"{footage.tenant}/footage/{footage.public_id}"


def _piece_context(footage: Footage, number: int) -> str:
    return f"{context(footage)}/piece/{number}"


# --- checks -----------------------------------------------------------------------------------------------------------


def run_check(job: Job, *, now: datetime) -> None:
    """Check received footage: decode in the sandbox, look at it, compare the face. Run by the jobs
    process under the job's lease.
    """
    footage = Footage.objects.select_related("organisation").get(public_id=job.object_id)
    if footage.state == "received":
        actor = Actor.system("footage-check")
        if not _still_agreed(footage, actor, now=now):
            leases.finish(job, action="finish", reason="done", now=now)
            return
        data = blobs.get(footage.blob_public_id, context(footage), purpose="footage check", actor=actor)
        duration_s, findings = _look_at(data, footage, actor)
        _decide(footage, findings, duration_s, actor)
    leases.finish(job, action="finish", reason="done", now=now)


def _still_agreed(footage: Footage, actor: Actor, *, now: datetime) -> bool:
    """Whether the person still agrees. Who withdrew while their footage came in has it refused and deleted, unseen."""
    try:
        consents.consent_in_force(footage.subject_public_id, now=now)
    except Refusal as refusal:
        _decide(footage, [Finding("other_quality_issue", "fail", refusal.message, "a consent in force")], None, actor)
        return False
    return True


def _look_at(data: bytes, footage: Footage, actor: Actor) -> tuple[float | None, list[Finding]]:
    # Imported here: the control process, which imports this module for uploads, must not load the training code.
    from rendering.training import capture_checks

    try:
        clip = track_clip(data, limits=LIMITS)
    except MediaRefused as refusal:
        return None, [Finding(refusal.error_type, "fail", refusal.message, "a readable video of one face, 30 to 120 s")]
    found = [Finding(f.error_type, f.verdict, f.measure, f.need) for f in capture_checks.check(clip)]
    return clip.seconds, [*found, *_whose(data, clip, footage, actor)]


def _whose(data: bytes, clip: TrackedClip, footage: Footage, actor: Actor) -> list[Finding]:
    """Is it the person who consented, and is it a person at all and not one of our replicas?"""
    face = identities.compare_footage(
        actor=actor, subject_public_id=footage.subject_public_id, landmarks=clip.landmarks,
        footage_public_id=footage.public_id)
    own = check_own_output(seams.own_output_detector(), data, clip.frames, clip.pcm, clip.pcm_rate)
    return [
        Finding("person_mismatch", face.verdict, face.measure, face.need),
        Finding("own_output", own.verdict, own.measure, own.need),
    ]


def _decide(footage: Footage, findings: list[Finding], duration_s: float | None, actor: Actor) -> None:
    failed = [finding for finding in findings if finding.verdict == "fail"]
    action = Action.FOOTAGE_REFUSED if failed else Action.FOOTAGE_CHECKED
    with recording.recording(
        actor=actor, action=action, obj=footage, reason=failed[0].error_type if failed else ""
    ) as event:
        footage.state = next_state(FOOTAGE, footage.state, "refuse" if failed else "accept")
        footage.findings, footage.duration_s = [asdict(finding) for finding in findings], duration_s
        footage.save(update_fields=["state", "findings", "duration_s"])
        event.add(verdicts={finding.error_type: finding.verdict for finding in findings})
    if failed:
        blobs.delete(footage.blob_public_id, actor=actor, reason="footage refused")


def accepted_for(replica: Replica) -> list[Footage]:
    """Footage of this person that training may use, newest first."""
    found = Footage.objects.filter(
        organisation_id=replica.organisation_id, subject_public_id=replica.subject_public_id, state="accepted"
    )
    return list(found.order_by("-created_at"))


# The API keeps the words of `error_type`; people read what was looked at.
_NAMES = {
    "person_mismatch": _("Same person as in the consent clip"), "video_duration": _("Length"),
    "video_fps": _("Pictures a second"),
    "face_or_obstruction_detected": _("Face in view"), "second_person_detected": _("Nobody else in the picture"),
    "improper_distance": _("Distance from the camera"), "inconsistent_distance": _("Steady distance"),
    "face_turned_away": _("Looks at the camera"),
    "excessive_movement_detected": _("Head stays in place"), "poor_lighting": _("Light"),
    "lighting_change_detected": _("Steady light"),
    "quality_issue_detected": _("Sharpness"), "teeth_not_visible": _("Mouth opens in speech"),
    "other_quality_issue": _("Blinks"),
    "audio_processing": _("Speech can be heard"), "own_output": _("Our own mark or manifest"),
}  # fmt: skip


def findings_worst_first(footage: Footage) -> list[dict[str, Any]]:
    """The findings with the name of what was looked at, worst first."""
    order = {"fail": 0, "not_run": 1, "warn": 2, "pass": 3}
    named = [{**finding, "name": _NAMES.get(finding["error_type"], _("The file"))} for finding in footage.findings]
    return sorted(named, key=lambda finding: order.get(finding["verdict"], 0))
