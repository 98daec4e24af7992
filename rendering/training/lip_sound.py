"""How well lips and a sound agree: of a replica's motion, and of footage whose sound may be music or another voice.

Method: peak of the cross-correlation between the lip opening and the log energy of 300 to 3400 Hz within 0.4 s, against
the 95th percentile of the same peak with a sound that cannot belong to the lips (audio-visual sync without a network).
Such a sound is the same one with its seconds in another order, or as a whole at another time. The second keeps the
rhythm of its sentences, so it is the harder comparison and the one that finds another person's speech out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

STEP_S, REACH_S = 0.010, 0.400  # grid and range of the comparison
PIECE_S, SHUFFLES = 1.0, 200
NEAREST_MOVE_S, MOVES = 2.0, 60
SHORTEST_S = 6.0
LOW_HZ, HIGH_HZ = 300.0, 3400.0
_FLOOR = 1e-6  # of the power of full scale; pauses below it are all alike


class Chance(StrEnum):
    """How a sound is made that does not belong to the lips."""

    SHUFFLED = "its seconds in another order"
    MOVED = "the whole of it at another time"


@dataclass(frozen=True)
class Agreement:
    """Peak correlation of the sound's energy with the opening, and what chance gives."""

    peak: float
    lag_ms: float  # positive: the mouth comes after the sound
    chance: float  # 95th percentile of the peak with sounds that do not belong to the lips

    @property
    def margin(self) -> float:
        """How far the peak stands above chance, -2..2."""
        return self.peak - self.chance


NONE = Agreement(0.0, 0.0, 0.0)


def agreement(
    openings: Array, frames_per_s: float, samples: Array, rate_hz: int, chance: Chance = Chance.SHUFFLED, seed: int = 0
) -> Agreement:
    """Compare lip openings [T] with a sound [N] in -1..1, both starting at 0.

    Openings of frames without a face are NaN and are bridged. Less than SHORTEST_S gives no agreement, for chance would
    do as well. Judge lags on no less than 30 s: that of one sentence scatters by tens of milliseconds.
    """
    count = int(min(len(samples) / rate_hz, len(openings) / frames_per_s) / STEP_S)
    known = np.isfinite(openings)
    if known.sum() < 2 or count * STEP_S < SHORTEST_S:
        return NONE
    energy = _energy(samples, rate_hz, count)
    curve = np.interp(np.arange(count) * STEP_S, np.flatnonzero(known) / frames_per_s, openings[known])
    lag_s, height = best_lag_s(curve, energy, 1 / STEP_S, REACH_S)
    reach = round(REACH_S / STEP_S)
    others = _moved(energy) if chance is Chance.MOVED else _shuffled(energy, np.random.default_rng(seed))
    peaks = [max(_shifted_correlation(curve, other, lag) for lag in range(-reach, reach + 1, 4)) for other in others]
    return Agreement(height, 1000 * lag_s, float(np.quantile(peaks, 0.95)))


def _shuffled(energy: Array, random: np.random.Generator) -> Iterator[Array]:
    piece = round(PIECE_S / STEP_S)
    pieces = [energy[i : i + piece] for i in range(0, len(energy), piece)]
    for _ in range(SHUFFLES):
        yield np.concatenate([pieces[i] for i in random.permutation(len(pieces))])


def _moved(energy: Array) -> Iterator[Array]:
    nearest = round(NEAREST_MOVE_S / STEP_S)
    for move in np.linspace(nearest, len(energy) - nearest, MOVES).astype(int):
        yield np.roll(energy, int(move))


def best_lag_s(later: Array, earlier: Array, frames_per_s: float, reach_s: float) -> tuple[float, float]:
    """By how many s `later` comes after `earlier`, where their correlation peaks, and its height there.

    Between the frames the peak is placed by a parabola.
    """
    reach = round(reach_s * frames_per_s)
    values = np.array([_shifted_correlation(later, earlier, lag) for lag in range(-reach, reach + 1)])
    return float((_peak(values) - reach) / frames_per_s), float(values.max())


def correlation(a: Array, b: Array) -> float:
    """Of two series of the same length; 0 where one does not move."""
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _shifted_correlation(later: Array, earlier: Array, lag: int) -> float:
    """Correlation when `later` comes `lag` steps after `earlier`."""
    if lag >= 0:
        return correlation(later[lag:], earlier[: len(earlier) - lag])
    return correlation(later[:lag], earlier[-lag:])


def _peak(values: Array) -> float:
    """Place of the largest value, by a parabola through it and its neighbours."""
    at = int(np.argmax(values))
    if 0 < at < len(values) - 1:
        low, middle, high = values[at - 1 : at + 2]
        bend = low - 2 * middle + high
        return at + (0.5 * float(low - high) / float(bend) if bend < 0 else 0.0)
    return float(at)


def _energy(samples: Array, rate_hz: int, count: int) -> Array:
    """[count] log energy in the band of speech, every 10 ms, each over the 20 ms around it."""
    size = 1 << (len(samples) - 1).bit_length()
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    spectrum = np.where((hz > LOW_HZ) & (hz < HIGH_HZ), np.fft.rfft(samples, size), 0)
    band = np.fft.irfft(spectrum, size)[: len(samples)]
    step = round(STEP_S * rate_hz)
    total = np.concatenate([[0.0], np.cumsum(band**2)])
    middle = np.arange(count) * step
    low, high = np.clip(middle - step, 0, len(samples)), np.clip(middle + step, 0, len(samples))
    return np.asarray(np.log((total[high] - total[low]) / (2 * step) + _FLOOR))
