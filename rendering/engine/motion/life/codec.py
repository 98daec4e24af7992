"""A chunk of life as 100 numbers that are near to standard normal, and back.

Smooth channels: what a linear prediction from the last changes leaves over, in its principal directions in time, each
in its own deviation; so a small error of the network is small at every frequency. Events (a blink, a jump of the eyes)
are one number each: a normal quantile whose top share says at which frame the event starts, and the rest that there is
none.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import CHUNK, SMOOTH

Array = np.ndarray[Any, np.dtype[Any]]

HISTORY = 5  # changes that the linear prediction looks at
WIDTH = len(SMOOTH) * CHUNK + 4
BLINK, SACCADE, AIM = len(SMOOTH) * CHUNK, len(SMOOTH) * CHUNK + 1, slice(len(SMOOTH) * CHUNK + 2, WIDTH)
LARGEST = 5.0
NONE = -1
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Codec:
    """The fixed tables of the code; all float32."""

    predictor: Array  # [12, HISTORY, CHUNK]
    directions: Array  # [12, CHUNK, CHUNK] columns are directions times their deviation
    inverses: Array  # [12, CHUNK, CHUNK] from what is left over to the code
    event_shares: Array  # [2] how many chunks hold a blink, and a jump of the eyes

    def code(self, past: Array, chunk: Array, speed: Array) -> Array:
        """[B, 96] code of smooth chunks [B, CHUNK, 12] after `past` [B, >HISTORY, 12], all in deviations."""
        left = (chunk - past[:, -1:]) / speed[:, None] - self._expected(past, speed)
        code = np.einsum("cgf,bfc->bcg", self.inverses, left)
        return np.asarray(np.clip(code.reshape(len(past), -1), -LARGEST, LARGEST), np.float32)

    def smooth(self, past: Array, code: Array, speed: Array) -> Array:
        """[B, CHUNK, 12] the inverse of `code`; reads the first 96 numbers [B, >=96]."""
        rows = code[:, : len(SMOOTH) * CHUNK].reshape(len(past), len(SMOOTH), CHUNK)
        left = np.einsum("cfg,bcg->bfc", self.directions, rows)
        return np.asarray(past[:, -1:] + speed[:, None] * (left + self._expected(past, speed)), np.float32)

    def event(self, value: float, which: int) -> int:
        """The frame at which an event starts, or NONE; `which` is 0 for a blink and 1 for a jump of the eyes."""
        share = float(self.event_shares[which])
        above = (_NORMAL.cdf(float(value)) - (1 - share)) / share
        return NONE if above < 0 else min(CHUNK - 1, int(above * CHUNK))

    def _expected(self, past: Array, speed: Array) -> Array:
        changes = np.diff(past[:, -HISTORY - 1 :], axis=1) / speed[:, None]
        return np.asarray(np.einsum("bhc,chf->bfc", changes, self.predictor))


def event_value(frame: int, share: float, random: float) -> float:
    """The code of an event that starts at `frame` (or NONE); `random` 0..1 spreads it over its interval."""
    if frame == NONE:
        return _NORMAL.inv_cdf(float(np.clip(random * (1 - share), 1e-4, 1 - 1e-4)))
    return _NORMAL.inv_cdf(float(np.clip(1 - share + share * (frame + random) / CHUNK, 1e-4, 1 - 1e-4)))
