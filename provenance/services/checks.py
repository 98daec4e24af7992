"""Did this clip come from a Trustcore replica? Anyone may ask. The answer is signed; the clip is not kept.

Order of the evidence: a manifest in the file (whole and unchanged: "intact"), else the watermarks of picture and sound,
looked up in our records, and the picture compared with what was sent. A mark alone never says more than "look here": it
can be copied onto another picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from provenance.errors import AnswerWithheld, FileUnreadable
from provenance.manifests import c2pa_files, fmp4
from provenance.manifests.assertions import SESSION_LABEL
from provenance.manifests.errors import FragmentInvalid
from provenance.marks.content import content_matches
from provenance.marks.errors import FrameTooSmall
from provenance.marks.verdicts import MarkReading, Verdict, resolve
from provenance.models import ClipCheck, MarkSlot, SessionManifest
from provenance.services import answers_told, claim_certificates, claim_keys, clip_reading, clip_sound, session_lookup
from provenance.services.answers_told import Asking
from provenance.services.clip_reading import Pictures, Progress, silent
from provenance.services.clip_sound import Listened, Samples
from provenance.services.findings import Answer, Comparison, Evidence, ManifestState, SoundState, answer
from provenance.verify import video
from provenance.verify.certificates import SERIAL
from provenance.verify.reports import Outcome, Report
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.keys.services import signing_keys, subject_keys
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import sign_statement, verify_statement
from trustcore.tracker import Limits, MediaRefused, TrackedClip, track_clip, track_sound
from trustcore.tracker.clips import PCM_RATE_HZ
from trustcore.web.errors import NotFound

MAX_BYTES = 120 * 1024 * 1024
TOO_LARGE = "This file is larger than 120 MB. Cut out the part you doubt and send that."
MAX_SECONDS = 60.0  # of the clip are looked at for the mark
LIMITS = Limits(
    max_bytes=MAX_BYTES, max_seconds=4 * 3600.0, min_seconds=0.0, min_fps=0.5, max_wall_s=120.0, max_cpu_s=120,
    allows_stills=True, read_s=MAX_SECONDS,
)
CLOSER_SIDE_PX = 1080  # a search needs the pixels: the marked picture may be a small part
CLOSER_READ_S = 1.0
PURPOSE = "attestation"
KIND, VERSION = "clip-check", 3
NOT_SIGNED = {"subject_id", "disclosure"}  # an answer is public for ever; whom it is about is looked up when it is read


@dataclass(frozen=True)
class _Manifest:
    """What the file's own manifest is worth, and the session it names."""

    state: ManifestState
    session_id: str = ""
    facts: dict[str, int | str] | None = None
    has_sound: bool = False  # under the signature


@dataclass(frozen=True)
class _Media:
    """A file as the sandbox decoded it."""

    content: bytes  # as it was given to the sandbox
    clip: TrackedClip | None  # None: no picture could be read
    pcm: Samples | None  # int16 [N] mono; None: no sound could be read
    has_sound: bool  # whether there is some at all


@dataclass(frozen=True)
class _Pictures:
    """What the pictures told: the reading that may be told, how it was read, and the clip's coarse shape."""

    reading: MarkReading
    trace: Sequence[int]
    evidence: dict[str, Any]


def check(
    *, public_id: str, actor: Actor, content: bytes, network: str, now: datetime, progress: Progress = silent,
) -> ClipCheck:
    """Look at a file and keep the signed answer under `public_id`. Runs as long as a minute or two.

    Args:
        network: name of the asker's network (provenance/oracle/answers.py says what it decides).

    Raises:
        FileUnreadable: neither a manifest nor a picture can be read from it.
    """
    found = _answer(content, Asking(asked_at=answers_told.PUBLIC, network=network, now=now), progress)
    digest = sha256_hex(content)
    body = {"v": VERSION, "kind": KIND, "file_sha256": digest, "size_bytes": len(content),
            "answer": _without_person(found), "checked_at": to_rfc3339(now)}
    row = ClipCheck(
        public_id=public_id, file_sha256=digest, size_bytes=len(content), verdict=found.verdict,
        answer=sign_statement(signing_keys.get("attestation"), PURPOSE, body),
        tenant=found.source.tenant if found.source else "",
        subject_public_id=found.source.subject_id if found.source else "", created_at=now,
    )
    with recording.recording(actor=actor, action=Action.FILE_VERIFIED, obj=row) as event:
        event.add(verdict=found.verdict, file_sha256=digest,
                  conversation=found.source.session_id if found.source else "")
        row.save()
    return row


def _without_person(found: Answer) -> dict[str, Any]:
    told = asdict(found)
    if found.source is not None:
        told["source"] = {name: value for name, value in told["source"].items() if name not in NOT_SIGNED}
    return told


def find(public_id: str) -> dict[str, Any]:
    """The verified body of an answer. Raises NotFound, also for one of another form than is given today."""
    body = verify_statement(signed(public_id), PURPOSE, signing_keys.trusted("attestation"))
    if body.get("v") != VERSION:
        raise NotFound("This answer was given in another form. Save it, or check the file again.")
    return body


def signed(public_id: str) -> dict[str, Any]:
    """The signed answer, to save.

    Raises:
        NotFound
        AnswerWithheld: it was given in an older form, which names the person, and that person is gone from here.
    """
    row = ClipCheck.objects.filter(public_id=public_id).first()
    if row is None:
        raise NotFound("There is no answer with this number. Check the file again.")
    subject = row.subject_public_id
    if row.answer["body"].get("v") != VERSION and subject and not subject_keys.exists(subject):
        raise AnswerWithheld("This answer names a person who had everything erased. Check the file again.")
    return dict(row.answer)


def _answer(content: bytes, asking: Asking, progress: Progress) -> Answer:
    progress("manifest", 0, 0)
    manifest = _manifest_of(content, progress)
    named = session_lookup.latest_of(manifest.session_id)
    facts = manifest.facts or {}
    if manifest.state in (ManifestState.HOLDS, ManifestState.BEGINNING):
        sound = SoundState.SIGNED if manifest.has_sound else SoundState.NONE
        return answer(Evidence(manifest.state, None, None, facts, sound=sound), session_lookup.source_of(named))
    says_nothing = manifest.state in (ManifestState.MISSING, ManifestState.BROKEN)
    media = _decoded_media(content, progress)
    if says_nothing and media.clip is None and media.pcm is None:
        raise FileUnreadable("We cannot read this file. Try MP4, WebM, PNG, JPEG, MP3 or WAV.")
    pictures = _look_at_pictures(media, asking, progress)
    sound = _listen(media, asking, progress)
    progress("comparing", 0, 0)
    of_picture = _slot(pictures.reading) if pictures else None
    of_sound = _slot(sound.reading) if sound else None
    session = next((slot.manifest for slot in (of_picture, of_sound) if slot), named)
    evidence = Evidence(
        manifest.state,
        resolve(pictures.reading, is_known=of_picture is not None, content_matches=None) if pictures else None,
        _compared(session, pictures) if session and pictures else None, facts,
        sound=_sound_state(media, sound, is_known=of_sound is not None),
        sound_session=of_sound.manifest.conversation_id if of_sound else "",
        picture_session=of_picture.manifest.conversation_id if of_picture else "",
        **(pictures.evidence if pictures else {}),
    )
    return answer(evidence, session_lookup.source_of(session))


def _manifest_of(content: bytes, progress: Progress) -> _Manifest:
    """What the file's own manifest says. A kind of file that carries none that we can read has none."""
    anchor, media_type = claim_keys.anchor_pem(), _media_type(content)
    if not media_type:
        return _Manifest(ManifestState.MISSING)
    try:
        if media_type == c2pa_files.MP4 and video.is_manifest_alone(content):
            raise FileUnreadable("This is the manifest of a session. It holds no picture that could be checked.")
        if media_type == c2pa_files.MP4 and video.is_fragment_file(content):
            report = video.verify_fragment_file(
                "file", content, anchor, lambda done, total: progress("manifest", done, total))
            return _of_fragments(report)
    except FragmentInvalid:
        return _Manifest(ManifestState.MISSING)
    return _of_whole(video.verify_whole_file("file", content, anchor, media_type), content, anchor, media_type)


def _media_type(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return c2pa_files.MP4
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "image/jpeg" if content.startswith(b"\xff\xd8\xff") else ""


def _of_fragments(report: Report) -> _Manifest:
    """A recording of sent frames, judged frame by frame."""
    if claim_certificates.is_revoked(report.facts.get(SERIAL, "")):
        return _Manifest(ManifestState.REVOKED)
    frames, sound = report.facts.get("frames"), report.facts.get("sound")
    if not frames:
        return _Manifest(_state_without(report))
    facts = {"verified": frames["verified"], "received": frames["received"]}
    if sound and frames["verified"] == frames["received"] and report.outcome is not Outcome.VERIFIED:
        facts |= {"sound_verified": sound["verified"], "sound_received": sound["received"]}
    state = ManifestState.CHANGED
    if report.outcome is Outcome.VERIFIED:
        missing = _missing_after(report.facts["runs"])
        state = ManifestState.BEGINNING if missing is None or missing > 0 else ManifestState.HOLDS
        facts |= {"sent": frames["verified"] + missing} if missing else {}
    return _Manifest(state, report.facts.get("session_id", ""), facts, has_sound=bool(sound))


def _missing_after(runs: list[dict[str, Any]]) -> int | None:
    """How many frames our log knows, at the ends of these runs and in others of the session, that the file lacks; None
    when it knows nothing of one.
    """
    missing = [session_lookup.frames_after(run["manifest"], run["last_sequence"]) for run in runs]
    beside = session_lookup.frames_beside([run["manifest"] for run in runs])
    return None if None in missing else beside + sum(count or 0 for count in missing)


def _of_whole(report: Report, content: bytes, anchor: str, media_type: str) -> _Manifest:
    if claim_certificates.is_revoked(report.facts.get(SERIAL, "")):
        return _Manifest(ManifestState.REVOKED)
    if report.outcome is Outcome.VERIFIED:
        has_sound = bool(report.facts.get("sound_packets"))
        return _Manifest(ManifestState.HOLDS, report.facts.get("session_id", ""), has_sound=has_sound)
    changed = c2pa_files.read_changed(content, anchor, media_type)
    if changed is None:
        return _Manifest(_state_without(report))
    if claim_certificates.is_revoked(changed.signer_serial):
        return _Manifest(ManifestState.REVOKED)
    said = {entry["label"]: entry["data"] for entry in changed.manifest.get("assertions", [])}
    return _Manifest(ManifestState.CHANGED, str(said.get(SESSION_LABEL, {}).get("session_id", "")))


def _state_without(report: Report) -> ManifestState:
    states = {Outcome.UNSIGNED: ManifestState.MISSING, Outcome.UNTRUSTED: ManifestState.FOREIGN}
    return states.get(report.outcome, ManifestState.BROKEN)


def _decoded_media(content: bytes, progress: Progress) -> _Media:
    """Pictures and sound, decoded in the sandbox. A file whose pictures cannot be read may still hold sound."""
    content = _decodable(content)
    try:
        clip = _decoded(content, LIMITS, progress)
    except MediaRefused:
        return _sound_alone(content)
    return _Media(content, clip, clip.pcm if len(clip.pcm) else None, bool(clip.report.get("has_sound")))


def _decodable(content: bytes) -> bytes:
    """Sent frames get the track of their sound, without which no decoder reads them."""
    try:
        is_sent = _media_type(content) == c2pa_files.MP4 and video.is_fragment_file(content)
        return fmp4.with_sound_track(content) if is_sent else content
    except FragmentInvalid:
        return content


def _sound_alone(content: bytes) -> _Media:
    try:
        return _Media(content, None, track_sound(content, limits=LIMITS).pcm, has_sound=True)
    except MediaRefused:
        return _Media(content, None, None, has_sound=False)


def _listen(media: _Media, asking: Asking, progress: Progress) -> Listened | None:
    """Read the mark in the sound; None without any that could be read."""
    if media.pcm is None:
        return None
    return clip_sound.listen(media.pcm, PCM_RATE_HZ, asking.of_sound(), progress, read_s=clip_sound.READ_S)


def _sound_state(media: _Media, sound: Listened | None, *, is_known: bool) -> SoundState:
    if sound is None:
        return SoundState.UNREADABLE if media.has_sound else SoundState.NONE
    if sound.is_too_short:
        return SoundState.TOO_SHORT
    if sound.is_cut and sound.reading.verdict is Verdict.NO_MARK:
        return SoundState.CUT
    read = resolve(sound.reading, is_known=is_known, content_matches=None)
    return SoundState.POINTS if read is Verdict.POINTS_TO_MANIFEST else SoundState(read.value)


def _look_at_pictures(media: _Media, asking: Asking, progress: Progress) -> _Pictures | None:
    """Read the mark in the pictures. None without any that could carry one."""
    clip = media.clip
    if clip is None:
        return None
    try:
        looked = clip_reading.look(clip.frames, _closer(media.content, clip), asking.would_tell, progress)
    except FrameTooSmall:
        return None
    told = asking.tell(looked.asked)
    evidence = {
        "pictures": len(clip.frames), "is_searched": told.is_searched, "is_search_cut": looked.is_search_cut,
        "is_clip_longer": clip.seconds > MAX_SECONDS - 1.0,
        "tampering": told.reading.tampering.value if told.reading.tampering else "",
    }
    return _Pictures(told.reading, list(clip_reading.content_trace(clip.frames, clip.fps)), evidence)


def _decoded(content: bytes, limits: Limits, progress: Progress) -> TrackedClip:
    return track_clip(content, limits=limits, want=frozenset(),
                      on_progress=lambda done, total: progress("reading", done, total))


def _closer(content: bytes, clip: TrackedClip) -> list[Callable[[], Pictures]]:
    """Where a search looks: at the beginning and at the middle, each a second at full size; at the still itself."""
    starts_s = [0.0] if clip.seconds < 2 * CLOSER_READ_S else [0.0, clip.seconds / 2]
    limits = replace(LIMITS, max_work_side_px=CLOSER_SIDE_PX, max_output_side_px=CLOSER_SIDE_PX, read_s=CLOSER_READ_S)

    def at(start_s: float) -> Callable[[], Pictures]:
        def decoded() -> Pictures:
            try:
                return _decoded(content, replace(limits, skip_s=start_s), silent).frames
            except MediaRefused:
                # It could be read at another size before, so this is a limit of ours: there is nothing to search here.
                return np.empty((0, 0, 0, 3), dtype=np.uint8)

        return decoded

    return [at(start_s) for start_s in starts_s]


def _slot(reading: MarkReading) -> MarkSlot | None:
    if reading.verdict is not Verdict.PAYLOAD_READ or reading.payload_hex is None:
        return None
    return MarkSlot.objects.select_related("manifest").filter(public_id=reading.payload_hex).first()


def _compared(session: SessionManifest, pictures: _Pictures) -> Comparison:
    """The pictures against the session's recorded coarse shape."""
    matches = content_matches([int(text, 16) for text in session.content_hashes], pictures.trace)
    if matches is None:
        return Comparison.NOT_RECORDED
    is_whole = not pictures.evidence["is_searched"] or pictures.reading.verdict is not Verdict.PAYLOAD_READ
    if not matches:
        # A part of a picture has another coarse shape than the whole, so this alone accuses nobody.
        return Comparison.DIFFERS if is_whole else Comparison.CUT
    return Comparison.STILL if pictures.evidence["pictures"] == 1 else Comparison.AGREES
