"""A mouth that is shut from one picture to the next when speech is cut, and begins again without a jump.

Neighbouring sounds colour each other, so a mouth that only ran out of sounds would go on moving for a fifth of a
second. After a cut the sounds before it have no say any more; how the lips are rounded or spread settles while they
are shut, and the first speech after it rises into its shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.hearing import Heard
from rendering.engine.motion.mouth.spoken import SpokenMouth
from rendering.engine.motion.visemes import CLOSURE, MOUTH, Span

Array = np.ndarray[Any, np.dtype[Any]]

SETTLE_S = 0.07  # in which a shut mouth's shape falls to a third
RISE_S = 0.1  # speech that is laid at short notice would open the mouth at once
_OPENING = np.isin(MOUTH, ("jaw", "upper_up", "lower_down", "closure"))
_MOVING = np.arange(len(MOUTH)) != CLOSURE


class CutMouth:
    """One session's mouth on one clock that only moves forward; see `SpokenMouth` for what it says."""

    def __init__(self, mouth: SpokenMouth) -> None:
        self._mouth, self._before = mouth, mouth.silenced()
        self._cut_s = -np.inf
        self._shape = np.zeros(len(MOUTH))  # when it was cut
        self._rises_s: float | None = -np.inf  # since when the first speech after the cut; None until there is one
        self._asked_s = -np.inf

    def add(self, spans: Sequence[Span], start_s: float) -> None:
        self._begin()
        self._mouth.add(spans, start_s)

    def follow(self, heard: Heard, start_s: float) -> None:
        self._begin()
        self._mouth.follow(heard, start_s)

    def _begin(self) -> None:
        if self._rises_s is None:
            self._rises_s = max(self._asked_s, self._cut_s)

    def feel(self, emotion: str, milli: int, now_s: float) -> None:
        self._mouth.feel(emotion, milli, now_s)

    def forget(self, before_s: float) -> None:
        self._mouth.forget(before_s)

    def cut(self, now_s: float) -> None:
        """Forget what would be spoken from `now_s` on: there the lips are shut, whatever they did before."""
        self._shape = np.where(_OPENING, 0.0, self.at(now_s))
        self._before, self._mouth = self._mouth, self._mouth.silenced()
        self._before.cut(now_s)
        self._cut_s, self._rises_s = now_s, None

    def at(self, t_s: float) -> Array:
        """[MOUTH] amounts at a time; the closure is what the sounds alone ask for."""
        if t_s < self._cut_s:
            return self._before.at(t_s)
        self._asked_s = max(self._asked_s, t_s)
        settling = self._shape * np.exp((self._cut_s - t_s) / SETTLE_S)
        return np.asarray(self._mouth.at(t_s) * np.where(_MOVING, 1 - self.shut(t_s), 1.0) + settling)

    def shut(self, t_s: float) -> float:
        """0..1: how far the lips stand as they do at rest, whatever the sounds ask for. 1 from a cut to new speech."""
        if t_s < self._cut_s:
            return 0.0
        if self._rises_s is None:
            return 1.0
        share = min(1.0, max(0.0, (t_s - self._rises_s) / RISE_S))
        return 1 - share * share * (3 - 2 * share)

    def speaks(self, t_s: float) -> float:
        """0..1: how much the lips speak around this time. `activity` dies away behind a cut, this does not."""
        return (self._before if t_s < self._cut_s else self._mouth).activity(t_s)

    def activity(self, t_s: float) -> float:
        """0..1: how much is being spoken around this time, for all but the mouth."""
        return max(self._before.activity(t_s), self._mouth.activity(t_s))

    def stresses(self, t_s: float) -> float:
        """A slow bump on each long open sound: what heads nod to."""
        return self._before.stresses(t_s) + self._mouth.stresses(t_s)
