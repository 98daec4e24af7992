"""Verify recordings: a file of sent fragments frame by frame, or a playable file as a whole."""

import base64
import io
from collections.abc import Callable, Iterator
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
from provenance.verify.stream import StreamCounts, StreamVerifier

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
    runs: list[StreamVerifier] = []
    reasons: dict[str, int] = {}
    total = _frame_count(encoded)
    try:
        for run in fmp4.split_runs(encoded):
            init, fragments = fmp4.split_recording(run)
            runs.append(StreamVerifier(_session_manifest(report, init, anchor_pem)))
            _demand_next(runs)
            _check_frames(runs[-1], fragments, lambda: progress(_sum_of(runs).received, total), reasons)
    except (ManifestInvalid, FragmentInvalid) as error:
        return _refused(report, error)
    counts = _sum_of(runs)
    report.facts |= {"frames": counts.as_json(), "last_sequence": runs[-1].highest, "runs": [_run(one) for one in runs]}
    report.sentences = [*_frame_sentences(counts, reasons), *_connections(runs), *_beginnings(runs), END_UNKNOWN]
    is_whole = all(_is_whole(one.counts) and one.lowest == one.manifest.key.minimum_sequence for one in runs)
    if is_whole and not runs[0].manifest.follows:
        report.outcome = Outcome.VERIFIED
    return report


def _demand_next(runs: list[StreamVerifier]) -> None:
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


def _sum_of(runs: list[StreamVerifier]) -> StreamCounts:
    counted = [one.counts.as_json() for one in runs]
    return StreamCounts(**{name: sum(counts[name] for counts in counted) for name in counted[0]})


def _run(verifier: StreamVerifier) -> dict[str, Any]:
    return {"manifest": verifier.manifest.label, "frames": verifier.counts.verified, "last_sequence": verifier.highest}


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
        verifier = StreamVerifier(_session_manifest(report, init, anchor_pem))
        reasons: dict[str, int] = {}
        fragments, total = fmp4.split_fragments(encoded), _frame_count(encoded)
        _check_frames(verifier, fragments, lambda: progress(verifier.counts.received, total), reasons)
    except (ManifestInvalid, FragmentInvalid) as error:
        return _refused(report, error)
    report.facts["frames"] = verifier.counts.as_json()
    report.sentences = _frame_sentences(verifier.counts, reasons)
    if verifier.counts.verified:
        which = f"They are frames {verifier.lowest} to {verifier.highest}."
        report.sentences.append(f"{which} What came before and after them, this file cannot say.")
    if _is_whole(verifier.counts):
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


def _check_frames(
    verifier: StreamVerifier, fragments: Iterator[bytes], progress: Callable[[], None], reasons: dict[str, int],
) -> None:
    """Judge each frame, and count in `reasons` what was wrong how often."""
    for fragment in fragments:
        verdict = verifier.check_fragment(fragment)
        if verdict.reason:
            reasons[verdict.reason] = reasons.get(verdict.reason, 0) + 1
        progress()


def _is_whole(counts: StreamCounts) -> bool:
    return counts.verified == counts.received > 0 and counts.gap == counts.reordered == 0


def _frame_sentences(counts: StreamCounts, reasons: dict[str, int]) -> list[str]:
    said = [
        f"{counts.verified} of {counts.received} frames were signed by this session's key for this session.",
    ]
    said += [f"{number} frame(s): {reason}" for reason, number in reasons.items()]
    if counts.gap:
        said.append(f"{counts.gap} frame(s) between the first and the last are missing: lost, or cut out.")
    if counts.reordered:
        said.append(f"{counts.reordered} frame(s) stand in another order than they were made.")
    if not counts.received:
        said.append("The recording holds no frame.")
    return said


def _connections(runs: list[StreamVerifier]) -> list[str]:
    if len(runs) < 2:
        return []
    return [f"The viewer connected {len(runs)} times; each connection has a session manifest and a key of its own."]


def _beginnings(runs: list[StreamVerifier]) -> list[str]:
    said = []
    if runs[0].manifest.follows:
        said.append("Another part of this session came before; this file does not hold it.")
    for number, run in enumerate(runs, start=1):
        first, which = run.manifest.key.minimum_sequence, "" if len(runs) == 1 else f" in connection {number}"
        if run.counts.verified and run.lowest != first:
            said.append(f"The recording begins at frame {run.lowest}{which}; the session began at frame {first}.")
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
