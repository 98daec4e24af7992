"""Rests and moves: a two-state chain opens and shuts the speed of a random walk, so that stillness is really still."""

from __future__ import annotations

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.prosody import blurred
from rendering.training.life.families import events, faces
from rendering.training.life.scenes import Conversation


def move(talk: Conversation, random: np.random.Generator) -> Motion:
    """Speed is smooth noise times an activity of 0 to 1, that speech makes likelier; the place reverts while moving."""
    frames = len(talk.scene)
    active, is_on = np.zeros(frames), False
    on_s, off_s, rest = random.uniform(0.5, 2.0), random.uniform(0.6, 4.0), random.choice([0.0, 0.1, 0.3])
    at = 0
    while at < frames:
        lasts = random.exponential(on_s if is_on else off_s * (0.6 if talk.speaking[at] > 0.5 else 1.3)) + 0.2
        active[at : at + round(lasts * FRAMES_PER_S)] = 1.0 if is_on else rest
        at, is_on = at + round(lasts * FRAMES_PER_S), not is_on
    active = np.clip(blurred(active, random.uniform(1.5, 4.0)), 0, 1)
    smooth = np.zeros((frames, len(SMOOTH)))
    size = np.array([1.0, 0.7, 0.5, 0.5, 0.4, 0.4]) * np.exp(0.3 * random.normal(size=6))
    for channel in range(6):
        spread = random.uniform(3, 9)
        noise = blurred(random.normal(size=frames), spread) * np.sqrt(spread) * 2
        place, returns = 0.0, random.uniform(0.02, 0.08)
        for frame in range(frames):
            place += active[frame] * (0.12 * size[channel] * noise[frame] - returns * place)
            smooth[frame, channel] = place
    smooth[:, 1] += random.uniform(0.0, 0.8) * blurred(talk.scene.heard[:, 3], 2.5)
    faces.add_face(smooth, talk, random)
    gaze = random.choice([events.glances, events.shifting, events.averted])  # type: ignore[arg-type]
    blinks = random.choice([events.gamma_blinks, events.paired_blinks])  # type: ignore[arg-type]
    return Motion(smooth, gaze(talk, random), blinks(talk, random))
