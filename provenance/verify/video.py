"""Verify recordings: a file of sent fragments frame by frame, or a playable file as a whole."""

import base64
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import av

from provenance.manifests import c2pa_files, fmp4
from provenance.manifests.assertions import SESSION_LABEL, SOFT_BINDING_LABEL
from provenance.manifests.errors import FragmentInvalid, ManifestInvalid, ManifestMissing, SignerUntrusted
from provenance.manifests.recording import RECORDING_LABEL
from provenance.manifests.session_manifest import SessionManifest, read_session_manifest
from provenance.marks.detect import detect
from provenance.marks.keys import AnyMarkKey
from provenance.marks.planes import Planes, planes_of
from provenance.marks.search import SEARCHED_FRAMES, search
from provenance.marks.verdicts import Verdict
from provenance.verify.certificates import SERIAL
from provenance.verify.reports import Outcome, Report
from provenance.verify.stream import RecordingVerifier, StreamCounts, StreamVerifier

Progress = Callable[[int, int], None]  # (frames done, frames in all; 0 when unknown)
MAX_PIXELS = 8192 * 8192  # of one picture whose mark is read
END_UNKNOWN = "Whether frames are missing at the end, only the audit log's segment roots can say."
SHOWN_FACTS = (
    "session_id", "tenant", "replica_id", "replica_version", "consent_id", "consent_receipt_sha256", "policy_id",
    "policy_version", "created_at", "disclosure",
)


def silent(_done: int, _total: int) -> None:
    """No progress shown."""


def is_fragment_file(encoded: bytes) -> bool:
    """Whether these bytes are init + fragments, rather than an ordinary MP4."""
    return any(kind == b"moof" for kind, _, _ in fmp4.walk_boxes(encoded))


def is_manifest_alone(encoded: bytes) -> bool:
    """Whether these bytes hold no media at all: what they sign is a session's manifest, not a picture."""
    return not any(kind in {b"moof", b"mdat"} for kind, _, _ in fmp4.walk_boxes(encoded))


def verify_fragment_file(name: str, encoded: bytes, anchor_pem: str, progress: Progress = silent) -> Report:
    """Judge every frame of a recording made of the very fragments that were sent.

    A session whose viewer came back has a manifest, a key and a run of frames for each connection. Every run is judged
    under its own manifest, and all of them must be of one session, in order, each naming the one before.
    """
    report = Report(name, "recording of sent frames", Outcome.CHANGED)
    runs: list[RecordingVerifier] = []
    done, total = 0, _frame_count(encoded)
    try:
        for run in fmp4.split_runs(encoded):
            init, fragments = fmp4.split_recording(run)
            runs.append(RecordingVerifier(_session_manifest(report, init, anchor_pem)))
            _demand_next(runs)
            done = _check_all(runs[-1], fragments, done, total, progress)
    except (ManifestInvalid, FragmentInvalid) as error:
        return _refused(report, error)
    report.facts |= {**_counted(runs), "last_sequence": runs[-1].pictures.highest, "runs": [_run(one) for one in runs]}
    report.sentences = [*_said_of(runs), *_connections(runs), *_beginnings(runs), END_UNKNOWN]
    if all(map(_is_whole, runs)) and all(map(_begins_at_first, runs)) and not runs[0].manifest.follows:
        report.outcome = Outcome.VERIFIED
    return report


def _demand_next(runs: Sequence[RecordingVerifier]) -> None:
    """The last run goes on where the ones before it ended: the same session, signed by the same signer.

    Raises:
        ManifestInvalid
    """
    if len(runs) < 2:
        return
    before, after = (one.manifest for one in runs[-2:])
    if any(before.facts.get(name) != after.facts.get(name) for name in ("session_id", "tenant", "grant_sha256")):
        raise ManifestInvalid("A part of this recording is of another session.")
    if after.follows != before.label:
        raise ManifestInvalid("Parts of this recording are missing, twice there, or in another order.")
    if after.signer_serial != before.signer_serial or after.media_start_ms < before.media_start_ms:
        raise ManifestInvalid("The parts of this recording do not fit each other.")


def _run(verifier: RecordingVerifier) -> dict[str, Any]:
    pictures, sound = verifier.pictures, verifier.sound
    return {"manifest": verifier.manifest.label, "frames": pictures.counts.verified, "last_sequence": pictures.highest,
            "sound_packets": sound.counts.verified}


def verify_fragments(
    name: str, encoded: bytes, init: bytes, anchor_pem: str, progress: Progress = silent,
) -> Report:
    """Judge fragments that come without their session manifest. `init`: the manifest, from elsewhere; b"" for none."""
    report = Report(name, "fragments", Outcome.UNREADABLE)
    if not init:
        report.sentences = ["These are fragments without their session manifest. Name it with --init FILE."]
        return report
    report.outcome = Outcome.CHANGED
    try:
        verifier = RecordingVerifier(_session_manifest(report, init, anchor_pem))
        _check_all(verifier, fmp4.split_fragments(encoded), 0, _frame_count(encoded), progress)
    except (ManifestInvalid, FragmentInvalid) as error:
        return _refused(report, error)
    report.facts |= _counted([verifier])
    report.sentences = _said_of([verifier])
    pictures = verifier.pictures
    if pictures.counts.verified:
        which = f"They are frames {pictures.lowest} to {pictures.highest}."
        report.sentences.append(f"{which} What came before and after them, this file cannot say.")
    if _is_whole(verifier):
        report.outcome = Outcome.VERIFIED
    return report


def verify_init_segment(name: str, encoded: bytes, anchor_pem: str) -> Report:
    """Judge a session manifest that comes without frames."""
    report = Report(name, "session manifest without frames", Outcome.CHANGED)
    try:
        _session_manifest(report, encoded, anchor_pem)
    except ManifestInvalid as error:
        return _refused(report, error)
    report.outcome = Outcome.VERIFIED
    report.sentences = ["The session manifest holds, and its signer is trusted.", "This file holds no frame."]
    return report


def _session_manifest(report: Report, init: bytes, anchor_pem: str) -> SessionManifest:
    """The manifest, once it is Trusted; what it says goes into the report."""
    manifest = read_session_manifest(init, anchor_pem)
    report.facts = _session_facts(manifest.facts)
    report.facts |= {"signer": manifest.signer_name, "manifest": manifest.label, SERIAL: manifest.signer_serial}
    report.facts |= {"claim_sha256": manifest.claim_sha256}
    return manifest


def _frame_count(encoded: bytes) -> int:
    return sum(1 for kind, _, _ in fmp4.walk_boxes(encoded) if kind == b"moof")


def _check_all(
    verifier: RecordingVerifier, fragments: Iterator[bytes], before: int, total: int, progress: Progress,
) -> int:
    """Judge each picture and each packet of sound; returns how many are done, with those `before`."""
    done = before
    for fragment in fragments:
        verifier.check(fragment)
        done += 1
        progress(done, total)
    return done


def _counted(runs: Sequence[RecordingVerifier]) -> dict[str, dict[str, int]]:
    """The counters of the pictures, and of the sound where there is some."""
    sound = _sum_of([one.sound.counts for one in runs])
    frames = _sum_of([one.pictures.counts for one in runs])
    return {"frames": frames.as_json()} | ({"sound": sound.as_json()} if sound.received else {})


def _sum_of(counts: Sequence[StreamCounts]) -> StreamCounts:
    names = StreamCounts().as_json()
    return StreamCounts(**{name: sum(one.as_json()[name] for one in counts) for name in names})


def _is_whole(verifier: RecordingVerifier) -> bool:
    """Every fragment holds, and none between the first and the last is missing or elsewhere."""
    pictures, sound = verifier.pictures.counts, verifier.sound.counts
    return all(counts.verified == counts.received and counts.gap == counts.reordered == 0
               for counts in (pictures, sound)) and pictures.received > 0


def _begins_at_first(verifier: RecordingVerifier) -> bool:
    return not any(_is_begun_late(one) for one in (verifier.pictures, verifier.sound))


def _is_begun_late(verifier: StreamVerifier) -> bool:
    return verifier.counts.received > 0 and verifier.lowest != verifier.manifest.key.minimum_sequence


def _said_of(runs: Sequence[RecordingVerifier]) -> list[str]:
    pictures, sound = ([getattr(one, track).counts for one in runs] for track in ("pictures", "sound"))
    reasons = {name: sum((Counter(one.reasons[name]) for one in runs), Counter()) for name in ("frame", "packet")}
    said = _frame_sentences(_sum_of(pictures), "frame", reasons["frame"])
    silent_runs = [number for number, one in enumerate(sound, start=1) if not one.received]
    if len(silent_runs) == len(runs):
        return [*said, "It holds no sound. Whether there was some, it cannot say."]
    said += _frame_sentences(_sum_of(sound), "packet", reasons["packet"])
    return said + [f"Connection {number} holds no sound. Whether there was some, it cannot say."
                   for number in silent_runs]


def _frame_sentences(counts: StreamCounts, name: str, reasons: Mapping[str, int]) -> list[str]:
    what = "frames" if name == "frame" else "packets of sound"
    said = [
        f"{counts.verified} of {counts.received} {what} were signed by this session's key for this session.",
    ]
    said += [f"{number} {name}(s): {reason}" for reason, number in reasons.items()]
    if counts.gap:
        said.append(f"{counts.gap} {name}(s) between the first and the last are missing: lost, or cut out.")
    if counts.reordered:
        said.append(f"{counts.reordered} {name}(s) stand in another order than they were made.")
    if not counts.received:
        said.append("The recording holds no frame.")
    return said


def _connections(runs: Sequence[RecordingVerifier]) -> list[str]:
    if len(runs) < 2:
        return []
    return [f"The viewer connected {len(runs)} times; each connection has a session manifest and a key of its own."]


def _beginnings(runs: Sequence[RecordingVerifier]) -> list[str]:
    said = []
    if runs[0].manifest.follows:
        said.append("Another part of this session came before; this file does not hold it.")
    for number, run in enumerate(runs, start=1):
        which, first = "" if len(runs) == 1 else f" in connection {number}", run.manifest.key.minimum_sequence
        said += [
            f"The recording begins at {name} {one.lowest}{which}; the session began at {name} {first}."
            for one, name in ((run.pictures, "frame"), (run.sound, "packet of sound"))
            if one.counts.verified and _is_begun_late(one)
        ]
    return said


def verify_whole_file(
    name: str, encoded: bytes, anchor_pem: str, media_type: str = c2pa_files.MP4, tsa_anchor_pem: str = "",
) -> Report:
    """Judge a file that was signed as a whole."""
    report = Report(name, f"{media_type} file", Outcome.CHANGED)
    try:
        trusted = c2pa_files.read_trusted(encoded, anchor_pem, media_type, tsa_anchor_pem)
    except ManifestInvalid as error:
        return _refused(report, error)
    said = {entry["label"]: entry["data"] for entry in trusted.manifest.get("assertions", [])}
    signature = trusted.manifest.get("signature_info", {})
    report.outcome = Outcome.VERIFIED
    report.facts = _session_facts(said.get(SESSION_LABEL, {}))
    report.facts |= {"signer": signature.get("issuer", ""), "manifest": trusted.label}
    report.facts[SERIAL] = trusted.signer_serial
    report.facts |= {"title": trusted.manifest.get("title", "")}
    report.facts |= said.get(RECORDING_LABEL, {})
    report.facts["mark_payloads"] = _mark_payloads(said.get(SOFT_BINDING_LABEL, {}))
    report.sentences = ["Not one byte of picture or sound has changed since it was signed, and the signer is trusted."]
    report.sentences += _time_sentences(report, trusted)
    if _is_generated(said.get("c2pa.actions.v2", {})):
        report.sentences.append("Its manifest says: this was made by a trained model (an AI replica).")
    return report


def _time_sentences(report: Report, trusted: c2pa_files.TrustedFile) -> list[str]:
    if "timeStamp.validated" not in trusted.codes or not trusted.signed_at:
        return []
    report.facts["time_stamp"] = trusted.signed_at
    if trusted.is_time_trusted:
        return [f"It was signed before {trusted.signed_at}: a time-stamp authority that you trust says so."]
    return [f"It carries a time stamp of {trusted.signed_at}; name the authority's certificate with --tsa FILE."]


def _mark_payloads(binding: dict[str, Any]) -> list[str]:
    """The payloads, 16 hex digits each, that the manifest says the pixels carry; empty when it names none."""
    values = [block.get("value") for block in binding.get("blocks", [])]
    return [base64.b64decode(value).hex() for value in values if isinstance(value, str)]


def _is_generated(actions: dict[str, Any]) -> bool:
    return any("trainedAlgorithmicMedia" in str(entry.get("digitalSourceType")) for entry in actions.get("actions", []))


def _session_facts(said: dict[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in SHOWN_FACTS if name in said and said[name] != ""}


def _refused(report: Report, error: ManifestInvalid | FragmentInvalid) -> Report:
    """The report for a file whose manifest did not hold."""
    report.sentences = [error.message]
    if isinstance(error, ManifestMissing):
        report.outcome = Outcome.UNSIGNED
        report.sentences.append("That is how most files are; it proves nothing either way.")
    elif isinstance(error, SignerUntrusted):
        report.outcome = Outcome.UNTRUSTED
        report.sentences.append("Name the authority you trust with --trust CA.pem.")
    return report


def read_mark(encoded: bytes, key: AnyMarkKey, progress: Progress = silent) -> dict[str, Any]:
    """What the watermark says, in the words that may leave the house.

    The whole file is read for a mark on pictures that were at most scaled. Where there is none, its first frames are
    searched for one on pictures that were also cut, mirrored or set into others (some seconds). With a presence key the
    most that is said is that a mark is there.
    """
    reading = detect(_planes(encoded, progress), key)
    if reading.verdict is Verdict.NO_MARK:
        first = islice(_planes(encoded, silent), SEARCHED_FRAMES)
        reading = search(first, key, on_progress=lambda share: progress(round(100 * share), 100))
    return reading.public()


def _planes(encoded: bytes, progress: Progress) -> Iterator[Planes]:
    bound = {"max_pixels": str(MAX_PIXELS)}  # told to the prober and to the decoder: each allocates what a file states
    with av.open(io.BytesIO(encoded), options=bound) as source:
        source.streams.video[0].codec_context.options = bound
        for done, frame in enumerate(source.decode(video=0)):
            progress(done + 1, source.streams.video[0].frames)
            # A cropped still may have odd sides; the mark does not mind the missing half pixel.
            even = frame.reformat(width=frame.width & ~1, height=frame.height & ~1, format="yuv420p")
            yield planes_of(even.to_ndarray())
