"""The measure of eot-bench: false cut-offs against dead air over a sweep of the policy (github.com/livekit/eot-bench).

A policy has a threshold, an action delay and a time-out. In each silence it acts at the later of the delay and the
first moment the model's share is over the threshold, at the latest at the time-out. Acting inside a pause of the turn
is a false cut-off (share of pauses of 0.2 to 5 s); the mean wait at true ends is the dead air. Silence alone is the
same with no model: it acts at its delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.training.turns.heard import Moments

Floats = NDArray[np.float64]

THRESHOLDS = np.round(np.arange(0.0, 1.01, 0.01), 2)
# eot-bench's own delays and time-outs, and between them, so that silence alone is not held to round numbers.
DELAYS_S = np.round(np.arange(0.2, 1.01, 0.05), 2)
TIMEOUTS_S = np.round(np.arange(1.0, 3.51, 0.1), 2)
# A model's share may cross its threshold at any hop, so silence alone may wait for any number of hops as well.
SILENCES_S = np.round(np.arange(0.2, 3.51, 0.02), 2)
EOT_BENCH_DELAYS_S = np.round(np.arange(0.2, 1.01, 0.1), 2)
EOT_BENCH_TIMEOUTS_S = np.round(np.arange(1.0, 3.51, 0.5), 2)
HOLD_S = (0.2, 5.0)
TINY = 1e-9


@dataclass(frozen=True)
class Silences:
    """One entry for each silence: when each threshold is first crossed in it (infinite: never), and its length."""

    crossed_s: Floats  # [S, thresholds]
    length_s: Floats  # [S], infinite at the end of a turn


@dataclass(frozen=True)
class Point:
    """One policy and what it costs."""

    cutoff: float
    dead_air_s: float
    threshold: float
    delay_s: float
    timeout_s: float


def silences(shares: Floats, moments: Moments) -> Silences:
    """[N] shares of "over" at each moment, grouped by silence. Pauses out of HOLD_S are left out, as eot-bench does."""
    _, firsts = np.unique(moments.span, return_index=True)
    firsts = np.sort(firsts)
    crossed, lengths = [], []
    for first, last in zip(firsts, np.append(firsts[1:], len(shares)), strict=True):
        length = float(moments.length_s[first])
        if np.isfinite(length) and not HOLD_S[0] - TINY <= length <= HOLD_S[1] + TINY:
            continue
        highest = np.maximum.accumulate(shares[first:last])
        index = np.searchsorted(highest, THRESHOLDS, side="right")
        times = np.append(moments.silence_s[first:last], np.inf)
        crossed.append(times[index])
        lengths.append(length)
    return Silences(np.array(crossed), np.array(lengths))


def sweep(found: Silences, delays_s: Floats = DELAYS_S, timeouts_s: Floats = TIMEOUTS_S) -> list[Point]:
    """Every policy of the grid."""
    is_end = np.isinf(found.length_s)
    hold_s, hold_crossed, end_crossed = found.length_s[~is_end], found.crossed_s[~is_end], found.crossed_s[is_end]
    points = []
    for delay_s in delays_s:
        acts_in_hold, acts_at_end = np.maximum(hold_crossed, delay_s), np.maximum(end_crossed, delay_s)
        cut_by_model = hold_s[:, None] > acts_in_hold + TINY
        for timeout_s in timeouts_s[timeouts_s >= delay_s - TINY]:
            cut = (cut_by_model | (hold_s > timeout_s + TINY)[:, None]).mean(0)
            waits = np.minimum(acts_at_end, timeout_s).mean(0)
            points += [
                Point(float(c), float(w), float(t), float(delay_s), float(timeout_s))
                for c, w, t in zip(cut, waits, THRESHOLDS, strict=True)
            ]
    return points


def silence_alone(found: Silences, waits_s: Floats = SILENCES_S) -> list[Point]:
    """Silence as the only sign: acts after each of the given waits."""
    hold_s = found.length_s[np.isfinite(found.length_s)]
    return [Point(float((hold_s > wait + TINY).mean()), float(wait), 1.0, float(wait), float(wait)) for wait in waits_s]


def quickest(points: Sequence[Point], cutoff: float) -> Point | None:
    """The least dead air with at most this share of false cut-offs."""
    fit = [point for point in points if point.cutoff <= cutoff + TINY]
    return min(fit, key=lambda point: (point.dead_air_s, point.cutoff)) if fit else None


def gentlest(points: Sequence[Point], dead_air_s: float) -> Point | None:
    """The fewest false cut-offs with at most this much dead air."""
    fit = [point for point in points if point.dead_air_s <= dead_air_s + TINY]
    return min(fit, key=lambda point: (point.cutoff, point.dead_air_s)) if fit else None


def at(found: Silences, threshold: float, delay_s: float, timeout_s: float) -> Point:
    """What one chosen policy costs."""
    points = sweep(found, np.array([delay_s]), np.array([timeout_s]))
    return min(points, key=lambda point: abs(point.threshold - threshold))


def summary(points: Sequence[Point]) -> dict[str, float | None]:
    """The four operating points of eot-bench; None where no policy reaches one."""
    return {
        "cutoff_300": _cutoff(gentlest(points, 0.3)), "cutoff_600": _cutoff(gentlest(points, 0.6)),
        "dead_air_ms_at_5pct": _wait(quickest(points, 0.05)), "dead_air_ms_at_10pct": _wait(quickest(points, 0.10)),
    }  # fmt: skip


def area(shares: Floats, moments: Moments, at_s: float = 0.2) -> float:
    """Area under the ROC curve of the shares `at_s` into each silence: 0.5 says nothing about ends."""
    chosen = _one_each(moments, at_s)
    ends, holds = shares[chosen][moments.is_end[chosen]], shares[chosen][~moments.is_end[chosen]]
    ranks = np.argsort(np.argsort(np.concatenate([ends, holds]), kind="stable"), kind="stable") + 1.0
    return float((ranks[: len(ends)].sum() - len(ends) * (len(ends) + 1) / 2) / (len(ends) * len(holds)))


def _one_each(moments: Moments, at_s: float) -> NDArray[np.int64]:
    """Of each silence that lasts so long, the first moment `at_s` into it."""
    late = np.flatnonzero(moments.silence_s >= at_s - TINY)
    _, first = np.unique(moments.span[late], return_index=True)
    return late[first]


def _cutoff(point: Point | None) -> float | None:
    return None if point is None else round(point.cutoff, 4)


def _wait(point: Point | None) -> float | None:
    return None if point is None else round(1000 * point.dead_air_s, 1)
