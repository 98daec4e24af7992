"""The passes over a clip: where is the face (to place a square crop), then every frame and all sound."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import cv2
import numpy as np
from decode import PCM_RATE_HZ, Media, Picture, Refused, Sound, hear, open_media, walk
from landmarks import LANDMARKS, Models

CROWD_EVERY_S = 0.4  # how often single frames are searched for a second person
CROWD_SAMPLES = 2  # this many samples with two faces make it certain
LOOK_FRAMES = 25  # frames looked at to place the crop
SHORT_OF_DECLARED = 0.9  # less than this share of the declared length means that the file is cut off


@dataclass(frozen=True)
class Window:
    """The part of a work picture that is kept, and the size it is kept at."""

    left: int
    top: int
    width: int
    height: int
    out_width: int
    out_height: int

    def cut(self, rgb: np.ndarray) -> np.ndarray:
        """[out_height, out_width(, 3)] of the picture or mask."""
        part = rgb[self.top : self.top + self.height, self.left : self.left + self.width]
        if (self.width, self.height) == (self.out_width, self.out_height):
            return np.ascontiguousarray(part)
        shrinks = self.out_width < self.width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(part, (self.out_width, self.out_height), interpolation=how)

    def move(self, points: np.ndarray) -> np.ndarray:
        """Landmarks of the work picture in pixels of the kept picture. Depth scales with x."""
        scale = np.array([self.out_width / self.width, self.out_height / self.height, 1.0], np.float32)
        scale[2] = scale[0]
        return (points - np.array([self.left, self.top, 0], np.float32)) * scale


@dataclass
class Tally:
    """What is known so far about the clip."""

    times_s: list[float] = field(default_factory=list)
    found: int = 0
    faces: int = 0  # in the last sampled frame
    crowded: int = 0  # samples with two faces
    next_crowd_s: float = -1e9
    pcm: list[tuple[float, np.ndarray]] = field(default_factory=list)


def track(
    file: BinaryIO, models: Models, order: dict[str, Any], on_frames: Callable[[int, int], None]
) -> dict[str, Any]:
    """Decode and track the whole clip into the output files. Returns the report. Raises Refused."""
    limits, want, size = order["limits"], order["want"], order["size"]
    media = open_media(file, limits)
    window = _place(media, models, limits, size, look="landmarks" in want)
    file.seek(0)
    media = open_media(file, limits)
    tally = Tally()
    expected = _expected_frames(media, limits)
    _check_output(expected, window, limits)
    for part in walk(media, limits):
        if isinstance(part, Sound):
            tally.pcm.append((part.time_s, part.pcm))
            continue
        if tally.times_s and part.time_s <= tally.times_s[-1]:
            continue  # a repeated or backward time stamp is a broken muxer's; the next frame stands for it
        _keep(part, models, window, tally, want, order["fds"])
        if len(tally.times_s) % 10 == 0:
            on_frames(len(tally.times_s), expected)
    _check_whole(media, tally, limits, want)
    samples = _write_sound(tally, limits, order["fds"]["pcm"])
    times = np.asarray(tally.times_s, np.float64)
    _write(order["fds"]["frame_time_s"], times - times[0])
    return {
        "frames": len(times),
        "height": window.out_height,
        "width": window.out_width,
        "samples": samples,
        "has_sound": media.has_sound,
        "codec": media.video.codec_context.name,
        "source_width": media.video.codec_context.width,
        "source_height": media.video.codec_context.height,
        "crowded_samples": tally.crowded,
    }


def listen(file: BinaryIO, order: dict[str, Any]) -> dict[str, Any]:
    """Write the sound alone, from its own beginning on. Returns the report. Raises Refused."""
    samples = 0
    for piece in hear(file, order["limits"]):
        _write(order["fds"]["pcm"], piece)
        samples += len(piece)
    if not samples:
        raise Refused("media.no_sound")
    return {"samples": samples}


def _keep(
    part: Picture, models: Models, window: Window, tally: Tally, want: list[str], fds: dict[str, int]
) -> None:
    """Write one frame and what was found in it."""
    tally.times_s.append(part.time_s)
    _write(fds["frames"], window.cut(part.rgb))
    if "landmarks" in want:
        points = models.landmarks(part.rgb)
        if part.time_s >= tally.next_crowd_s:
            tally.next_crowd_s = part.time_s + CROWD_EVERY_S
            tally.faces = models.faces(part.rgb)
            tally.crowded += tally.faces > 1
        if tally.crowded >= CROWD_SAMPLES:
            raise Refused("media.several_people", at_s=part.time_s - tally.times_s[0])
        tally.found += points is not None
        missing = np.full((LANDMARKS, 3), np.nan, np.float32)
        _write(fds["landmarks"], missing if points is None else window.move(points))
        _write(fds["face_count"], np.uint8(0 if points is None else max(1, tally.faces)))
    if "mask" in want:
        _write(fds["mask"], (window.cut(models.mask(part.rgb)) * 255.0).round().clip(0, 255).astype(np.uint8))


def _place(media: Media, models: Models, limits: dict[str, Any], size: int | None, *, look: bool) -> Window:
    """Whole frame when no size is asked for; else the largest square with the face in its middle, fixed for the clip."""
    faces: list[np.ndarray] = []
    shape: tuple[int, int] | None = None
    for number, part in enumerate(walk(media, limits, sound=False)):
        if not isinstance(part, Picture):
            continue
        shape = part.rgb.shape[:2]
        if size is None or not look or media.is_still or shape[0] == shape[1] or number >= LOOK_FRAMES:
            break
        points = models.landmarks(part.rgb)
        if points is not None:
            faces.append(points[:, :2].mean(axis=0))
    if shape is None:
        raise Refused("media.truncated")
    height, width = shape
    if size is None:
        scale = min(1.0, limits["max_output_side_px"] / min(height, width))
        return Window(0, 0, width, height, round(width * scale / 2) * 2, round(height * scale / 2) * 2)
    side = min(height, width)
    centre = np.median(faces, axis=0) if faces else np.array([width / 2, height / 2])
    left, top = (int(np.clip(round(c - side / 2), 0, m - side)) for c, m in zip(centre, (width, height), strict=True))
    return Window(left, top, side, side, size, size)


def _expected_frames(media: Media, limits: dict[str, Any]) -> int:
    """A guess for the progress bar and for the size check; 0 when the header says nothing."""
    rate = float(media.video.average_rate or limits["max_fps"])
    return int(_read_s(media, limits) * min(rate, limits["max_fps"]))


def _read_s(media: Media, limits: dict[str, Any]) -> float:
    """How much of the clip is read: what is left after the part passed over, or as much as was asked for."""
    left_s = max((media.declared_s or 0.0) - limits["skip_s"], 0.0)
    return min(left_s, limits["read_s"]) if limits["read_s"] else left_s


def _check_output(frames: int, window: Window, limits: dict[str, Any]) -> None:
    need = frames * window.out_height * window.out_width * 3
    if need > limits["max_output_bytes"]:
        raise Refused("media.too_large", decoded_bytes=need)


def _check_whole(media: Media, tally: Tally, limits: dict[str, Any], want: list[str]) -> None:
    """What only the end can tell: length, frame rate, faces."""
    times = tally.times_s
    if media.is_still and times:
        return
    if len(times) < 2:
        raise Refused("media.truncated" if not times else "media.too_short", seconds=0.0)
    fps = (len(times) - 1) / (times[-1] - times[0])
    seconds = len(times) / fps
    if media.declared_s is not None and seconds < _read_s(media, limits) * SHORT_OF_DECLARED - 0.2:
        raise Refused("media.truncated", seconds=seconds, declared_seconds=media.declared_s)
    if seconds < limits["min_seconds"]:
        raise Refused("media.too_short", seconds=seconds)
    if fps < limits["min_fps"]:
        raise Refused("media.frame_rate", fps=fps)
    if "landmarks" in want and tally.found < limits["min_face_share"] * len(times):
        raise Refused("media.no_face", face_share=tally.found / len(times))


def _write_sound(tally: Tally, limits: dict[str, Any], fd: int) -> int:
    """Lay the pieces on one line that starts with the first frame. Returns the number of samples.

    The line ends with the pictures. Where a stretch of the clip was asked for it ends with that: what is said under a
    picture that stands still belongs to it.
    """
    if not tally.pcm:
        return 0
    start_s = tally.times_s[0]
    end_s = start_s + limits["read_s"] if limits["read_s"] else tally.times_s[-1] + 1.0
    line = np.zeros(int((end_s - start_s) * PCM_RATE_HZ), np.int16)
    used = 0
    at = round((tally.pcm[0][0] - start_s) * PCM_RATE_HZ)
    for time_s, piece in tally.pcm:
        named = round((time_s - start_s) * PCM_RATE_HZ)
        if abs(named - at) > PCM_RATE_HZ // 20:  # a true gap, not the rounding of time stamps
            at = named
        lo, hi = max(at, 0), min(at + len(piece), len(line))
        if lo < hi:
            line[lo:hi] = piece[lo - at : hi - at]
            used = max(used, hi)
        at += len(piece)
    _write(fd, line[:used])
    return used


def _write(fd: int, array: np.ndarray) -> None:
    """Append the raw bytes. The size of a file is bounded by the resource limit."""
    view = memoryview(np.ascontiguousarray(array)).cast("B") if array.ndim else memoryview(array.tobytes())
    while view:
        try:
            view = view[os.write(fd, view) :]
        except OSError as error:
            raise Refused("media.too_large") from error
