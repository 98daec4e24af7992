"""How strong the mark may be in each bin at each moment: what the sound itself hides.

From the spectrum of a window: energy in half-Bark bands, spread to the neighbours as the ear spreads it (a loud band
hides more above itself than below), then lowered by a constant. Noise hides more than a tone does, so flat stretches of
the spectrum get more than peaks. Where one half of the window is much quieter than the other, the quieter one decides:
the wave of a hop must not be heard before a word begins or after it ends. Silence gets nothing.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks.sound.transform import BIN_HZ, BINS, CENTRES_HZ, FIRST_BIN, HOP, WINDOW

STRENGTH_DB: Final = -22.0  # of the mark in a bin, below the spread energy of the sound in it
SPREAD_UP_DB: Final = 10.0  # a Bark
SPREAD_DOWN_DB: Final = 25.0
TONE_DB: Final = -2.0  # more for a peaked spectrum ...
NOISE_DB: Final = 4.0  # ... and for a flat one
FLATTEST_DB: Final = 3.0  # the mean of white noise's logarithm lies 2.5 dB under the logarithm of its mean
PEAKED_RANGE_DB: Final = 7.0
FLATNESS_BINS: Final = 20
BEFORE: Final = 3.0  # the energy of a window counts for at most this many times that of its first half
AFTER: Final = 6.0  # the same for the second half; the ear goes on hiding after a sound, and hardly before it
SILENT_RMS: Final = 8.0  # of 32768: below this nothing is written
HALF_BARKS: Final = 44

_LINES: Final = HOP + 1
_TINY: Final = np.float32(1e-3)


def bark(hertz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Frequency on the Bark scale (Zwicker and Terhardt 1980)."""
    return np.asarray(13.0 * np.arctan(0.00076 * hertz) + 3.5 * np.arctan((hertz / 7500.0) ** 2))


def _band_matrix() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean over each half-Bark band that holds a line: float64 [481, K], and the bands' centres in Bark [K]."""
    band = np.minimum((2.0 * bark(np.arange(_LINES) * BIN_HZ)).astype(np.intp), HALF_BARKS - 1)
    held = np.unique(band)
    inside = band[:, None] == held[None, :]
    return inside / inside.sum(axis=0), held / 2.0 + 0.25


def _spread_matrix() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lines -> spread energy in the bands [481, K]; bands -> bins [K, 125], linear in Bark."""
    means, centres = _band_matrix()
    distance = centres[None, :] - centres[:, None]
    slope_db = np.where(distance < 0, SPREAD_DOWN_DB * distance, -SPREAD_UP_DB * distance)
    at = bark(CENTRES_HZ)
    to_bins = np.stack([np.interp(at, centres, row) for row in np.eye(len(centres))])
    return (means @ 10.0 ** (slope_db / 10.0)).astype(np.float32), to_bins.astype(np.float32)


def _box_matrix() -> NDArray[np.float32]:
    """Mean of the 20 lines around each bin: float32 [481, 125]."""
    line, at = np.arange(_LINES)[:, None], np.arange(FIRST_BIN, FIRST_BIN + BINS)[None, :]
    inside = (line >= at - FLATNESS_BINS // 2) & (line < at + FLATNESS_BINS // 2)
    return np.asarray(inside / inside.sum(axis=0), dtype=np.float32)


_SPREAD, _TO_BINS = _spread_matrix()
_BOX: Final = _box_matrix()
_HANN: Final = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
_POWER_SCALE: Final = np.float32(1.0 / (0.375 * WINDOW))  # a line's power, as large as a bin's squared coefficient


def amplitudes(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Amplitude of the mark in each bin of each window: float32 [T, 960] in int16 steps -> float32 [T, 125]."""
    power = np.abs(np.fft.rfft(sound * _HANN, axis=1)).astype(np.float32) ** 2 * _POWER_SCALE + _TINY
    level = np.log(power @ _SPREAD) @ _TO_BINS
    peaked = (np.log(power @ _BOX) - np.log(power) @ _BOX) * np.float32(10.0 / np.log(10.0))
    toned = np.clip((peaked - FLATTEST_DB) / PEAKED_RANGE_DB, 0.0, 1.0)
    strength_db = STRENGTH_DB + NOISE_DB + (TONE_DB - NOISE_DB) * toned
    allowed = np.exp(0.5 * level + strength_db * np.float32(np.log(10.0) / 20.0))
    return np.asarray(allowed * np.sqrt(_share_hidden(sound)), dtype=np.float32)


def _share_hidden(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of each window's energy that may count, 0..1: float32 [T, 1]."""
    first = np.mean(sound[:, :HOP] ** 2, axis=1)
    second = np.mean(sound[:, HOP:] ** 2, axis=1)
    mean = (first + second) / 2.0
    share = np.minimum(1.0, np.minimum(BEFORE * first, AFTER * second) / np.maximum(mean, _TINY))
    return np.asarray(np.where(mean < SILENT_RMS**2, 0.0, share), dtype=np.float32)[:, None]
