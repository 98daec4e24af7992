"""Open untrusted media with PyAV and walk through it once. Only listed containers and codecs are touched."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import av
import av.audio.resampler
import av.error
import av.video.reformatter
import numpy as np

# PyAV loads parts of itself when it first meets a kind of stream; after the lock nothing can be read from disk.
for _part in pkgutil.walk_packages(av.__path__, "av."):
    if not _part.name.endswith("__main__"):
        importlib.import_module(_part.name)

CONTAINERS = "mov,matroska"  # MP4, MOV, WebM, MKV
SOUND_CONTAINERS = "mov,matroska,ogg,mp3,wav,flac,aac"  # where the sound alone is asked for
STILL_CONTAINERS = "png_pipe,jpeg_pipe,webp_pipe"
STILL_CODECS = {"png", "mjpeg", "webp"}
VIDEO_CODECS = {"h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9", "mpeg4"}
AUDIO_CODECS = {"aac", "opus", "libopus", "vorbis", "libvorbis", "mp3", "mp3float", "flac", "pcm_s16le"}
PCM_RATE_HZ = 16_000
BROKEN_PACKETS = 0.05  # share of undecodable packets above which the clip counts as damaged


class Refused(Exception):
    """The clip is refused; `code` is one of the caller's table, facts are short numbers or words."""

    def __init__(self, code: str, **facts: float | str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass
class Media:
    """An opened file with its picture and, perhaps, sound."""

    container: Any
    video: Any
    audio: Any | None
    declared_s: float | None  # what the header says, None when it says nothing (live recordings)
    is_still: bool = False

    @property
    def has_sound(self) -> bool:
        """Whether the file has a sound track at all, of whatever codec."""
        return bool(self.container.streams.audio)


def open_media(file: BinaryIO, limits: dict[str, Any]) -> Media:
    """Open and check everything that the headers tell. Raises Refused."""
    head = file.read(12)
    file.seek(0)
    known = head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide") or head[:4] == b"\x1a\x45\xdf\xa3"
    is_still = limits["allows_stills"] and _is_still(head)
    containers = STILL_CONTAINERS if is_still else CONTAINERS
    try:
        container = av.open(file, options={"format_whitelist": containers, "protocol_whitelist": ""})
    except (av.error.FFmpegError, ValueError) as error:
        raise Refused("media.truncated" if known or is_still else "media.not_video") from error
    if not container.streams.video:
        raise Refused("media.no_picture" if container.streams.audio else "media.not_video")
    video = container.streams.video[0]
    if video.codec_context is None or video.codec_context.name not in (STILL_CODECS if is_still else VIDEO_CODECS):
        raise Refused("media.codec", codec="unknown" if video.codec_context is None else video.codec_context.name)
    _check_size(video.codec_context.width, video.codec_context.height, limits)
    video.codec_context.options = {"max_pixels": str(limits["max_side_px"] ** 2)}
    video.codec_context.thread_count = 1
    declared = None if container.duration is None else container.duration / 1e6
    if is_still:
        return Media(container, video, None, None, is_still=True)
    if declared is not None and declared > limits["max_seconds"] + 0.5:
        raise Refused("media.too_long", seconds=declared)
    # Sound may go on after the pictures have ended; the pictures are whole all the same.
    pictures_s = declared if video.duration is None else float(video.duration * video.time_base)
    return Media(container, video, _usable_audio(container), pictures_s)


def hear(file: BinaryIO, limits: dict[str, Any]) -> Iterator[np.ndarray]:
    """The first sound track of a file, with or without pictures: pieces of int16 [n] at PCM_RATE_HZ, in order.

    Raises Refused when there is none that can be read.
    """
    try:
        container = av.open(file, options={"format_whitelist": SOUND_CONTAINERS, "protocol_whitelist": ""})
    except (av.error.FFmpegError, ValueError) as error:
        raise Refused("media.no_sound") from error
    audio = _usable_audio(container)
    if audio is None:
        raise Refused("media.no_sound")
    resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono", rate=PCM_RATE_HZ)
    left = int(limits["read_s"] * PCM_RATE_HZ)
    for packet in container.demux(audio):
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            continue
        for frame in decoded:
            frame.pts = None  # gaps in time stamps are no sound
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray().reshape(-1)[:left]
                left -= len(samples)
                yield samples
            if left <= 0:
                return


def _is_still(head: bytes) -> bool:
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return head.startswith((b"\x89PNG", b"\xff\xd8\xff")) or is_webp


def _usable_audio(container: Any) -> Any | None:
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.name in AUDIO_CODECS:
            stream.codec_context.thread_count = 1
            return stream
    return None


def _check_size(width: int, height: int, limits: dict[str, Any]) -> None:
    if min(width, height) < limits["min_side_px"] or max(width, height) > limits["max_side_px"]:
        raise Refused("media.dimensions", width=width, height=height)


@dataclass
class Picture:
    """One frame at work size."""

    time_s: float  # in the container's clock
    rgb: np.ndarray  # [H, W, 3] uint8, short side at most the limit's `max_work_side_px`


@dataclass
class Sound:
    """A piece of mono sound at PCM_RATE_HZ."""

    time_s: float
    pcm: np.ndarray  # [n] int16


def walk(media: Media, limits: dict[str, Any], *, sound: bool = True) -> Iterator[Picture | Sound]:
    """Decode in file order. Frames above `max_fps` are skipped. Raises Refused when too much is broken or too long."""
    streams = [media.video] + ([media.audio] if sound and media.audio else [])
    resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono", rate=PCM_RATE_HZ)
    first_s: float | None = None
    due_s = -1e9
    packets = broken = index = 0
    for packet in media.container.demux(streams):
        packets += 1
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            broken += 1
            if broken > 20 and broken > packets * BROKEN_PACKETS:
                raise Refused("media.truncated", broken_packets=broken) from None
            continue
        for frame in decoded:
            if isinstance(frame, av.AudioFrame):
                if not _is_past(frame, first_s, limits):
                    yield from _sound(resampler, frame)
                continue
            time_s = frame.time if frame.time is not None else index / 30.0
            index += 1
            first_s = time_s if first_s is None else first_s
            if time_s - first_s > limits["max_seconds"] + 0.5:
                raise Refused("media.too_long", seconds=time_s - first_s)
            if limits["read_s"] and time_s - first_s >= limits["skip_s"] + limits["read_s"]:
                return
            if time_s < due_s or time_s - first_s < limits["skip_s"]:
                continue
            due_s = max(due_s, time_s - 0.5 / limits["max_fps"]) + 0.999 / limits["max_fps"]
            yield Picture(time_s, _work_picture(frame, limits))
    if packets and broken > packets * BROKEN_PACKETS:
        raise Refused("media.truncated", broken_packets=broken)


def _is_past(frame: Any, first_s: float | None, limits: dict[str, Any]) -> bool:
    """Whether sound lies behind the part that is read. A file may hold one picture and hours of it."""
    if first_s is None or frame.time is None or not limits["read_s"]:
        return False
    return bool(frame.time - first_s > limits["skip_s"] + limits["read_s"])


def _sound(resampler: Any, frame: Any) -> Iterator[Sound]:
    time_s = frame.time
    for piece in resampler.resample(frame):
        yield Sound(piece.time if piece.time is not None else time_s or 0.0, piece.to_ndarray().reshape(-1))


def _work_picture(frame: Any, limits: dict[str, Any]) -> np.ndarray:
    _check_size(frame.width, frame.height, limits)  # a stream may change its size after the header was checked
    scale = min(1.0, limits["max_work_side_px"] / min(frame.width, frame.height))
    rgb = frame.to_ndarray(
        format="rgb24",
        width=round(frame.width * scale / 2) * 2,
        height=round(frame.height * scale / 2) * 2,
        interpolation=av.video.reformatter.Interpolation.AREA,
    )
    turns = round(frame.rotation / 90) % 4  # phones store upright video lying down
    return np.ascontiguousarray(np.rot90(rgb, turns)) if turns else rgb
