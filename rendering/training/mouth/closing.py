"""How readily the recogniser hears p, b and m: a weight on one class, chosen on voices that nothing is judged with.

A recogniser that is unsure spreads its belief over many classes, and lips that half believe do not meet. More readiness
closes more of the p, b and m, and more often wrongly; the choice takes the most closures within a bound of false ones.
"""

from __future__ import annotations

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

READINESS = tuple(np.round(np.arange(-2.0, 1.01, 0.125), 3))  # added to the logit of p, b and m
MOST_FALSE_PER_MIN = 12.0  # one less than the bar of docs/benchmarks.md: voices differ


@dataclass(frozen=True)
class Chosen:
    """The readiness, and what it gave where it was chosen."""

    readiness: float
    quality: Quality


def choose(
    recogniser: Recogniser, motion: MotionModel, strangers: Speech, most_false_per_min: float = MOST_FALSE_PER_MIN
) -> Chosen:
    """The readiness that closes most, judged on clean speech that the recogniser did not learn from.

    When each one closes wrongly more often than `most_false_per_min`, the one that does so least.
    """
    rows = hear(recogniser, strangers.samples, has_motion_model=True).rows
    assert rows is not None
    judged = Judged.of(strangers)
    tried = [
        Chosen(float(ready), judged.score(through(motion, readier(rows, ready)[: strangers.frames])))
        for ready in READINESS
    ]
    allowed = [one for one in tried if one.quality.false_closures_per_min <= most_false_per_min]
    if not allowed:
        return min(tried, key=lambda one: one.quality.false_closures_per_min)
    return max(allowed, key=lambda one: one.quality.closure_share)


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
