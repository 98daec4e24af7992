"""Did this clip come from a Trustcore replica? Anyone may ask. The answer is signed; the clip is not kept.

Order of the evidence: a manifest in the file (byte for byte: "intact"), else the watermark, looked up in our records
and compared with what was sent. A mark alone never says more than "look here": it can be copied onto another picture.
"""

import secrets
import threading
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from provenance.errors import FileTooLarge, FileUnreadable, TooManyChecks
from provenance.manifests.errors import FragmentInvalid
from provenance.marks.content import content_matches
from provenance.marks.errors import FrameTooSmall
from provenance.marks.verdicts import MarkReading, resolve
from provenance.models import ClipCheck, MarkSlot, SessionManifest
from provenance.services import claim_certificates, claim_keys, clip_reading, consent_status
from provenance.services.findings import Answer, Source, answer_for_manifest, answer_for_mark
from provenance.verify import video
from provenance.verify.reports import Outcome, Report
from trustcore.accounts.models import Organisation
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.keys.services import signing_keys
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import sign_statement, verify_statement
from trustcore.tracker import Limits, MediaRefused, track_clip
from trustcore.web.errors import NotFound

MAX_BYTES = 120 * 1024 * 1024
MAX_SECONDS = 60.0  # of the clip are looked at for the mark
MAX_CHECKS_A_MINUTE = 30  # of everyone together: a detector that answers without end teaches how to fool it
LIMITS = Limits(
    max_bytes=MAX_BYTES, max_seconds=600.0, min_seconds=0.0, min_fps=0.5, max_wall_s=120.0, max_cpu_s=120
)
PURPOSE = "attestation"
_AT_WORK = threading.BoundedSemaphore(2)  # decoded at once by one web process: each holds a whole clip in memory


def check(*, actor: Actor, content: bytes, now: datetime) -> ClipCheck:
    """Look at a file and answer.

    Raises:
        TooManyChecks: too many in the last minute, or at this moment.
        FileTooLarge: over MAX_BYTES.
        FileUnreadable: neither a manifest nor a picture can be read from it.
    """
    if ClipCheck.objects.filter(created_at__gt=now - timedelta(minutes=1)).count() >= MAX_CHECKS_A_MINUTE:
        raise TooManyChecks("Too many clips were checked in the last minute. Try again in a minute.")
    if len(content) > MAX_BYTES:
        raise FileTooLarge("This file is larger than 120 MB. Cut out the part you doubt and send that.")
    # Counted while they run, too: a row appears only at the end, and many at once would all come before the first.
    if not _AT_WORK.acquire(blocking=False):
        raise TooManyChecks("Other clips are being checked right now. Try again in a minute.")
    try:
        answer = _answer(content)
    finally:
        _AT_WORK.release()
    digest = sha256_hex(content)
    body = {"v": 1, "kind": "clip-check", "file_sha256": digest, "size_bytes": len(content),
            "answer": asdict(answer), "checked_at": to_rfc3339(now)}
    row = ClipCheck(
        public_id=f"V-{now:%Y%m%d}-{secrets.token_hex(6)}", file_sha256=digest, size_bytes=len(content),
        verdict=answer.verdict, answer=sign_statement(signing_keys.get("attestation"), PURPOSE, body),
        tenant=answer.source.tenant if answer.source else "",
        subject_public_id=answer.source.subject_id if answer.source else "", created_at=now,
    )
    with recording.recording(actor=actor, action=Action.FILE_VERIFIED, obj=row) as event:
        event.add(verdict=answer.verdict, file_sha256=digest,
                  conversation=answer.source.session_id if answer.source else "")
        row.save()
    return row


def find(public_id: str) -> dict[str, Any]:
    """The verified body of an answer. Raises NotFound."""
    row = ClipCheck.objects.filter(public_id=public_id).first()
    if row is None:
        raise NotFound("There is no answer with this number. Check the file again.")
    return verify_statement(row.answer, PURPOSE, signing_keys.trusted("attestation"))


def signed(public_id: str) -> dict[str, Any]:
    """The signed answer, to save. Raises NotFound."""
    row = ClipCheck.objects.filter(public_id=public_id).first()
    if row is None:
        raise NotFound("There is no answer with this number. Check the file again.")
    return dict(row.answer)


def _answer(content: bytes) -> Answer:
    report = _manifest_report(content)
    report = claim_certificates.untrusted_if_revoked(report) if report else None
    if report is not None and report.outcome is Outcome.VERIFIED:
        source = _source(SessionManifest.objects.filter(conversation_id=report.facts.get("session_id", "")).first())
        return answer_for_manifest(report, source)
    reading, trace = _look_at_pictures(content, is_required=report is None)
    slot = _slot(reading)
    matches = _compare(slot, trace)
    verdict = resolve(reading, is_known=slot is not None, content_matches=matches) if reading else None
    return answer_for_mark(verdict, reading, report, _source(slot.manifest if slot else None), matches)


def _manifest_report(content: bytes) -> Report | None:
    """What the file's own manifest says; None where this kind of file carries none that we can read."""
    anchor = claim_keys.anchor_pem()
    if content[4:8] == b"ftyp":
        try:
            if video.is_fragment_file(content):
                return video.verify_fragment_file("file", content, anchor)
        except FragmentInvalid:
            return None
        return video.verify_whole_file("file", content, anchor)
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        return video.verify_whole_file("file", content, anchor, kind)
    return None


def _look_at_pictures(content: bytes, *, is_required: bool) -> tuple[MarkReading | None, list[int]]:
    """Decode in the sandbox and read the mark. (None, []) when nothing could be decoded.

    Raises:
        FileUnreadable: nothing could be decoded, and nothing else about the file can be said either.
    """
    try:
        clip = track_clip(content, limits=LIMITS, want=frozenset())
    except MediaRefused as error:
        if is_required:
            raise FileUnreadable("We cannot read this file. Try MP4 or WebM.") from error
        return None, []
    frames = clip.frames[: int(MAX_SECONDS * clip.fps) or 1]
    try:
        return clip_reading.read_mark(frames), list(clip_reading.content_trace(frames, clip.fps))
    except FrameTooSmall:
        return None, []


def _slot(reading: MarkReading | None) -> MarkSlot | None:
    if reading is None or reading.payload_hex is None:
        return None
    return MarkSlot.objects.select_related("manifest").filter(public_id=reading.payload_hex).first()


def _compare(slot: MarkSlot | None, trace: list[int]) -> bool | None:
    """Whether the pictures are those of the session; None when nothing was recorded."""
    if slot is None:
        return None
    return content_matches([int(text, 16) for text in slot.manifest.content_hashes], trace)


def _source(manifest: SessionManifest | None) -> Source | None:
    if manifest is None:
        return None
    status = consent_status.of(manifest.consent_id, manifest.subject_public_id)
    return Source(
        session_id=manifest.conversation_id, tenant=manifest.tenant, made_by=_name_of(manifest.tenant),
        subject_id=manifest.subject_public_id, manifest=manifest.public_id,
        made_at=f"{manifest.created_at:%-d %B %Y}", consent_state=status.state,
        consent_since=to_rfc3339(status.since) if status.since else "",
        # A person who is gone from here is not named, not even by what the session itself said.
        disclosure="" if status.state == "erased" else str(manifest.facts.get("disclosure", "")),
    )


def _name_of(slug: str) -> str:
    found = Organisation.objects.filter(slug=slug).first()
    return found.name if found else slug
