"""What lies between a mouth and our ears: loudness, noise of a room, a telephone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SOUND_HZ = 16_000
TELEPHONE_HZ = (300.0, 3400.0)
MU = 255.0


def over_line(
    sound: Floats, gain_db: float, noise_under_db: float, is_telephone: bool, draw: np.random.Generator
) -> NDArray[np.int16]:
    """[N] sound to [N] int16.

    Args:
        gain_db: level of the loudest sample, dB of full scale.
        noise_under_db: how far the noise lies under the speech.
        is_telephone: narrow band and mu-law at 8 bits.
    """
    peak = max(float(np.abs(sound).max()), 1e-6)
    speech = float(np.sqrt(np.mean(sound[np.abs(sound) > 0.05 * peak] ** 2)))
    noise = _coloured(len(sound), draw.uniform(0.0, 1.2), draw)
    heard = sound + noise * speech * 10 ** (-noise_under_db / 20)
    heard = heard / max(float(np.abs(heard).max()), 1e-6)
    if is_telephone:
        heard = _telephone(heard)
    return np.asarray(np.clip(np.round(heard * 10 ** (gain_db / 20) * 32767), -32768, 32767), np.int16)


def _coloured(count: int, slope: float, draw: np.random.Generator) -> Floats:
    """Noise whose power falls with frequency to the power of `slope`; deviation 1."""
    spectrum = np.fft.rfft(draw.normal(0, 1, count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / SOUND_HZ), 20.0)
    noise = np.fft.irfft(spectrum * hertz ** (-slope / 2), count)
    return np.asarray(noise / max(float(noise.std()), 1e-12))


def _telephone(sound: Floats) -> Floats:
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / SOUND_HZ)
    low, high = TELEPHONE_HZ
    spectrum *= 1 / (1 + (low / np.maximum(hertz, 1.0)) ** 6) / (1 + (hertz / high) ** 12)
    narrow = np.clip(np.fft.irfft(spectrum, len(sound)), -1, 1)
    squeezed = np.round(np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU) * 127) / 127
    return np.asarray(np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.log1p(MU)) / MU)
