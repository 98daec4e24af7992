"""A hidden Markov chain of what the head is doing: still, shifting, nodding, shaking or leaning."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.prosody import blurred
from rendering.training.life.families import events, faces
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
STILL, SHIFT, NOD, SHAKE, LEAN = range(5)
LASTS_S = np.array([1.6, 1.2, 0.9, 0.9, 1.8])
#                       still shift nod  shake lean
_SPEAKING = np.array([0.20, 0.35, 0.25, 0.05, 0.15])
_LISTENING = np.array([0.45, 0.12, 0.30, 0.03, 0.10])
_IDLE = np.array([0.60, 0.25, 0.03, 0.01, 0.11])


def move(talk: Conversation, random: np.random.Generator) -> Motion:
    """Each stay in a state steers position or adds an oscillation; transitions are rounded off."""
    frames = len(talk.scene)
    taste = np.exp(0.4 * random.normal(size=5))
    level, swing = np.zeros((frames, 6)), np.zeros((frames, 6))
    pose, at = np.zeros(6), 0
    while at < frames:
        odds = _SPEAKING if talk.speaking[at] > 0.5 else _LISTENING if talk.listening[at] > 0.5 else _IDLE
        state = int(random.choice(5, p=odds * taste / (odds * taste).sum()))
        lasts = max(8, int(random.gamma(3.0, LASTS_S[state] / 3) * FRAMES_PER_S))
        span = slice(at, min(frames, at + lasts))
        pose = _enter(state, pose, random)
        level[span] = pose
        _oscillate(swing, span, state, random)
        at += lasts
    smooth = np.zeros((frames, len(SMOOTH)))
    for channel in range(6):
        slow = blurred(level[:, channel], random.uniform(5, 10))
        smooth[:, channel] = slow + blurred(swing[:, channel], 1.5)
        smooth[:, channel] += 0.5 * blurred(random.normal(size=frames), random.uniform(4, 15))
    smooth[:, 1] += random.uniform(0.0, 0.8) * blurred(talk.scene.heard[:, 3], 2.5)
    faces.add_face(smooth, talk, random)
    gaze = events.glances if random.random() < 0.5 else events.averted
    return Motion(smooth, gaze(talk, random), events.even_blinks(talk, random))


def _enter(state: int, pose: Array, random: np.random.Generator) -> Array:
    if state == SHIFT:
        return 0.4 * pose + random.normal(size=6) * [0.9, 0.5, 0.5, 0.5, 0.3, 0.2]
    if state == LEAN:
        return 0.6 * pose + random.normal(size=6) * [0.2, 0.3, 0.6, 0.6, 0.4, 0.9]
    return 0.9 * pose


def _oscillate(swing: Array, span: slice, state: int, random: np.random.Generator) -> None:
    if state not in (NOD, SHAKE):
        return
    count = span.stop - span.start
    share = np.arange(count) / max(count, 1)
    rate = random.uniform(1.2, 2.4)
    wave = np.sin(2 * np.pi * rate * np.arange(count) / FRAMES_PER_S) * np.sin(np.pi * share)
    swing[span, 1 if state == NOD else 0] += random.uniform(0.5, 1.3) * wave
