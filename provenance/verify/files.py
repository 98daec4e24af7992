"""Which verification a file needs, by its first bytes (never by its name)."""

from pathlib import Path

import av

from provenance import bundles
from provenance.bundle_checks import report_on
from provenance.manifests import fmp4
from provenance.manifests.errors import FragmentInvalid
from provenance.marks.keys import AnyMarkKey, PresenceKey
from provenance.verify import sound, video
from provenance.verify.folders import read_bounded
from provenance.verify.reports import Outcome, Report
from trustcore.primitives.errors import TrustcoreError

BUNDLE_KIND = "evidence bundle"
MAX_FILE_BYTES = 2 * 1024**3
_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


def verify_file(
    path: Path, *, anchor_pem: str, mark_key: AnyMarkKey | None = None, init: bytes = b"",
    progress: video.Progress = video.silent, tsa_anchor_pem: str = "",
) -> Report:
    """The verdict on one file. Never raises for what is wrong with the file: that is the verdict.

    Args:
        path: an ordinary file of at most MAX_FILE_BYTES.
        anchor_pem: the authority you trust; "" when you have none.
        mark_key: to read the watermark with.
        init: the session manifest of fragments that come without one.
        tsa_anchor_pem: the time-stamp authority whose time you believe; "" when you have none.
        progress: told how far the reading is.
    """
    encoded, problem = read_bounded(path, MAX_FILE_BYTES)
    if problem:
        return unreadable(path, problem)
    report = _judge(path, encoded, anchor_pem, init, progress, tsa_anchor_pem)
    if mark_key is not None:
        report.mark = _mark(report.kind, encoded, mark_key, progress)
        report.sound = _sound(report.kind, encoded, mark_key, progress)
    return report


def _media(kind: str, encoded: bytes) -> bytes:
    """The media to read a mark from: the file itself, or the first recording of an evidence bundle."""
    if kind == BUNDLE_KIND:
        files = bundles.read_files(encoded)
        names = sorted(name for name in files if name.startswith("recordings/"))
        encoded = files[names[0]] if names else b""
    is_sent = encoded[4:8] == b"ftyp" and video.is_fragment_file(encoded)
    return fmp4.with_sound_track(encoded) if is_sent else encoded


def _judge(
    path: Path, encoded: bytes, anchor_pem: str, init: bytes, progress: video.Progress, tsa_anchor_pem: str,
) -> Report:
    if encoded[4:8] == b"ftyp":
        return _judge_mp4(str(path), encoded, anchor_pem, progress, tsa_anchor_pem)
    if encoded[4:8] in {b"emsg", b"moof"}:
        return video.verify_fragments(str(path), encoded, init, anchor_pem, progress)
    if bundles.is_bundle(encoded):
        return report_on(str(path), encoded, anchor_pem)
    for magic, media_type in _IMAGES.items():
        if encoded.startswith(magic):
            return video.verify_whole_file(str(path), encoded, anchor_pem, media_type, tsa_anchor_pem)
    return unreadable(path, "This is no MP4, JPEG, PNG or evidence bundle." if encoded else "The file is empty.")


def _judge_mp4(
    name: str, encoded: bytes, anchor_pem: str, progress: video.Progress, tsa_anchor_pem: str,
) -> Report:
    try:
        if video.is_fragment_file(encoded):
            return video.verify_fragment_file(name, encoded, anchor_pem, progress)
        if video.is_manifest_alone(encoded):
            return video.verify_init_segment(name, encoded, anchor_pem)
    except FragmentInvalid as error:
        return Report(name, "video file", Outcome.CHANGED, [error.message])
    return video.verify_whole_file(name, encoded, anchor_pem, tsa_anchor_pem=tsa_anchor_pem)


def _mark(kind: str, encoded: bytes, key: AnyMarkKey, progress: video.Progress) -> dict[str, object] | str:
    try:
        pictures = _media(kind, encoded)
        return video.read_mark(pictures, key, progress) if pictures else "not checked: there is no video in it"
    except (av.FFmpegError, TrustcoreError, ValueError, IndexError) as error:
        return f"could not be read: {error}"


def _sound(kind: str, encoded: bytes, key: AnyMarkKey, progress: video.Progress) -> dict[str, object] | str:
    if isinstance(key, PresenceKey):
        return "not checked: a presence key finds the mark of pictures only"
    try:
        media = _media(kind, encoded)
        return sound.read_sound_mark(media, key, progress) if media else sound.NO_SOUND
    except (av.FFmpegError, TrustcoreError, ValueError) as error:
        return f"could not be read: {error}"


def unreadable(path: Path, why: str) -> Report:
    """The report on what cannot be looked at."""
    return Report(str(path), "unknown", Outcome.UNREADABLE, [why])
