"""Landmarks found again in drawn pictures by the tracker's own process: what is on the screen, not what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rendering.demo.files import mp4
from trustcore.tracker import track_clip

Array = np.ndarray[Any, np.dtype[Any]]
HELD_FRAMES, SETTLED_FRAMES = 8, 3  # the tracker follows a face smoothly and needs a moment after each change
FPS, RATE_HZ = 25, 16_000
NEARLY_LOSSLESS_CRF = 10


def landmarks_of(pictures: Sequence[Array]) -> Array:
    """[n, 478, 3] pixels of square RGB pictures, each shown for a third of a second. NaN where no face is found."""
    held = [picture for picture in pictures for _ in range(HELD_FRAMES)]
    silence = np.zeros(RATE_HZ * len(held) // FPS, np.int16)
    clip = track_clip(mp4(held, FPS, silence, RATE_HZ, crf=NEARLY_LOSSLESS_CRF))
    found = clip.landmarks[: len(held)].reshape(len(pictures), HELD_FRAMES, *clip.landmarks.shape[1:])
    return np.asarray(np.median(found[:, -SETTLED_FRAMES:], axis=1))
