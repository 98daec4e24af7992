"""How good a mouth's movement is against the truth, and whether it follows the sound at all.

Closure and false closures are only worth anything together: a mouth that is always shut closes on every p, b and m.
Definitions: `tests/benchmarks/motion_mouth.py` prints them for the held-out voice; docs/motion.md says what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import FRAMES_PER_S, RATE_HZ
from rendering.engine.motion.visemes import CLOSURE
from rendering.training.mouth.movement import JAW, opening

Array = np.ndarray[Any, np.dtype[Any]]

CLOSED, CLEARLY_OPEN = 0.06, 0.15  # of full opening
NEAR_S = 0.060
STEP_S, REACH_S = 0.010, 0.400  # grid and range of the comparison of sound and opening
SHUFFLES = 200


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


@dataclass(frozen=True)
class Sync:
    """Peak correlation of the sound's energy with the opening, and what chance gives."""

    peak: float
    lag_ms: float  # positive: the mouth comes after the sound
    shuffled: float  # 95th percentile of the peak with the sound's pieces in another order

    @property
    def margin(self) -> float:
        """How far the peak stands above chance."""
        return self.peak - self.shuffled


def compare(moved: Array, wanted: Array, bilabials_s: Array, frames_per_s: float = FRAMES_PER_S) -> Quality:
    """Measure movements [T, MOUTH] whose frame n stands at n / `frames_per_s`.

    Args:
        bilabials_s: [B] middle of each p, b and m; those count whose truth closes within NEAR_S.
    """
    spread = np.maximum(wanted.std(0), 1e-3)
    is_open, should_open = opening(moved), opening(wanted)
    return Quality(
        float(np.sqrt(np.mean((moved - wanted) ** 2))),
        _correlation(moved[:, JAW], wanted[:, JAW]),
        _correlation(moved[:, CLOSURE], wanted[:, CLOSURE]),
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


def _correlation(a: Array, b: Array) -> float:
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def best_lag_s(later: Array, earlier: Array, frames_per_s: float, reach_s: float) -> tuple[float, float]:
    """By how many s `later` comes after `earlier`, where their correlation peaks, and its height there.

    Between the frames the peak is placed by a parabola.
    """
    reach = round(reach_s * frames_per_s)
    values = np.array([_shifted_correlation(later, earlier, lag) for lag in range(-reach, reach + 1)])
    return float((_peak(values) - reach) / frames_per_s), float(values.max())


def _shifted_correlation(later: Array, earlier: Array, lag: int) -> float:
    """Correlation when `later` comes `lag` steps after `earlier`."""
    if lag >= 0:
        return _correlation(later[lag:], earlier[: len(earlier) - lag])
    return _correlation(later[:lag], earlier[-lag:])


def _peak(values: Array) -> float:
    """Place of the largest value, by a parabola through it and its neighbours."""
    at = int(np.argmax(values))
    if 0 < at < len(values) - 1:
        low, middle, high = values[at - 1 : at + 2]
        bend = low - 2 * middle + high
        return at + (0.5 * float(low - high) / float(bend) if bend < 0 else 0.0)
    return float(at)


def sync(openings: Array, frames_per_s: float, samples: Array, seed: int = 0) -> Sync:
    """Compare the opening [T] with the log energy (300 to 3400 Hz) of the sound [N] at 16 kHz, both starting at 0.

    Judge no less than 30 s: the lag of one sentence scatters by tens of milliseconds.
    """
    count = int(min(len(samples) / RATE_HZ, len(openings) / frames_per_s) / STEP_S)
    energy = _energy(samples, count)
    grid_s = np.arange(count) * STEP_S
    curve = np.interp(grid_s, np.arange(len(openings)) / frames_per_s, openings)
    reach = round(REACH_S / STEP_S)
    lag_s, height = best_lag_s(curve, energy, 1 / STEP_S, REACH_S)
    random = np.random.default_rng(seed)
    piece = round(1.0 / STEP_S)
    pieces = [energy[i : i + piece] for i in range(0, count, piece)]
    chance = []
    for _ in range(SHUFFLES):
        mixed = np.concatenate([pieces[i] for i in random.permutation(len(pieces))])
        chance.append(max(_shifted_correlation(curve, mixed, lag) for lag in range(-reach, reach + 1, 4)))
    return Sync(height, 1000 * lag_s, float(np.quantile(chance, 0.95)))


def _energy(samples: Array, count: int) -> Array:
    """[count] log energy in the band of speech, every 10 ms, centred."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    band = np.fft.irfft(np.where((hz > 300) & (hz < 3400), spectrum, 0), len(samples))
    step = round(STEP_S * RATE_HZ)
    total = np.concatenate([[0.0], np.cumsum(band**2)])
    middle = np.arange(count) * step
    low, high = np.clip(middle - step, 0, len(samples)), np.clip(middle + step, 0, len(samples))
    return np.asarray(np.log((total[high] - total[low]) / (2 * step) + 1e-6))
