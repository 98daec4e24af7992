"""Key poses as an animator sets them: held, then eased to the next along a spline that overshoots a little."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.prosody import blurred
from rendering.training.life.families import events, faces
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]


def move(talk: Conversation, random: np.random.Generator) -> Motion:
    """Keys come with phrases and now and then between; a Catmull-Rom curve leads through them with holds."""
    frames = len(talk.scene)
    times_s = np.arange(frames) / FRAMES_PER_S
    every_s = random.uniform(1.5, 4.0)
    alone = np.cumsum(random.exponential(every_s, int(times_s[-1] / every_s) + 5) + 0.5)
    moments = np.unique(np.concatenate([[0.0], talk.phrase_starts, alone[alone < times_s[-1]]]).round(2))
    moments = moments[np.concatenate([[True], np.diff(moments) > 0.6])]
    poses = np.zeros((len(moments), 6))
    for k in range(1, len(moments)):
        poses[k] = 0.5 * poses[k - 1] + random.normal(size=6) * [0.9, 0.6, 0.6, 0.5, 0.3, 0.4]
    hold = random.uniform(0.2, 0.6)
    smooth = np.zeros((frames, len(SMOOTH)))
    smooth[:, :6] = through(np.repeat(poses, 2, axis=0), np.stack([moments, moments + hold], 1).ravel(), times_s)
    for channel in range(6):
        smooth[:, channel] += random.uniform(0.1, 0.5) * blurred(random.normal(size=frames), random.uniform(3, 8))
    nods = random.uniform(0.4, 1.4)
    for at_s in talk.stresses[random.random(len(talk.stresses)) < 0.6]:
        smooth[:, 1] += nods * random.uniform(0.2, 0.8) * faces.bump(times_s, at_s + 0.06, 0.55)
    faces.add_face(smooth, talk, random)
    gaze = events.shifting if random.random() < 0.5 else events.glances
    return Motion(smooth, gaze(talk, random), events.gamma_blinks(talk, random))


def through(poses: Array, moments: Array, times_s: Array) -> Array:
    """[T, 6] a cubic curve through `poses` [K, 6] at `moments` [K], with the slopes of Catmull and Rom (1974)."""
    slopes = np.zeros_like(poses)
    slopes[1:-1] = (poses[2:] - poses[:-2]) / (moments[2:] - moments[:-2])[:, None]
    index = np.clip(np.searchsorted(moments, times_s, side="right") - 1, 0, len(moments) - 2)
    width = (moments[index + 1] - moments[index])[:, None]
    share = np.clip((times_s - moments[index])[:, None] / width, 0, 1)
    square, cube = share**2, share**3
    return np.asarray(
        (2 * cube - 3 * square + 1) * poses[index] + (cube - 2 * square + share) * width * slopes[index]
        + (3 * square - 2 * cube) * poses[index + 1] + (cube - square) * width * slopes[index + 1]
    )  # fmt: skip
