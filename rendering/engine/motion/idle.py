"""What a face does on its own: drifting head, glances, blinks, breath. All seeded, all functions of time."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

BREATHS_PER_S = 0.24


class Drift:
    """Smooth noise of unit deviation: a few waves of random frequency within a band."""

    def __init__(self, random: np.random.Generator, low_hz: float, high_hz: float, waves: int = 6) -> None:
        self._rates = 2 * np.pi * random.uniform(low_hz, high_hz, waves)
        self._phases = random.uniform(0, 2 * np.pi, waves)
        self._sizes = random.uniform(0.5, 1.0, waves)
        self._sizes /= np.sqrt(0.5 * (self._sizes**2).sum())

    def at(self, t_s: float) -> float:
        """The value at a time."""
        return float((self._sizes * np.sin(self._rates * t_s + self._phases)).sum())


class Schedule:
    """Moments drawn one after another with random gaps; extended as time is asked for."""

    def __init__(self, random: np.random.Generator, gap_s: tuple[float, float], values: int) -> None:
        self._random = random
        self._gap_s = gap_s
        self._values = values
        self._moments = [float(random.uniform(0.3, 1.0) * gap_s[1])]
        self._drawn = [random.normal(size=values)]

    def last(self, t_s: float) -> tuple[float, Array, Array]:
        """Seconds since the last moment, and the numbers drawn for it and for the one before (zeros before any)."""
        while self._moments[-1] <= t_s:
            self._moments.append(self._moments[-1] + float(self._random.uniform(*self._gap_s)))
            self._drawn.append(self._random.normal(size=self._values))
        index = int(np.searchsorted(self._moments, t_s, side="right")) - 1
        none = np.zeros(self._values)
        if index < 0:
            return 1e9, none, none
        return t_s - self._moments[index], self._drawn[index], self._drawn[index - 1] if index else none


def nod(since_s: float) -> float:
    """One listening nod: down and up within about 0.8 s, with a smaller echo."""
    if since_s > 1.6:
        return 0.0
    return float(np.sin(2 * np.pi * 1.25 * since_s) ** 2 * np.exp(-1.8 * since_s))
