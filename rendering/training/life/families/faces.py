"""Breath, brows and small smiles, and how feelings colour all of it. Shared by the procedural families."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, INDEX
from rendering.engine.motion.life.prosody import blurred
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
# Joy, sadness, anger, surprise, fear, disgust, contempt: change of yaw, pitch, roll, x, y, size in deviations.
_POSTURE = np.array([
    [0.0, -0.1, 0.3, 0.0, -0.1, 0.1], [0.1, 0.8, 0.2, 0.0, 0.5, -0.2], [0.0, 0.3, -0.1, 0.0, 0.1, 0.6],
    [0.0, -0.6, 0.0, 0.0, -0.4, -0.5], [0.1, -0.2, 0.1, 0.0, 0.1, -0.6], [0.4, -0.3, 0.2, 0.1, 0.0, -0.3],
    [0.2, -0.4, 0.4, 0.0, 0.0, -0.1],
])  # fmt: skip


def bump(times_s: Array, at_s: float, width_s: float) -> Array:
    """[T] a rise and fall of height 1 that is over within `width_s`."""
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip((times_s - at_s) / (0.5 * width_s), -1, 1)))


def add_breath(smooth: Array, talk: Conversation, random: Random) -> None:
    """Breathing whose period wanders; in some people phrases begin with a breath in."""
    frames = len(smooth)
    rate = random.uniform(0.2, 0.32) * np.exp(0.15 * blurred(random.normal(size=frames), 60) * 8)
    curve = np.sin(2 * np.pi * np.cumsum(rate) / FRAMES_PER_S + random.uniform(0, 6.28))
    if random.random() < 0.5:
        times_s = np.arange(frames) / FRAMES_PER_S
        for start_s in talk.phrase_starts:
            curve += 0.5 * bump(times_s, start_s - 0.15, 1.0)
    smooth[:, INDEX["breath"]] = curve
    smooth[:, INDEX["y"]] -= random.uniform(0.05, 0.3) * curve


def add_brows(smooth: Array, talk: Conversation, random: Random) -> None:
    """Brows that rise with some stresses and wander a little."""
    times_s = np.arange(len(smooth)) / FRAMES_PER_S
    likely, height = random.uniform(0.15, 0.7), random.uniform(0.5, 2.0)
    inner = random.uniform(0.3, 0.9) * 10 * blurred(random.normal(size=len(smooth)), random.uniform(10, 25)) / 3
    for at_s in talk.stresses[random.random(len(talk.stresses)) < likely]:
        inner += height * random.uniform(0.4, 1.2) * bump(times_s, at_s + random.normal(0, 0.05), 0.5)
    inner += 0.6 * random.random() * blurred(talk.listening, 8.0)
    smooth[:, INDEX["brow_inner"]] = inner
    smooth[:, INDEX["brow_outer"]] = random.uniform(0.5, 1.0) * inner + 0.1 * blurred(random.normal(size=len(inner)), 9)
    down = np.maximum(0, 6 * blurred(random.normal(size=len(smooth)), random.uniform(12, 30)) - 0.3)
    smooth[:, INDEX["brow_down"]] = down + 0.5 * talk.scene.emotion[:, 3] - 0.2 * np.clip(inner, 0, 1)


def add_smiles(smooth: Array, talk: Conversation, random: Random) -> None:
    """Small smiles: on their own, more while listening to a viewer who seems pleased; cheeks follow."""
    times_s = np.arange(len(smooth)) / FRAMES_PER_S
    valence = talk.scene.affect[:, 0]
    smile = 0.4 * blurred(random.normal(size=len(smooth)), 20.0) * 4
    at_s = random.exponential(5.0)
    while at_s < times_s[-1]:
        now = min(len(smooth) - 1, int(at_s * FRAMES_PER_S))
        answered = 1 + 1.5 * max(0.0, float(valence[now])) * float(talk.listening[now])
        if random.random() < 0.35 * answered:
            smile += random.uniform(0.4, 1.4) * answered * bump(times_s, at_s, random.uniform(1.2, 3.0))
        at_s += random.exponential(4.0)
    smile += 0.7 * blurred(np.maximum(0, valence) * talk.listening, 12.0) + 0.4 * talk.scene.emotion[:, 1]
    smooth[:, INDEX["smile"]] = smile
    smooth[:, INDEX["cheek"]] = random.uniform(0.4, 0.9) * np.maximum(0, blurred(smile, 2.0))


def add_posture(smooth: Array, talk: Conversation, random: Random) -> None:
    """Feelings move the head as a whole, and slowly; how much differs from person to person."""
    felt = np.stack([blurred(talk.scene.emotion[:, k], 10.0) for k in range(1, talk.scene.emotion.shape[1])], axis=1)
    away = felt @ (_POSTURE * random.normal(1.0, 0.4, _POSTURE.shape))
    smooth[:, :6] += random.uniform(0.2, 1.0) * away * smooth[:, :6].std(0)


def add_face(smooth: Array, talk: Conversation, random: Random) -> None:
    """Everything of this module, on top of a head that already moves."""
    add_breath(smooth, talk, random)
    add_brows(smooth, talk, random)
    add_smiles(smooth, talk, random)
    add_posture(smooth, talk, random)
