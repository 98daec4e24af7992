"""What life moves: twelve smooth channels, the eyes' aim and the moments of blinks, on a grid of 30 frames a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

FRAMES_PER_S = 30
CHUNK = 8  # frames that are made together
# Yaw, pitch, roll (rad), x, y and log size as in HeadPose, less what follows from turning; brows, smile and cheek are
# amounts of facial controls on top of speech and emotion; breath lifts the head and is in deviations.
SMOOTH = (
    "yaw", "pitch", "roll", "x", "y", "size",
    "brow_inner", "brow_outer", "brow_down", "breath", "smile", "cheek",
)  # fmt: skip
INDEX = {name: position for position, name in enumerate(SMOOTH)}
POSE = slice(0, 6)
SACCADE_RAD = 0.012  # a change of aim from which it counts as a saccade
BLINK_CLOSE_S, BLINK_HOLD_S, BLINK_OPEN_S = 0.08, 0.04, 0.16
BLINK_S = BLINK_CLOSE_S + BLINK_HOLD_S + BLINK_OPEN_S


@dataclass(frozen=True)
class Motion:
    """T frames of one person's life, in any fixed unit per channel."""

    smooth: Array  # [T, 12]
    aim: Array  # [T, 2] rad, where the eyes look as seen from the camera: right and down; jumps, then holds
    blinks: Array  # [N] seconds at which lids begin to close, rising

    def __len__(self) -> int:
        return len(self.smooth)

    def part(self, first: int, last: int) -> Motion:
        """Frames `first` up to `last`, with time zero at `first`."""
        start_s, end_s = first / FRAMES_PER_S, last / FRAMES_PER_S
        inside = (self.blinks >= start_s) & (self.blinks < end_s)
        return Motion(self.smooth[first:last], self.aim[first:last], self.blinks[inside] - start_s)

    def saccades(self) -> Array:
        """[K] first frame of every jump of the aim."""
        moved = np.linalg.norm(np.diff(self.aim, axis=0, prepend=self.aim[:1]), axis=1) > SACCADE_RAD
        # A jump that the grid cuts in two is one jump.
        return np.flatnonzero(moved & ~np.concatenate([[False], moved[:-1]]))

    def lids(self) -> Array:
        """[T] how far the lids are closed, 0..1."""
        times_s = np.arange(len(self)) / FRAMES_PER_S
        closed = np.zeros(len(self))
        for start_s in self.blinks:
            first, last = int(start_s * FRAMES_PER_S), int((start_s + BLINK_S) * FRAMES_PER_S) + 2
            near = slice(max(0, first), max(0, min(last, len(self))))
            closed[near] = np.maximum(closed[near], blink_curve(times_s[near] - start_s))
        return closed


def blink_curve(since_s: Array | float) -> Array:
    """How far the lids are closed so long after a blink began: they fall twice as fast as they rise."""
    falling = _smooth(since_s / BLINK_CLOSE_S)
    rising = _smooth((since_s - BLINK_CLOSE_S - BLINK_HOLD_S) / BLINK_OPEN_S)
    return np.asarray(falling * (1 - rising))


def _smooth(share: Array | float) -> Array:
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(share * share * (3 - 2 * share))
