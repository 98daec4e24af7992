"""How good a mouth's movement is against the truth; whether it follows the sound at all, `training.lip_sound` says.

Closure and false closures are only worth anything together: a mouth that is always shut closes on every p, b and m.
Definitions: `tests/benchmarks/motion_mouth.py` prints them for the held-out voice; docs/motion.md says what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.visemes import CLOSURE
from rendering.training.lip_sound import REACH_S, best_lag_s, correlation
from rendering.training.mouth.movement import CLEARLY_OPEN, CLOSED, JAW, opening

Array = np.ndarray[Any, np.dtype[Any]]

NEAR_S = 0.060


@dataclass(frozen=True)
class Quality:
    """One movement against its truth."""

    rmse: float
    jaw_correlation: float
    closure_correlation: float
    closure_share: float
    false_closures_per_min: float
    variance_ratio: float
    jitter_ratio: float
    lag_ms: float  # positive: the movement comes late

    def rounded(self) -> dict[str, float]:
        """For reports."""
        return {name: round(value, 3) for name, value in vars(self).items()}


def compare(moved: Array, wanted: Array, bilabials_s: Array, frames_per_s: float = FRAMES_PER_S) -> Quality:
    """Measure movements [T, MOUTH] whose frame n stands at n / `frames_per_s`.

    Args:
        bilabials_s: [B] middle of each p, b and m; those count whose truth closes within NEAR_S.
    """
    spread = np.maximum(wanted.std(0), 1e-3)
    is_open, should_open = opening(moved), opening(wanted)
    return Quality(
        float(np.sqrt(np.mean((moved - wanted) ** 2))),
        correlation(moved[:, JAW], wanted[:, JAW]),
        correlation(moved[:, CLOSURE], wanted[:, CLOSURE]),
        _closure_share(is_open, should_open, bilabials_s, frames_per_s),
        _false_closures(is_open, should_open, frames_per_s),
        float(np.mean(moved.var(0) / spread**2)),
        float(_jitter(moved[:, JAW]) / max(_jitter(wanted[:, JAW]), 1e-9)),
        1000 * best_lag_s(is_open, should_open, frames_per_s, REACH_S)[0],
    )


def _closure_share(is_open: Array, should_open: Array, bilabials_s: Array, frames_per_s: float) -> float:
    closed = []
    for moment_s in bilabials_s:
        first = int(np.ceil((float(moment_s) - NEAR_S) * frames_per_s))
        near = slice(max(0, first), int((float(moment_s) + NEAR_S) * frames_per_s) + 1)
        if len(should_open[near]) and should_open[near].min() < CLOSED:
            closed.append(is_open[near].min() < CLOSED)
    return float(np.mean(closed)) if closed else float("nan")


def _false_closures(is_open: Array, should_open: Array, frames_per_s: float) -> float:
    """Closings per minute, each counted once, while the truth is clearly open."""
    wrong = (is_open < CLOSED) & (should_open > CLEARLY_OPEN)
    begins = wrong[1:] & ~wrong[:-1]
    return float((begins.sum() + wrong[0]) / (len(wrong) / frames_per_s / 60))


def _jitter(curve: Array) -> float:
    return float(np.sqrt(np.mean(np.diff(curve, 2) ** 2)))
