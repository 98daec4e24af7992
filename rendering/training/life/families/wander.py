"""The head wanders: a damped random walk (Ornstein-Uhlenbeck, twice integrated) with a level that follows the floor."""

from __future__ import annotations

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.prosody import blurred
from rendering.training.life.families import events, faces
from rendering.training.life.scenes import Conversation


def move(talk: Conversation, random: np.random.Generator) -> Motion:
    """Velocity is a mean-reverting walk driven harder in speech; position reverts more slowly."""
    frames = len(talk.scene)
    smooth = np.zeros((frames, len(SMOOTH)))
    keeps_speed = np.exp(-1 / (FRAMES_PER_S * random.uniform(0.15, 0.6, 6)))
    returns = 1 / (FRAMES_PER_S * random.uniform(0.8, 4.0, 6))
    drive = 1 + random.uniform(0.3, 2.0) * blurred(talk.scene.heard[:, 0] * talk.speaking, 6.0)
    shocks = random.normal(size=(frames, 6)) * drive[:, None]
    # Turning and tilting go together in most people.
    shocks[:, 2] += random.uniform(-0.6, 0.6) * shocks[:, 0]
    shocks[:, 3] += random.uniform(0.0, 0.8) * shocks[:, 0]
    place, speed = np.zeros(6), np.zeros(6)
    for frame in range(frames):
        speed = keeps_speed * speed + (1 - keeps_speed) * shocks[frame] - returns * 0.4 * place
        place = place + speed / 3
        smooth[frame, :6] = place
    smooth[:, 1] += random.uniform(0.3, 1.2) * blurred(talk.scene.heard[:, 3], 3.0)
    smooth[:, :6] = np.stack([blurred(smooth[:, k], random.uniform(0.8, 2.0)) for k in range(6)], axis=1)
    faces.add_face(smooth, talk, random)
    return Motion(smooth, events.shifting(talk, random), events.paired_blinks(talk, random))
