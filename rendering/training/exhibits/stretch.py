"""An unbroken stretch of the held-out tail, filmed and redrawn: the part in which the lips move most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.training import canonical, following, scene
from rendering.training import dataset as datasets
from rendering.training.config import Clip, TrainingConfig
from rendering.training.dataset import Dataset

Array = np.ndarray[Any, np.dtype[Any]]
LONGEST_S = 8.0
SHORTEST_S = 1.0


@dataclass(frozen=True)
class Stretch:
    """T successive frames that training never saw."""

    filmed: Array  # [T, S, S, 3] uint8
    drawn: Array  # [T, S, S, 3] uint8
    filmed_gaps: Array  # [T] lip opening in outer eye distances
    drawn_gaps: Array  # [T]
    pcm: Array  # [N] int16 mono of the same moments; empty without sound
    pcm_rate: int  # Hz
    fps: float
    start_s: float  # in the footage

    @property
    def errors(self) -> Array:
        """[T] mean absolute difference of each frame, in levels of 255."""
        difference = self.drawn.astype(np.int16) - self.filmed
        return np.asarray(np.abs(difference).mean(axis=(1, 2, 3)))


def cut(
    clip: Clip, config: TrainingConfig, frames: Dataset, replica: Replica, follow: Array
) -> Stretch | None:
    """The stretch, redrawn from its tracked landmarks; None when the tail has no second without a gap.

    Args:
        frames: the run's dataset; its training frames give the crop and the bias of blinking, as they did for the fit.
        follow: how skull and torso go with what the tracks say, as the fit learned it.
    """
    chosen = choose(clip, config)
    if chosen is None:
        return None
    start, stop = chosen
    inside = np.arange(start, stop)
    motion = scene.geometry(replica.space, frames, np.searchsorted(frames.times, inside))
    extras = following.extras(follow, motion.signals, config.size_px)
    renderer = Renderer(replica, config.size_px)
    drawn = np.stack([
        renderer.draw_tracked(*moment) for moment in zip(motion.coefficients, motion.poses, extras, strict=True)
    ])  # fmt: skip
    samples = (round(start / clip.fps * clip.pcm_rate), round(stop / clip.fps * clip.pcm_rate))
    tracked = canonical.align(frames.tracks[np.searchsorted(frames.times, inside)], replica.space.mean)
    return Stretch(
        datasets.resize(clip.frames, inside, frames.crop, config.size_px), drawn,
        canonical.lip_gaps(tracked.shapes), canonical.lip_gaps(motion.faces),
        clip.pcm[slice(*samples)], clip.pcm_rate, clip.fps, start / clip.fps,
    )  # fmt: skip


def choose(clip: Clip, config: TrainingConfig) -> tuple[int, int] | None:
    """First frame and the one after the last: within the tail, a face in every frame, the liveliest lips."""
    found = np.isfinite(clip.landmarks).all(axis=(1, 2))
    split = int(len(found) * (1 - config.held_out_share))
    shortest, longest = round(SHORTEST_S * clip.fps), round(LONGEST_S * clip.fps)
    best: tuple[float, int, int] | None = None
    for first, last in runs(found[split:], shortest):
        length = min(last - first, longest)
        gap = canonical.lip_gaps(clip.landmarks[split + first : split + last])
        for offset in range(0, last - first - length + 1, max(1, round(clip.fps / 2))):
            lively = float(gap[offset : offset + length].std()) * length
            if best is None or lively > best[0]:
                best = (lively, split + first + offset, split + first + offset + length)
    return None if best is None else best[1:]


def runs(flags: Array, shortest: int) -> list[tuple[int, int]]:
    """(first, one after last) of every run of true flags of at least this length."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= max(1, shortest)]

