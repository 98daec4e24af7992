"""What the training frames show: how far the head turned, how often the eyes closed, how much was spoken."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.training import canonical
from rendering.training.config import Clip, TrainingConfig

Array = np.ndarray[Any, np.dtype[Any]]
QUIETEST_DB = -45.0  # of full scale; a tenth of a second louder than this counts as sound
BLINK_SHARE = 0.55  # of the usual opening of the lids


def measure(clip: Clip, config: TrainingConfig) -> dict[str, float]:
    """Seconds, degrees and counts of the part of the clip that training may see."""
    found = np.isfinite(clip.landmarks).all(axis=(1, 2))
    seen = np.flatnonzero(found[: int(len(found) * (1 - config.held_out_share))])
    points = clip.landmarks[seen]
    poses = canonical.align(points, canonical.canonicalise(points))
    degrees = np.degrees(poses.vectors[:, :2])
    low, high = np.quantile(degrees, 0.01, axis=0), np.quantile(degrees, 0.99, axis=0)
    lids = canonical.eye_apertures(poses.shapes)
    shut = (lids < BLINK_SHARE * np.median(lids)).astype(np.int8)
    return {
        "seconds": round(len(seen) / clip.fps, 1), "frames": float(len(seen)),
        "yaw_low_deg": round(float(low[0]), 1), "yaw_high_deg": round(float(high[0]), 1),
        "pitch_low_deg": round(float(low[1]), 1), "pitch_high_deg": round(float(high[1]), 1),
        "blinks": float(np.sum(np.diff(shut) == 1)),
        "sound_s": round(sound_s(clip.pcm[: round(len(found) * (1 - config.held_out_share) / clip.fps * clip.pcm_rate)],
                                 clip.pcm_rate), 1),
    }  # fmt: skip


def sound_s(pcm: Array, rate_hz: int) -> float:
    """Seconds louder than a quiet room."""
    step = rate_hz // 10
    whole = pcm[: len(pcm) // step * step].astype(np.float64).reshape(-1, step)
    if len(whole) == 0:
        return 0.0
    level_db = 20 * np.log10(np.sqrt((whole**2).mean(1)) / 32768 + 1e-9)
    return float(0.1 * np.sum(level_db > QUIETEST_DB))
