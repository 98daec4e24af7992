"""What the recogniser hears: log-mel bands of the sound, four columns stacked for each video frame.

Column c ends at c / 120 s and spans the 25 ms before that moment; frame n stacks the four columns that end at or before
n / 30 s. Nothing later is looked at, so the same numbers come out of a stream and of a whole recording.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

RATE_HZ = 16_000
FRAMES_PER_S = 30
COLUMNS = 4  # stacked per video frame
BANDS = 40
INPUTS = BANDS * COLUMNS
WINDOW = 400  # samples, 25 ms
_FFT = 512
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
_FLOOR = 1e-7  # of the power of a full-scale square wave: digital silence is -70 dB


def log_mel(samples: Array) -> Array:
    """[F, INPUTS] features of a whole recording, for frames 0 .. F - 1 at n / 30 s.

    Args:
        samples: [N] float in -1..1 at 16 kHz; before the first sample there is silence.
    """
    count = len(samples) * FRAMES_PER_S // RATE_HZ + 1
    padded = np.concatenate([np.zeros(WINDOW + RATE_HZ // 30, np.float32), samples.astype(np.float32)])
    ends = _column_ends(0, count) + WINDOW + RATE_HZ // 30
    return _columns(padded, ends).reshape(count, INPUTS)


class FeatureStream:
    """The same features for sound that arrives in pieces."""

    def __init__(self) -> None:
        self._held = np.zeros(WINDOW + RATE_HZ // 30, np.float32)
        self._first = -len(self._held)  # sample number of the first sample held
        self._frame = 0  # number of the next frame

    def push(self, samples: Array) -> Array:
        """[F, INPUTS] features of the frames that these samples [N] complete, often none."""
        self._held = np.concatenate([self._held, samples.astype(np.float32)])
        available = self._first + len(self._held)
        count = max(0, available * FRAMES_PER_S // RATE_HZ + 1 - self._frame)
        if not count:
            return np.zeros((0, INPUTS), np.float32)
        ends = _column_ends(self._frame, count) - self._first
        found = _columns(self._held, ends).reshape(count, INPUTS)
        self._frame += count
        keep = int(_column_ends(self._frame, 1)[0]) - self._first - WINDOW
        self._held, self._first = self._held[keep:], self._first + keep
        return found


def _column_ends(first_frame: int, count: int) -> Array:
    """[count * COLUMNS] sample number at which each column of these frames ends."""
    columns = COLUMNS * first_frame + np.arange(-COLUMNS + 1, COLUMNS * (count - 1) + 1)
    return (columns * RATE_HZ) // (FRAMES_PER_S * COLUMNS)


def _columns(samples: Array, ends: Array) -> Array:
    """[C, BANDS] log band energies of the windows that end at these indices."""
    out = np.empty((len(ends), BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)
    for start in range(0, len(ends), 4096):  # a long recording would not fit into memory at once
        part = windows[ends[start : start + 4096] - WINDOW] * _window()
        power = np.abs(np.fft.rfft(part, _FFT)).astype(np.float32) ** 2
        out[start : start + 4096] = np.log(power @ _filters() + _FLOOR)
    return out


@cache
def _window() -> Array:
    shape = np.hanning(WINDOW + 1)[:-1]
    return np.asarray(shape / shape.sum(), np.float32)


@cache
def _filters() -> Array:
    """[_FFT / 2 + 1, BANDS] triangles, evenly spaced in mel (2595 log10(1 + f / 700))."""
    mels = np.linspace(*(2595 * np.log10(1 + np.array([_LOW_HZ, _HIGH_HZ]) / 700)), BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    bins = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    heights = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return np.clip(heights, 0, None).astype(np.float32)
