"""Fit life to one person: a few hundred numbers measured on their tracked footage, no training."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S
from rendering.engine.motion.life.model import LifeModel
from rendering.training.life import equalising, footage
from rendering.training.life.dataset import Clip

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_S = 20.0  # of tracked footage; from less, a manner would be chance


def of_footage(
    points: Array, fps: float, pcm: Array, rate_hz: int, model: LifeModel | None, seed: int
) -> dict[str, Any] | None:
    """What goes into the replica's manifest as `life`, or None for footage that is too short or has gaps.

    Args:
        points: [T, 478, 3] tracked landmarks in order, NaN where no face was found.
        pcm: [N] int16 mono of the same clip, empty when there is no sound.
        model: what will move this person, so that its spectrum can be brought to theirs; without it that is left out.
        seed: of the motion that this is measured on.
    """
    found: Array = np.asarray(np.isfinite(points).all(axis=(1, 2)))
    if len(points) / fps < LEAST_S or found.mean() < 0.98:
        return None
    whole = points if found.all() else _bridged(points, found)
    recording = footage.from_landmarks(whole, fps, pcm, rate_hz)
    clip = Clip.of("person", recording.motion, recording.scene)
    person = clip.person if model is None else equalising.equalised(model, clip, seed)
    weights = "" if model is None else str(model.facts["sha256"])
    return {"seconds": round(len(recording.motion) / FRAMES_PER_S, 1), **person.to_json(weights)}


def _bridged(points: Array, found: Array) -> Array:
    """Short gaps are crossed in straight lines."""
    index, known = np.arange(len(points)), np.flatnonzero(found)
    flat = points.reshape(len(points), -1)
    lines = [np.interp(index, known, flat[known, column]) for column in range(flat.shape[1])]
    return np.stack(lines, axis=1).reshape(points.shape)
