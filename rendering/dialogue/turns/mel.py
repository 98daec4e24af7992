"""Log-mel features as Whisper's encoder wants them: 80 bands, 25 ms windows, 10 ms steps, eight seconds. numpy only.

Written from the definition (Radford et al. 2022, section 2.2, and Slaney's mel scale, Auditory Toolbox 1998): power
spectrum of a periodic Hann window of 400 samples, triangular bands of equal area up to 8 kHz, logarithm to base ten
limited to eight below the loudest, and (x + 4) / 4. The sound has mean 0 and deviation 1 before.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATE_HZ = 16_000
SECONDS = 8
SAMPLES = SECONDS * RATE_HZ
WINDOW, STEP, BANDS = 400, 160, 80
FRAMES = SAMPLES // STEP
LEAST_POWER = 1e-10
DEPTH = 8.0
LINEAR_TO_HZ, HZ_PER_MEL = 1000.0, 200.0 / 3.0  # under 1 kHz the scale is linear
MELS_TO_LINEAR_END = LINEAR_TO_HZ / HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27.0


def log_mel(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N] mono at 16 kHz to [BANDS, FRAMES].

    The last eight seconds are taken; a shorter sound stands at the end and has silence before it.
    """
    taken = np.zeros(SAMPLES, np.float32)
    last = sound[-SAMPLES:].astype(np.float32)
    taken[SAMPLES - len(last) :] = last
    even = (taken - taken.mean()) / np.sqrt(taken.var() + np.float32(1e-7))
    padded = np.pad(even.astype(np.float64), WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP][:FRAMES]
    power = np.abs(np.fft.rfft(windows * hann(), axis=1)) ** 2  # [FRAMES, WINDOW / 2 + 1]
    loud = np.log10(np.maximum(power @ bands(), LEAST_POWER))
    return np.asarray((np.maximum(loud, loud.max() - DEPTH) + 4.0).T / 4.0, np.float32)


@cache
def hann() -> Floats:
    """[WINDOW] the periodic window."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))


@cache
def bands() -> Floats:
    """[WINDOW / 2 + 1, BANDS] how much each band takes of each frequency."""
    edges = hertz_of(np.linspace(0.0, mel_of(RATE_HZ / 2), BANDS + 2))
    hertz = np.linspace(0.0, RATE_HZ / 2, WINDOW // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (high - low))


def mel_of(hertz: float) -> float:
    """Slaney's scale: linear to 1 kHz, logarithmic above."""
    if hertz < LINEAR_TO_HZ:
        return hertz / HZ_PER_MEL
    return float(MELS_TO_LINEAR_END + np.log(hertz / LINEAR_TO_HZ) / LOG_STEP)


def hertz_of(mels: Floats) -> Floats:
    """The way back."""
    above = LINEAR_TO_HZ * np.exp(LOG_STEP * (mels - MELS_TO_LINEAR_END))
    return np.where(mels < MELS_TO_LINEAR_END, mels * HZ_PER_MEL, above)
