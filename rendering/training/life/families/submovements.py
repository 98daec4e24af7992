"""Never trained on: head motion as a sum of quick strokes with log-normal speed, as the kinematic theory has it.

Plamondon, A kinematic theory of rapid human movements (1995): the speed of a stroke is a log-normal curve in time. Weak
strokes come all the time, strong ones with speech; a pull to the middle keeps the sum in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.training.life.families import faces
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]


def move(talk: Conversation, random: np.random.Generator) -> Motion:
    """Strokes are drawn one after the other; each takes back part of where the head already is."""
    frames = len(talk.scene)
    smooth = np.zeros((frames, len(SMOOTH)))
    position = np.zeros(6)
    at_s, rest_s = 0.3, random.uniform(0.5, 1.4)
    while at_s < frames / FRAMES_PER_S - 0.1:
        speaks = talk.speaking[int(at_s * FRAMES_PER_S)] > 0.5
        size = random.gamma(1.5, 0.5) * (1.2 if speaks else 0.6)
        reach = random.normal(size=6) * size * [0.9, 0.5, 0.5, 0.4, 0.3, 0.3] - 0.35 * position
        smooth[:, :6] += stroke(frames, at_s, random.uniform(0.25, 0.7), 0.35)[:, None] * reach
        position = position + reach
        at_s += 0.15 + random.exponential(rest_s * (0.6 if speaks else 1.3))
    height = random.uniform(0.4, 1.3)
    for moment in talk.stresses[random.random(len(talk.stresses)) < 0.7]:
        down = height * random.uniform(0.3, 1.0)
        smooth[:, 1] += down * stroke(frames, moment - 0.16, 0.16, 0.3)
        smooth[:, 1] -= down * stroke(frames, moment + 0.05, 0.26, 0.3)
    faces.add_face(smooth, talk, random)
    return Motion(smooth, _looks(talk, random), _blinks(talk, random))


def stroke(frames: int, start_s: float, middle_s: float, spread: float) -> Array:
    """[T] way covered by a stroke, 0 to 1: the integral of a log-normal speed, its median `middle_s` after start."""
    since = np.arange(frames) / FRAMES_PER_S - start_s
    speed = np.zeros(frames)
    later = since > 1e-3
    speed[later] = np.exp(-0.5 * (np.log(since[later] / middle_s) / spread) ** 2) / since[later]
    total = speed.sum()
    return np.cumsum(speed) / total if total > 0 else speed


def _blinks(talk: Conversation, random: np.random.Generator) -> Array:
    """A leaky integrator that fires: an urge grows with noise, faster in speech, and a blink empties it."""
    urge, grows, out = 0.0, random.uniform(0.25, 0.5), []
    for frame in range(len(talk.scene)):
        urge += (grows * (1 + 0.4 * talk.speaking[frame]) - 0.05 * urge) / FRAMES_PER_S
        urge += 0.25 * random.normal() / np.sqrt(FRAMES_PER_S)
        if urge > 1:
            out.append(frame / FRAMES_PER_S)
            urge = random.uniform(-0.2, 0.1)
    return np.array(out)


def _looks(talk: Conversation, random: np.random.Generator) -> Array:
    """[T, 2] shifts whose size has a heavy tail; the longer the eyes are away, the likelier they come back."""
    aim, now, away = np.zeros((len(talk.scene), 2)), np.zeros(2), 0
    rate = random.uniform(0.3, 0.8) / FRAMES_PER_S
    for frame in range(len(aim)):
        away = away + 1 if np.linalg.norm(now) > 0.05 else 0
        if random.random() < rate * (0.5 if talk.listening[frame] > 0.5 else 1.0) + 0.004 * away / 3:
            side = random.uniform(0, 2 * np.pi)
            jump = 0.02 * (1 + random.pareto(1.2)) * np.array([np.cos(side), 0.6 * np.sin(side)])
            now = np.zeros(2) if away > 10 else np.clip(jump, -0.3, 0.3)
        aim[frame] = now
    return aim
