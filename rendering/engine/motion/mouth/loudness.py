"""The last of the ways: a jaw that follows how loud the sound is. It knows nothing of lips."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import FRAMES_PER_S, RATE_HZ
from rendering.engine.motion.visemes import MOUTH

Array = np.ndarray[Any, np.dtype[Any]]

QUIET_DB, LOUD_DB = -45.0, -15.0  # RMS of a frame: mouth shut, mouth at WIDEST
WIDEST = 0.7
_JAW = MOUTH.index("jaw")


def loudness_mouth(samples: Array) -> Array:
    """[F, MOUTH] amounts at n / 30 s of sound [N], float in -1..1 at 16 kHz; frame n hears what lies before it."""
    count = len(samples) * FRAMES_PER_S // RATE_HZ + 1
    ends = np.arange(count) * RATE_HZ // FRAMES_PER_S
    width = 2 * RATE_HZ // FRAMES_PER_S
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    power = (total[ends] - total[np.maximum(ends - width, 0)]) / width
    level_db = 10 * np.log10(power + 1e-9)
    out = np.zeros((count, len(MOUTH)), np.float32)
    out[:, _JAW] = WIDEST * np.clip((level_db - QUIET_DB) / (LOUD_DB - QUIET_DB), 0, 1)
    return out
