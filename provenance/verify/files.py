"""Which verification a file needs, by its first bytes (never by its name)."""

from pathlib import Path

import av

from provenance.manifests.errors import FragmentInvalid
from provenance.marks.keys import MarkKey
from provenance.verify import video
from provenance.verify.reports import Outcome, Report
from trustcore.primitives.errors import TrustcoreError

MAX_FILE_BYTES = 2 * 1024**3
_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


def verify_file(
    path: Path, *, anchor_pem: str, mark_key: MarkKey | None = None, progress: video.Progress = video.SILENT,
) -> Report:
    """The verdict on one file. Never raises for what is wrong with the file: that is the verdict."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return _unreadable(path, "This file is larger than 2 GB.")
        encoded = path.read_bytes()
    except OSError as error:
        return _unreadable(path, f"The file cannot be opened: {error.strerror}.")
    report = _judge(path, encoded, anchor_pem, progress)
    if mark_key is not None and report.kind.startswith(("recording", "video")):
        report.mark = _mark(encoded, mark_key, progress)
    return report


def _judge(path: Path, encoded: bytes, anchor_pem: str, progress: video.Progress) -> Report:
    if encoded[4:8] == b"ftyp":
        try:
            if video.is_fragment_file(encoded):
                return video.verify_fragment_file(str(path), encoded, anchor_pem, progress)
        except FragmentInvalid as error:
            return Report(str(path), "video file", Outcome.CHANGED, [error.message])
        return video.verify_whole_file(str(path), encoded, anchor_pem)
    for magic, media_type in _IMAGES.items():
        if encoded.startswith(magic):
            return video.verify_whole_file(str(path), encoded, anchor_pem, media_type)
    return _unreadable(path, "This is no MP4, JPEG, PNG or evidence bundle." if encoded else "The file is empty.")


def _mark(encoded: bytes, key: MarkKey, progress: video.Progress) -> dict[str, object] | str:
    try:
        return video.read_mark(encoded, key, progress)
    except (av.FFmpegError, TrustcoreError, ValueError, IndexError) as error:
        return f"could not be read: {error}"


def _unreadable(path: Path, why: str) -> Report:
    return Report(str(path), "unknown", Outcome.UNREADABLE, [why])
