"""Never trained on, used for choosing: the eyes pick something new to look at and the head is brought along.

Head turns are minimum-jerk reaches (Flash and Hogan, 1985) to a share of where the eyes went, as in gaze shifts of
people (Freedman, 2008: small shifts are made by the eyes alone). Between reaches a person holds still but for sway.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.prosody import blurred
from rendering.training.life.families import faces
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
EYES_ALONE_RAD = 0.06
SHORTEST_BLINK_GAP_S = 0.5


def move(talk: Conversation, random: np.random.Generator) -> Motion:
    """Gaze shifts come at inverse Gaussian gaps; large ones take the head along and are often blinked through."""
    frames = len(talk.scene)
    times_s = np.arange(frames) / FRAMES_PER_S
    aim, smooth = np.zeros((frames, 2)), np.zeros((frames, len(SMOOTH)))
    pose, shifts = np.zeros(6), []
    mean_s, wide = random.uniform(1.2, 3.0), random.uniform(0.05, 0.12)
    along, at_s = random.uniform(0.3, 1.0), 0.2
    while at_s < times_s[-1]:
        listens = talk.listening[int(at_s * FRAMES_PER_S)] > 0.5
        target = np.zeros(2) if random.random() < 0.5 else random.standard_t(3, 2) * [wide, 0.5 * wide]
        target = np.clip(target * (0.5 if listens else 1.0), -0.32, 0.32)
        size = float(np.linalg.norm(target - aim[int(at_s * FRAMES_PER_S)]))
        aim[int(at_s * FRAMES_PER_S) :] = target
        if size > EYES_ALONE_RAD:
            shifts.append(at_s)
            new = along * np.concatenate([10 * target, random.normal(size=4) * [0.4, 0.4, 0.3, 0.3]])
            smooth[:, :6] += reach(times_s, at_s + 0.05, random.uniform(0.35, 0.9))[:, None] * (new - pose)
            pose = new
        at_s += 0.25 + random.wald(mean_s, 2.0 * mean_s)
    for channel in range(6):
        smooth[:, channel] += random.uniform(0.05, 0.3) * blurred(random.normal(size=frames), random.uniform(4, 20))
    _nods(smooth, times_s, talk, random)
    faces.add_face(smooth, talk, random)
    return Motion(smooth, aim, _blinks(times_s[-1], shifts, random))


def reach(times_s: Array, start_s: float, lasts_s: float) -> Array:
    """[T] the way of a minimum-jerk reach, 0 to 1."""
    share = np.clip((times_s - start_s) / lasts_s, 0, 1)
    return np.asarray(share**3 * (10 - 15 * share + 6 * share**2))


def _nods(smooth: Array, times_s: Array, talk: Conversation, random: np.random.Generator) -> None:
    likely, height = random.uniform(0.3, 0.8), random.uniform(0.2, 0.9)
    for at_s in talk.stresses[random.random(len(talk.stresses)) < likely]:
        down = height * random.uniform(0.4, 1.0)
        smooth[:, 1] += down * (reach(times_s, at_s - 0.15, 0.3) - reach(times_s, at_s + 0.15, 0.45))


def _blinks(seconds: float, shifts: list[float], random: np.random.Generator) -> Array:
    mean_s, with_shift = random.uniform(2.0, 5.0), random.uniform(0.1, 0.5)
    alone = np.cumsum(0.5 + random.wald(mean_s, 3.0 * mean_s, int(2 * seconds)))
    moments = np.sort(np.concatenate([alone, [at for at in shifts if random.random() < with_shift]]))
    kept: list[float] = []
    for moment in moments[moments < seconds]:
        if not kept or moment - kept[-1] > SHORTEST_BLINK_GAP_S:
            kept.append(float(moment))
    return np.array(kept)
