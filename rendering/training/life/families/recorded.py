"""Motion with the statistics of recordings: a linear prediction fitted to tracked footage, driven by what it left over.

The residuals are drawn in blocks from the recording, so that their sudden and quiet passages survive; people differ by
how the model is damped and by whom it was fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.person import STILL
from rendering.training.life.families import events, faces
from rendering.training.life.recording import Recording
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
ORDER = 4
BLOCK = 20


@dataclass(frozen=True)
class Linear:
    """x[t] = sum over k of x[t - k] @ lags[k] + residual."""

    lags: Array  # [ORDER, 6, 6]
    residuals: Array  # [T, 6]


def fit(recording: Recording) -> Linear:
    """Least squares on the six pose channels, in deviations, a little damped."""
    pose = recording.motion.smooth[:, :6]
    deviation = pose.std(0)
    pose = (pose - pose.mean(0)) / np.where(deviation > STILL, deviation, 1.0)
    rows = np.concatenate([pose[ORDER - k - 1 : len(pose) - k - 1] for k in range(ORDER)], axis=1)
    target = pose[ORDER:]
    ridge = 1e-3 * len(rows) * np.eye(rows.shape[1])
    weights = np.linalg.solve(rows.T @ rows + ridge, rows.T @ target)
    return Linear(weights.reshape(ORDER, 6, 6), target - rows @ weights)


def move(talk: Conversation, random: np.random.Generator, models: list[Linear]) -> Motion:
    """A new course of a fitted person's motion; speech makes the residuals larger."""
    model = models[int(random.integers(len(models)))]
    frames = len(talk.scene)
    starts = random.integers(0, len(model.residuals) - BLOCK, frames // BLOCK + 1)
    driven = np.concatenate([model.residuals[start : start + BLOCK] for start in starts])[:frames]
    driven = driven * random.choice([-1.0, 1.0], 6) * (1 + random.uniform(0, 0.8) * talk.speaking[:, None])
    damped = random.uniform(0.985, 0.998)
    pose = np.zeros((frames + ORDER, 6))
    for frame in range(frames):
        past = pose[frame : frame + ORDER][::-1]
        pose[frame + ORDER] = np.clip(damped * np.einsum("ki,kij->j", past, model.lags) + driven[frame], -6, 6)
    smooth = np.zeros((frames, len(SMOOTH)))
    smooth[:, :6] = pose[ORDER:]
    times_s = np.arange(frames) / FRAMES_PER_S
    nods = random.uniform(0.2, 0.9)
    for at_s in talk.stresses[random.random(len(talk.stresses)) < 0.5]:
        smooth[:, 1] += nods * random.uniform(0.3, 1.0) * faces.bump(times_s, at_s + 0.05, 0.5)
    faces.add_face(smooth, talk, random)
    return Motion(smooth, events.glances(talk, random), events.even_blinks(talk, random))
