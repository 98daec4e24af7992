"""Whether the sound of footage is its person's speech: lips open with loudness, and music or another voice do not care.

Method: peak of the cross-correlation between the lip opening and the log energy of 300 to 3400 Hz within 0.4 s, against
the 95th percentile of the same peak when the sound is moved by seconds (as for audio-visual sync without a network).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
STEP_S, REACH_S = 0.01, 0.4
LOW_HZ, HIGH_HZ = 300.0, 3400.0
SHIFTS, NEAREST_SHIFT_S = 60, 2.0
FLOOR_DB = -50.0  # under the loudest; pauses below it are all alike


def margin(gaps: Array, fps: float, pcm: Array, rate_hz: int) -> float:
    """How much better lips [T] and sound [N] int16 agree than lips and the same sound at another time, -2..2.

    Gaps of frames without a face are NaN and are bridged. Clips shorter than 6 s give 0: no shift is far enough.
    """
    energy = energy_db(pcm, rate_hz)
    times = np.arange(len(energy)) * STEP_S
    known = np.isfinite(gaps)
    if known.sum() < 2 or times[-1:].size == 0 or times[-1] < 3 * NEAREST_SHIFT_S:
        return 0.0
    lips = np.interp(times, np.flatnonzero(known) / fps, gaps[known])
    nearest = round(NEAREST_SHIFT_S / STEP_S)
    shifts = np.linspace(nearest, len(energy) - nearest, SHIFTS).astype(int)
    moved = [peak(lips, np.roll(energy, shift)) for shift in shifts]
    return peak(lips, energy) - float(np.quantile(moved, 0.95))


def peak(lips: Array, energy: Array) -> float:
    """Highest correlation of two series of the same length while one is moved by up to 0.4 s."""
    reach = round(REACH_S / STEP_S)
    best = -1.0
    for lag in range(-reach, reach + 1, 2):
        one = lips[max(0, lag) : len(lips) + min(0, lag)]
        other = energy[max(0, -lag) : len(energy) + min(0, -lag)]
        spread = float(one.std() * other.std())
        if spread > 1e-9:
            best = max(best, float(((one - one.mean()) * (other - other.mean())).mean()) / spread)
    return best


def energy_db(pcm: Array, rate_hz: int) -> Array:
    """Log energy of the speech band every 10 ms, held above a floor under the loudest."""
    size, step = round(0.025 * rate_hz), round(STEP_S * rate_hz)
    if len(pcm) < size:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(pcm.astype(np.float64), size)[::step]
    power = np.abs(np.fft.rfft(windows * np.hanning(size), axis=1)) ** 2
    hertz = np.fft.rfftfreq(size, 1 / rate_hz)
    level = 10 * np.log10(power[:, (hertz >= LOW_HZ) & (hertz <= HIGH_HZ)].sum(axis=1) + 1.0)
    return np.asarray(np.maximum(level, level.max() + FLOOR_DB))
