"""What the network is told about the moment before a chunk: motion, events, scene and person as one row of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import SMOOTH
from rendering.engine.motion.life.scene import AFFECT, EMOTION_COUNT, HEARD, HEARD_STEPS

Array = np.ndarray[Any, np.dtype[Any]]

PAST = 62  # frames of motion before a chunk
# Frames back over which changes are averaged.
LAGS = ((0, 1), (1, 2), (2, 3), (3, 6), (6, 10), (10, 15), (15, 30), (30, 60))
LIVELY = ((0, 8), (8, 24), (24, 60))  # frames back over which it is told how much moved: who rests goes on resting
LEAST_LIVELY = 0.01  # of the usual change
SLOW_SHARE = 1 / 60  # of the running mean that stands for the last seconds
FARTHEST = 4.0  # deviations
WIDTH = len(SMOOTH) * (len(LAGS) + len(LIVELY) + 2) + 2 + 8 + 2 + HEARD_STEPS * len(HEARD) + EMOTION_COUNT + len(AFFECT)


@dataclass(frozen=True)
class Before:
    """The moment before each of B chunks."""

    past: Array  # [B, PAST, 12] in deviations, the newest last
    slow: Array  # [B, 12] running mean
    aim: Array  # [B, 2] in the person's usual distances
    since_blink_s: Array  # [B]
    since_saccade_s: Array  # [B]
    expected: Array  # [B, 2] chance of a blink and of a jump by the gaps alone


def row(before: Before, speed: Array, heard: Array, mood: Array) -> Array:
    """[B, WIDTH] the context, without the person's style.

    Args:
        speed: [B, 12] or [12] the person's usual change per frame.
        heard: [B, 24, 6] of `Scene.around`.
        mood: [B, 10] emotion and affect.
    """
    count = len(before.past)
    steps = np.diff(before.past, axis=1)[:, ::-1] / np.reshape(speed, (-1, 1, len(SMOOTH)))
    changes = [steps[:, first:last].mean(1) for first, last in LAGS]
    lively = [np.log(np.sqrt((steps[:, first:last] ** 2).mean(1)) + LEAST_LIVELY) for first, last in LIVELY]
    now = before.past[:, -1]
    parts = [
        *(np.clip(change, -FARTHEST, FARTHEST) for change in changes), *lively,
        np.clip(now, -FARTHEST, FARTHEST), np.clip(now - before.slow, -FARTHEST, FARTHEST),
        np.clip(before.aim, -FARTHEST, FARTHEST), _elapsed(before.since_blink_s), _elapsed(before.since_saccade_s),
        before.expected,
        heard.reshape(count, HEARD_STEPS, 2, len(HEARD)).mean(2).reshape(count, -1), mood,
    ]  # fmt: skip
    return np.concatenate(parts, axis=1).astype(np.float32)


def _elapsed(seconds: Array) -> Array:
    """[B, 4] the same time on four scales, so that both a tenth of a second and some seconds can be told."""
    return np.stack([np.exp(-seconds / 0.3), np.exp(-seconds), np.exp(-seconds / 3), np.minimum(seconds, 10) / 5], 1)
