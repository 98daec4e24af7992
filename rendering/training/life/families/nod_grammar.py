"""A grammar of head gestures: beats on stresses, tilts over phrases, nods and shakes while listening."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.prosody import blurred
from rendering.training.life.families import events, faces
from rendering.training.life.families.faces import bump
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator


def move(talk: Conversation, random: Random) -> Motion:
    """Every gesture is a bump or a short train of bumps at a moment that speech gives."""
    frames = len(talk.scene)
    times_s = np.arange(frames) / FRAMES_PER_S
    smooth = np.zeros((frames, len(SMOOTH)))
    smooth[:, :6] = np.stack([8 * blurred(random.normal(size=frames), random.uniform(25, 60)) for _ in range(6)], 1)
    smooth[:, :6] *= random.uniform(0.15, 0.6)
    _beats(smooth, times_s, talk, random)
    _phrases(smooth, times_s, talk, random)
    _answers(smooth, times_s, talk, random)
    faces.add_face(smooth, talk, random)
    return Motion(smooth, events.averted(talk, random), events.boundary_blinks(talk, random))


def _beats(smooth: Array, times_s: Array, talk: Conversation, random: Random) -> None:
    likely, height, width_s = random.uniform(0.4, 0.95), random.uniform(0.5, 1.5), random.uniform(0.35, 0.7)
    upward = random.random() < 0.25  # some people raise the head on a stress
    for at_s in talk.stresses[random.random(len(talk.stresses)) < likely]:
        beat = random.uniform(0.4, 1.2) * height * bump(times_s, at_s + random.normal(0.04, 0.04), width_s)
        smooth[:, 1] += -beat if upward else beat
        smooth[:, 0] += random.normal(0, 0.25) * beat
        smooth[:, 4] += 0.2 * beat


def _phrases(smooth: Array, times_s: Array, talk: Conversation, random: Random) -> None:
    turn, tilt = random.uniform(0.3, 1.2), random.uniform(0.2, 0.9)
    for start_s, end_s in zip(talk.phrase_starts, talk.phrase_ends, strict=True):
        rise = np.clip((times_s - start_s + 0.3) / 0.6, 0, 1) * np.clip((end_s + 0.5 - times_s) / 0.8, 0, 1)
        shape = rise * rise * (3 - 2 * rise)
        smooth[:, 0] += turn * random.normal() * shape
        smooth[:, 2] += tilt * random.normal() * shape
        smooth[:, 3] += 0.4 * turn * random.normal() * shape
        smooth[:, 5] += 0.3 * random.normal() * shape


def _answers(smooth: Array, times_s: Array, talk: Conversation, random: Random) -> None:
    gap_s = random.uniform(2.0, 6.0)
    at_s = random.exponential(gap_s)
    while at_s < times_s[-1]:
        now = int(at_s * FRAMES_PER_S)
        if talk.listening[now] > 0.5:
            pleased, excited = talk.scene.affect[now]
            beats = int(random.integers(1, 4)) + (excited > 0.5)
            channel = 0 if pleased < -0.4 and random.random() < 0.5 else 1
            for beat in range(beats):
                height = (0.9 - 0.2 * beat) * random.uniform(0.6, 1.3) * (1 if channel else (-1) ** beat)
                smooth[:, channel] += height * bump(times_s, at_s + 0.42 * beat, 0.5)
        at_s += random.exponential(gap_s)
