"""Ways of drawing that must do worse than the replica by the same scores: a score that lets one pass is blind.

    nearest_frame   the training frame with the most similar landmarks
    frozen          the replica at its mean, whatever the frame shows
    shuffled        the replica driven by another frame's landmarks
    blurred         the replica's own pictures through a blur of two pixels: sharpness must notice, PSNR hardly does

and one that should do as well: `raw_landmarks` places the face by the tracked points themselves and not by the shape
coefficients that drive a live face.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.renderer import Renderer
from rendering.training import losses, quality, scene
from rendering.training.dataset import Dataset
from rendering.training.quality import Scores
from rendering.training.scene import Geometry

Array = np.ndarray[Any, np.dtype[Any]]
BLUR_PX = 2.0
WORSE_DB = 3.0  # by which a wrong picture must lie below the replica
BLUNTER = 1.1  # factor by which a blur must raise GMSD


@dataclass(frozen=True)
class Trials:
    """Scores of the replica on held-out frames and of everything it is compared with."""

    held_out: Scores
    others: dict[str, Scores]

    def failing(self) -> dict[str, bool]:
        """For each negative control whether the scores tell it from the replica."""
        own = self.held_out
        wrong = {
            name: self.others[name].psnr_full < own.psnr_full - WORSE_DB and
            self.others[name].psnr_face < own.psnr_face - WORSE_DB
            for name in ("nearest_frame", "frozen", "shuffled")
        }  # fmt: skip
        return {**wrong, "blurred": self.others["blurred"].gmsd > BLUNTER * own.gmsd}


def draw(renderer: Renderer, motion: Geometry, extras: Array, chosen: Array) -> Array:
    """[c, S, S, 3] the replica's pictures of the chosen frames."""
    return np.stack([renderer.draw_tracked(motion.coefficients[i], motion.poses[i], extras[i]) for i in chosen])


def run(renderer: Renderer, frames: Dataset, motion: Geometry, extras: Array, drawn: Array) -> Trials:
    """All trials on the held-out frames, whose pictures by the replica are `drawn`."""
    held_out = frames.held_out
    truth, points = frames.frames[held_out], frames.landmarks[held_out]
    pictures: dict[str, Callable[[], Array]] = {
        "nearest_frame": lambda: frames.frames[quality.nearest_frames(frames)],
        "frozen": lambda: _frozen(renderer, frames, motion),
        "shuffled": lambda: np.roll(drawn, len(drawn) // 2, axis=0),
        "blurred": lambda: blurred(drawn),
        "raw_landmarks": lambda: _raw(renderer, frames, motion, extras),
    }
    others = {name: quality.measure(make(), truth, points) for name, make in pictures.items()}
    return Trials(quality.measure(drawn, truth, points), others)


def _frozen(renderer: Renderer, frames: Dataset, motion: Geometry) -> Array:
    mean = renderer.draw_tracked(motion.coefficients[frames.train].mean(0), motion.poses[frames.train].mean(0))
    return np.broadcast_to(mean, (len(frames.held_out), *mean.shape))


def _raw(renderer: Renderer, frames: Dataset, motion: Geometry, extras: Array) -> Array:
    held_out = frames.held_out
    space = renderer.space
    shapes = scene.steady_poses(frames, space.mean, frames.places[held_out]).shapes
    return np.stack([
        renderer.draw_points(shapes[k], motion.coefficients[i], motion.poses[i], extras[i])
        for k, i in enumerate(held_out)
    ])  # fmt: skip


def blurred(pictures: Array) -> Array:
    """Pictures [T, S, S, 3] uint8 through a Gaussian of BLUR_PX."""
    kernel = losses.gaussian_window(4 * round(2 * BLUR_PX) + 1, BLUR_PX)
    inside = losses.blur(np.ones((1, *pictures.shape[1:3]), np.float32), kernel)[0]
    out = np.empty_like(pictures)
    for index, picture in enumerate(pictures):
        planes = losses.blur(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32), kernel) / inside
        out[index] = planes.transpose(1, 2, 0).round().clip(0, 255)
    return out


def with_sound(frames: Dataset, pcm: Array, rate_hz: int, quietest_db: float) -> Array:
    """[B] whether somebody speaks in each held-out frame: the loudness of the fifth of a second around it."""
    reach = rate_hz // 10
    times = frames.times[frames.places[frames.held_out]]
    middles = (times / frames.fps * rate_hz).astype(int)
    level = np.array([
        np.sqrt(np.mean(np.square(pcm[max(0, m - reach) : m + reach].astype(np.float64)))) if m < len(pcm) else 0.0
        for m in middles
    ])  # fmt: skip
    return np.asarray(20 * np.log10(level / 32768 + 1e-9) > quietest_db)

