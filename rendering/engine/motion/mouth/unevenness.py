"""What a person never does twice alike: slow, small wandering of the lips beside what the sounds ask for.

A first-order autoregression with the covariance and the memory of what the motion model leaves unexplained in training.
Nothing of it reaches the closing of the lips: it fades as they close, and closure itself does not wander.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.visemes import CLOSURE, MOUTH

Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK = 256  # frames drawn at once
_WARM_UP = 64  # frames after which a start is forgotten, at the memories that training finds
_KEPT = 4  # blocks
_FIRST = 2**31  # makes the number of a block before time 0 positive
LONGEST_MEMORY = 0.95
# What training leaves unexplained holds the model's own error and the tracker's noise too. All of it would make lips
# tremble: 1.5 times the jitter of the truth. This much of it spreads as the truth does and keeps within 1.4.
SHOWN_SHARE = 0.65


@dataclass(frozen=True)
class Unevenness:
    """How lips wander."""

    factor: Array  # [CLOSURE, CLOSURE] times its transpose is the covariance of all controls but closure
    memory: float  # correlation of one frame with the next, 0..LONGEST_MEMORY


class Wandering:
    """The wandering of one session, a function of time: any order of questions gives the same answers."""

    def __init__(self, unevenness: Unevenness, seed: int) -> None:
        self._unevenness, self._seed = unevenness, seed
        self._blocks: dict[int, Array] = {}

    def at(self, t_s: float) -> Array:
        """[MOUTH] what is added to an open mouth at a time; 0 for closure."""
        place = t_s * FRAMES_PER_S
        first = int(np.floor(place))
        part = place - first
        out = np.zeros(len(MOUTH))
        out[:CLOSURE] = (1 - part) * self._frame(first) + part * self._frame(first + 1)
        return out

    def _frame(self, number: int) -> Array:
        block, within = divmod(number, _BLOCK)
        if block not in self._blocks:
            while len(self._blocks) >= _KEPT:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[block] = self._drawn(block)
        return np.asarray(self._blocks[block][within])

    def _drawn(self, block: int) -> Array:
        """[_BLOCK, CLOSURE] frames of one block, from its own draws and the last ones of the block before."""
        drawn = np.concatenate([self._draws(block - 1)[-_WARM_UP:], self._draws(block)])
        memory, state = self._unevenness.memory, drawn[0]
        out = np.empty_like(drawn)
        for index, new in enumerate(drawn):
            state = memory * state + np.sqrt(1 - memory**2) * new
            out[index] = state
        return np.asarray(out[_WARM_UP:] @ (SHOWN_SHARE * self._unevenness.factor).T)

    def _draws(self, block: int) -> Array:
        return np.random.default_rng([self._seed, _FIRST + block]).normal(size=(_BLOCK, CLOSURE))
