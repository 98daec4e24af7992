"""How readily the recogniser hears p, b and m: a weight on one class, chosen on voices that nothing is judged with.

A recogniser that is unsure spreads its belief over many classes, and lips that half believe do not meet. More readiness
closes more of the p, b and m, and more often wrongly; the choice takes the most closures within a bound of false ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.hearing import hear
from rendering.engine.motion.mouth.motion import MotionModel
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.engine.motion.visemes import BILABIAL, VISEMES
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.evaluate import Judged, through
from rendering.training.mouth.measures import Quality

Array = np.ndarray[Any, np.dtype[Any]]

READINESS = tuple(np.round(np.arange(-2.0, 1.01, 0.25), 2))  # added to the logit of p, b and m
MOST_FALSE_PER_MIN = 13.0  # the bar of docs/benchmarks.md


@dataclass(frozen=True)
class Stranger:
    """Speech that neither this recogniser nor this motion model learnt from."""

    recogniser: Recogniser
    motion: MotionModel
    speech: Speech


@dataclass(frozen=True)
class Chosen:
    """The readiness, and what it gave each stranger."""

    readiness: float
    qualities: tuple[Quality, ...]

    @property
    def closure_share(self) -> float:
        """Mean over the strangers."""
        return float(np.mean([quality.closure_share for quality in self.qualities]))

    @property
    def false_closures_per_min(self) -> float:
        """Mean over the strangers."""
        return float(np.mean([quality.false_closures_per_min for quality in self.qualities]))


def choose(strangers: Sequence[Stranger], most_false_per_min: float = MOST_FALSE_PER_MIN) -> Chosen:
    """The readiness that closes most of what strangers say.

    When each one closes wrongly more often than `most_false_per_min`, the one that does so least.
    """
    curves = [_curve(stranger) for stranger in strangers]
    tried = [Chosen(float(ready), tuple(each)) for ready, *each in zip(READINESS, *curves, strict=True)]
    allowed = [one for one in tried if one.false_closures_per_min <= most_false_per_min]
    if not allowed:
        return min(tried, key=lambda one: one.false_closures_per_min)
    return max(allowed, key=lambda one: one.closure_share)


def _curve(stranger: Stranger) -> list[Quality]:
    """One quality for each readiness."""
    speech = stranger.speech
    rows = hear(stranger.recogniser, speech.samples, has_motion_model=True).rows
    assert rows is not None
    judged = Judged.of(speech)
    return [judged.score(through(stranger.motion, readier(rows, r)[: speech.frames])) for r in READINESS]


def readier(rows: Array, readiness: float) -> Array:
    """Rows [F, HEARD] as if the logit of p, b and m had been higher by `readiness` at both hearings."""
    out = rows.reshape(len(rows), 2, len(VISEMES)).copy()
    out[..., BILABIAL] *= np.exp(readiness)
    return np.asarray((out / out.sum(-1, keepdims=True)).reshape(rows.shape), np.float32)


def with_readiness(recogniser: Recogniser, readiness: float) -> Recogniser:
    """The recogniser that hears so."""
    bias = recogniser.network.leave_bias.copy()
    bias[[BILABIAL, BILABIAL + len(VISEMES)]] += readiness
    return replace(recogniser, network=replace(recogniser.network, leave_bias=bias))
