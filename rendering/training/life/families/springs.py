"""The head hangs on springs: targets jump now and then, stresses kick it, and it swings after them."""

from __future__ import annotations

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.training.life.families import events, faces
from rendering.training.life.scenes import Conversation

SPREAD = np.array([1.0, 0.7, 0.6, 0.5, 0.4, 0.4])


def move(talk: Conversation, random: np.random.Generator) -> Motion:
    """Targets drawn about a rest pose; each of six channels is a damped spring pulled to its target."""
    frames = len(talk.scene)
    targets = np.zeros((frames, 6))
    at, stay_s = 0, random.uniform(1.0, 3.5)
    while at < frames:
        until = at + max(6, int(random.gamma(2.0, stay_s / 2) * FRAMES_PER_S))
        targets[at:until] = random.normal(size=6) * SPREAD
        at = until
    kicks = np.zeros((frames, 6))
    strength = random.uniform(2.0, 8.0)
    for moment in talk.stresses:
        frame = int((moment + random.normal(0, 0.03)) * FRAMES_PER_S)
        if 0 <= frame < frames - 3:
            kicks[frame : frame + 3, 1] += strength * random.uniform(0.4, 1.0)
            kicks[frame : frame + 3, 0] += 0.3 * strength * random.normal()
    listens = np.flatnonzero((talk.listening > 0.5) & (random.random(frames) < 1 / (4 * FRAMES_PER_S)))
    for frame in listens[listens < frames - 20]:
        for beat in range(int(random.integers(1, 4))):
            kicks[min(frames - 1, frame + 10 * beat), 1] += 2.5 * strength * random.uniform(0.5, 1)
    rates = 2 * np.pi * random.uniform(0.3, 1.1, 6)
    damping = random.uniform(0.55, 1.0, 6)
    smooth = np.zeros((frames, len(SMOOTH)))
    place, speed = np.zeros(6), np.zeros(6)
    substeps = 2
    step_s = 1 / FRAMES_PER_S / substeps
    livelier = 1 + random.uniform(0.0, 0.8) * talk.speaking
    for frame in range(frames):
        for _ in range(substeps):
            pull = rates**2 * (targets[frame] * livelier[frame] - place) - 2 * damping * rates * speed
            speed = speed + step_s * (pull + kicks[frame] * FRAMES_PER_S / 3)
            place = place + step_s * speed
        smooth[frame, :6] = place
    faces.add_face(smooth, talk, random)
    return Motion(smooth, events.glances(talk, random), events.gamma_blinks(talk, random))
