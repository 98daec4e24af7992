"""From the samples of a clip to numbers that depend on the sound alone, before any key is used.

Steps: (1) resample to 16 kHz, which holds all of the mark; (2) even the sound out: each line of a short spectrum is
divided by the rms of its neighbourhood and clipped, so that no loud vowel outshouts the mark in the rest; (3) given an
alignment, shift and stretch the sound by it and take the lapped transform.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks.sound.transform import BINS, FIRST_BIN, HOP, basis, windows

LOW_RATE_HZ: Final = 16_000
LOW_HOP: Final = HOP // 3
# Sample n of the low rate lies at sample 3n of the high one, but the wave of a hop is centred between its samples: on
# the low rate its middle lies a third of a low sample later.
LOW_SHIFT: Final = 1.0 / 3.0  # low samples
STEP: Final = 80  # low samples between short spectra
LINES: Final = 7  # neighbourhood: this many lines ...
MOMENTS: Final = 3  # ... of this many spectra
FLOOR_RMS: Final = 4.0  # of 32768: what is quieter than this is taken for silence
CLIP: Final = 2.0
_FRAME: Final = 2 * LOW_HOP
_TAPER: Final = np.sqrt(np.hanning(_FRAME + 1)[:_FRAME]).astype(np.float32)

# How the speech mode of libopus (its resamplers and its high-pass filter) turns the phase of each frequency, beside a
# delay: degrees, measured over eight voices; the same at 16, 24 and 32 kbit/s.
OPUS_HZ: Final = (250, 375, 625, 875, 1250, 1750, 2250, 2750, 3250, 3750, 4250, 4750, 5250, 5750, 6250, 6750)
OPUS_DEGREES: Final = (13, 9, 5, 2.5, -1, -6, -9.5, -14.5, -20, -27, -36, -49, -62, -79, -104, -139)


@dataclass(frozen=True)
class Alignment:
    """Where in the cycle a stretch of sound begins, and what happened to it on the way."""

    start: float  # low samples into the cycle at which the stretch begins
    slip: float  # low samples by which the stretch is too long (a clock that runs fast)
    opus_passes: int  # times it went through Opus's speech mode


def to_low_rate(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """48 kHz -> 16 kHz by leaving out what is above 8 kHz: float32 [N] -> [N // 3]."""
    length = -(-len(samples) // 6) * 6
    spectrum = np.fft.rfft(samples, length)[: length // 6 + 1]
    return np.asarray(np.fft.irfft(spectrum, length // 3)[: len(samples) // 3] / 3.0, dtype=np.float32)


def evened(low: NDArray[np.float32]) -> NDArray[np.float32]:
    """Step 2: float32 [N] at 16 kHz -> float32 [N], about as loud everywhere; silence stays silence."""
    padded = np.concatenate([np.zeros(_FRAME), low, np.zeros(2 * _FRAME)]).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::STEP]
    spectra = np.fft.rfft(frames * _TAPER, axis=1)
    power = np.abs(spectra) ** 2
    near = _box(_box(power, LINES, axis=1), MOMENTS, axis=0)
    spectra /= np.sqrt(near + FLOOR_RMS**2 * _FRAME / 2)
    size = np.abs(spectra)
    spectra *= np.minimum(1.0, CLIP / np.maximum(size, CLIP))
    spectra[:, : FIRST_BIN - 1] = 0.0
    spectra[:, FIRST_BIN + BINS + 2 :] = 0.0
    pieces = np.fft.irfft(spectra, _FRAME, axis=1).astype(np.float32) * _TAPER
    out = np.zeros(len(padded) + _FRAME, dtype=np.float32)
    for phase in range(_FRAME // STEP):  # every fourth piece abuts the next one, so each phase is one row of pieces
        row = pieces[phase :: _FRAME // STEP].reshape(-1)
        out[phase * STEP : phase * STEP + len(row)] += row
    return out[_FRAME : _FRAME + len(low)]


def _box(values: NDArray[np.float32], width: int, axis: int) -> NDArray[np.float32]:
    """Mean of `width` neighbours along an axis, edges repeated."""
    pad = [(0, 0), (0, 0)]
    pad[axis] = (width // 2, width // 2)
    near = np.lib.stride_tricks.sliding_window_view(np.pad(values, pad, mode="edge"), width, axis=axis)
    return np.asarray(near.mean(axis=-1), dtype=np.float32)


def opus_turn(length: int, passes: int) -> NDArray[np.complex64]:
    """What takes the turn of `passes` Opus passes away, for a low-rate spectrum of a signal of `length` samples."""
    hertz = np.arange(length // 2 + 1) * (LOW_RATE_HZ / length)
    radians = np.deg2rad(np.interp(hertz, OPUS_HZ, OPUS_DEGREES))
    return np.asarray(np.exp(-1j * passes * radians), dtype=np.complex64)


def stretched(spectrum: NDArray[np.complex64], length: int, slip: int) -> NDArray[np.float32]:
    """The sound of a spectrum (of `length` samples) as `length - slip` samples."""
    wanted = length - slip
    lines = wanted // 2 + 1
    held = spectrum[:lines] if lines <= len(spectrum) else np.pad(spectrum, (0, lines - len(spectrum)))
    return np.asarray(np.fft.irfft(held, wanted) * (wanted / length), dtype=np.float32)


def coefficients(sound: NDArray[np.float32], alignment: Alignment) -> tuple[int, NDArray[np.float32]]:
    """Step 3: the whole hops of a stretch of evened sound.

    Returns:
        (number in the cycle of the first hop, float32 [hops, 125]).
    """
    length = len(sound)
    wanted = length - round(alignment.slip)
    first = -(-alignment.start // LOW_HOP)
    skipped = first * LOW_HOP - alignment.start + LOW_SHIFT  # low samples of the stretch before its first whole hop
    spectrum = np.fft.rfft(sound) * opus_turn(length, alignment.opus_passes)
    turns = np.arange(len(spectrum)) / wanted
    spectrum = (spectrum * np.exp(2j * np.pi * turns * (skipped - int(skipped)))).astype(np.complex64)
    low = stretched(spectrum, length, round(alignment.slip))[int(skipped) :]
    # The transform of the last hop would reach over the end, which the shift has filled from the beginning.
    return int(first), np.asarray(windows(low[:-1], LOW_HOP) @ basis(LOW_HOP).T, dtype=np.float32)
