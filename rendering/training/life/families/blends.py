"""Between the mechanisms: one head moved by two of them at once, at another pace, seen in a mirror."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rendering.engine.motion.life.channels import POSE, Motion
from rendering.training.life.scenes import Conversation

Random = np.random.Generator


def move(talk: Conversation, random: Random, parents: Sequence[Callable[[Conversation, Random], Motion]]) -> Motion:
    """The pose is a sum of two parents' in random shares, each channel with its own; the face is the one's.

    Eyes and lids are the other's.
    """
    first, second = (parents[int(k)](talk, random) for k in random.choice(len(parents), 2, replace=False))
    smooth = first.smooth.copy()
    share = np.clip(random.uniform(-0.3, 1.3, 6), 0, 1)
    sides = np.where(random.random(6) < 0.5, 1.0, [-1, 1, -1, -1, 1, 1])
    one, other = (motion.smooth[:, POSE] / (motion.smooth[:, POSE].std(0) + 1e-9) for motion in (first, second))
    smooth[:, POSE] = np.sqrt(share) * one + np.sqrt(1 - share) * other * sides
    return Motion(smooth, second.aim, second.blinks)
