"""Footage with one fault each, from the in-tree person's own: things before the face, wrong sound, other formats."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

from rendering.demo import clips
from rendering.engine import landmarks as lm
from trustcore.tracker import TrackedClip, track_clip

Array = np.ndarray[Any, np.dtype[Any]]
SECONDS = 13.0
RIM = (25, 22, 20)
BEARD = np.array([38.0, 26.0, 20.0])


@dataclass(frozen=True)
class Take:
    """Frames, their landmarks, rate and sound, before they are encoded."""

    frames: Array  # [T, H, W, 3] uint8
    points: Array  # [T, 478, 3]
    fps: float
    pcm: Array  # int16
    rate_hz: int


@lru_cache(maxsize=1)
def clean() -> Take:
    """The first seconds of the committed footage, tracked."""
    clip = tracked(clips.committed_footage())
    count = round(SECONDS * clip.fps)
    return Take(clip.frames[:count], clip.landmarks[:count], clip.fps, clip.pcm[: round(SECONDS * clip.pcm_rate)],
                clip.pcm_rate)  # fmt: skip


def tracked(media: bytes) -> TrackedClip:
    return track_clip(media, want=frozenset({"landmarks", "mask"}))


def drawn_over(take: Take, draw: Callable[[ImageDraw.ImageDraw, Array, float], None], every: Callable[[int], bool]
               ) -> Take:
    """A copy with `draw(canvas, points, eye distance)` done on the frames for which `every` says so."""
    frames = take.frames.copy()
    for index in filter(every, range(len(frames))):
        image = Image.fromarray(frames[index])
        points = take.points[index]
        eye = float(np.linalg.norm(points[lm.RIGHT_OUTER_EYE, :2] - points[lm.LEFT_OUTER_EYE, :2]))
        draw(ImageDraw.Draw(image), points, eye)
        frames[index] = np.asarray(image)
    return Take(frames, take.points, take.fps, take.pcm, take.rate_hz)


def glasses(take: Take) -> Take:
    def draw(canvas: ImageDraw.ImageDraw, points: Array, eye: float) -> None:
        for outer, inner in ((33, 133), (362, 263)):
            x, y = (points[outer, :2] + points[inner, :2]) / 2
            canvas.ellipse((x - 0.24 * eye, y - 0.16 * eye, x + 0.24 * eye, y + 0.22 * eye), outline=RIM, width=3)
        left, right = points[133, :2] + [0.06 * eye, 0], points[362, :2] - [0.06 * eye, 0]
        canvas.line([tuple(left), tuple(right)], fill=RIM, width=3)

    return drawn_over(take, draw, lambda index: True)


def hand(take: Take) -> Take:
    """A hand before the lower half of the face in every fourth second."""
    def draw(canvas: ImageDraw.ImageDraw, points: Array, eye: float) -> None:
        x, y = points[lm.NOSE_TIP, :2] + [0, 0.3 * eye]
        canvas.ellipse((x - 0.8 * eye, y - 0.7 * eye, x + 0.8 * eye, y + 1.2 * eye), fill=(120, 78, 62))
        for finger in range(3):
            at = x - 0.4 * eye + 0.4 * eye * finger
            canvas.line([(at, y - 0.6 * eye), (at, y + 0.5 * eye)], fill=(70, 42, 34), width=2)

    return drawn_over(take, draw, lambda index: int(index / take.fps) % 4 == 1)


def beard(take: Take) -> Take:
    """Dark stubble below nose and cheeks that moves with the face."""
    frames, random = take.frames.copy(), np.random.default_rng(5)
    speckle = random.random(frames.shape[1:3]) < 0.7
    region = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 326, 2, 97)
    for index, points in enumerate(take.points):
        mask = Image.new("L", frames.shape[2:0:-1])
        canvas = ImageDraw.Draw(mask)
        canvas.polygon([tuple(points[i, :2]) for i in region], fill=200)
        canvas.polygon([tuple(points[i, :2]) for i in (61, 39, 0, 269, 291, 405, 17, 181)], fill=0)
        share = (np.asarray(mask) / 255.0 * speckle)[..., None]
        frames[index] = (frames[index] * (1 - share) + BEARD * share).astype(np.uint8)
    return Take(frames, take.points, take.fps, take.pcm, take.rate_hz)


def two_people(take: Take) -> Take:
    """The same person twice, side by side."""
    return Take(np.concatenate([take.frames, take.frames[::-1]], axis=2), take.points, take.fps, take.pcm, take.rate_hz)


def changing_light(take: Take) -> Take:
    seconds = np.arange(len(take.frames)) / take.fps
    gain = np.clip(1.0 + 0.75 * np.sin(2 * np.pi * seconds / 5), 0.2, 1.7)[:, None, None, None]
    frames = np.clip(take.frames * gain, 0, 255).astype(np.uint8)
    return Take(frames, take.points, take.fps, take.pcm, take.rate_hz)


def portrait(take: Take) -> Take:
    """Higher than wide, as a phone films."""
    cut = take.frames.shape[2] // 5
    frames = np.pad(take.frames[:, :, cut:-cut], ((0, 0), (0, 60), (0, 0), (0, 0)), mode="edge")
    return Take(frames, take.points, take.fps, take.pcm, take.rate_hz)


def at_rate(take: Take, fps: float) -> Take:
    """The same moments at another frame rate: frames are repeated or left out."""
    moments = np.arange(int(SECONDS * fps)) / fps
    index = np.minimum((moments * take.fps).astype(int), len(take.frames) - 1)
    return Take(take.frames[index], take.points[index], fps, take.pcm, take.rate_hz)


def silent(take: Take) -> Take:
    return Take(take.frames, take.points, take.fps, np.zeros(0, np.int16), take.rate_hz)


def music(take: Take) -> Take:
    """Plucked chords with a beat instead of speech."""
    seconds = np.arange(len(take.pcm)) / take.rate_hz
    beat = np.exp(-6 * (seconds * 2 % 1))
    sound = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in (220, 277, 330, 660)) * beat
    return Take(take.frames, take.points, take.fps, (4000 * sound).astype(np.int16), take.rate_hz)


def encoded(take: Take) -> bytes:
    """The take as a phone would hand it over: H.264 and AAC in MP4."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=Fraction(take.fps).limit_denominator(1001),
                                       options={"crf": "16", "preset": "ultrafast"})  # fmt: skip
        height, width = (side // 2 * 2 for side in take.frames.shape[1:3])
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", rate=take.rate_hz, layout="mono") if len(take.pcm) else None
        for frame in take.frames:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(frame[:height, :width], format="rgb24")))
        container.mux(picture.encode(None))
        if sound is not None:
            samples = av.AudioFrame.from_ndarray(take.pcm[None], format="s16", layout="mono")
            samples.sample_rate = take.rate_hz
            container.mux(sound.encode(samples))
            container.mux(sound.encode(None))
    return target.getvalue()
