"""Which verification a file needs, by its first bytes (never by its name)."""

from pathlib import Path

import av

from provenance import bundles
from provenance.bundle_checks import report_on
from provenance.manifests.errors import FragmentInvalid
from provenance.marks.keys import MarkKey
from provenance.verify import video
from provenance.verify.reports import Outcome, Report
from trustcore.primitives.errors import TrustcoreError

BUNDLE_KIND = "evidence bundle"
MAX_FILE_BYTES = 2 * 1024**3
_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


def verify_file(
    path: Path, *, anchor_pem: str, mark_key: MarkKey | None = None, progress: video.Progress = video.silent,
    tsa_anchor_pem: str = "",
) -> Report:
    """The verdict on one file. Never raises for what is wrong with the file: that is the verdict."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return _unreadable(path, "This file is larger than 2 GB.")
        encoded = path.read_bytes()
    except OSError as error:
        return _unreadable(path, f"The file cannot be opened: {error.strerror}.")
    report = _judge(path, encoded, anchor_pem, progress, tsa_anchor_pem)
    if mark_key is not None:
        report.mark = _mark(report.kind, encoded, mark_key, progress)
    return report


def _pictures(kind: str, encoded: bytes) -> bytes:
    """The video to read a mark from: the file itself, or the first recording of an evidence bundle."""
    if kind != BUNDLE_KIND:
        return encoded
    files = bundles.read_files(encoded)
    names = sorted(name for name in files if name.startswith("recordings/"))
    return files[names[0]] if names else b""


def _judge(path: Path, encoded: bytes, anchor_pem: str, progress: video.Progress, tsa_anchor_pem: str) -> Report:
    if encoded[4:8] == b"ftyp":
        try:
            if video.is_fragment_file(encoded):
                return video.verify_fragment_file(str(path), encoded, anchor_pem, progress)
        except FragmentInvalid as error:
            return Report(str(path), "video file", Outcome.CHANGED, [error.message])
        return video.verify_whole_file(str(path), encoded, anchor_pem, tsa_anchor_pem=tsa_anchor_pem)
    if bundles.is_bundle(encoded):
        return report_on(str(path), encoded, anchor_pem)
    for magic, media_type in _IMAGES.items():
        if encoded.startswith(magic):
            return video.verify_whole_file(str(path), encoded, anchor_pem, media_type, tsa_anchor_pem)
    return _unreadable(path, "This is no MP4, JPEG, PNG or evidence bundle." if encoded else "The file is empty.")


def _mark(kind: str, encoded: bytes, key: MarkKey, progress: video.Progress) -> dict[str, object] | str:
    try:
        pictures = _pictures(kind, encoded)
        return video.read_mark(pictures, key, progress) if pictures else "not checked: there is no video in it"
    except (av.FFmpegError, TrustcoreError, ValueError, IndexError) as error:
        return f"could not be read: {error}"


def _unreadable(path: Path, why: str) -> Report:
    return Report(str(path), "unknown", Outcome.UNREADABLE, [why])
