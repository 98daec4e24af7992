"""What the head hears of speech: level, pitch, voicing and stress, thirty times a second."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S

Array = np.ndarray[Any, np.dtype[Any]]

PROSODY = ("level", "pitch", "voiced", "stress")
QUIET_DB, RANGE_DB = -50.0, 40.0  # level 0 and what lies between it and level 1, in dB of full scale
LOWEST_HZ, HIGHEST_HZ = 65.0, 420.0
WINDOW_S = 0.046
VOICED_LIKENESS = 0.45  # normalised autocorrelation from which a frame counts as voiced
STRESS_SPREAD = 2.5  # frames
AROUND = 30  # frames against which a syllable stands out


def of_sound(pcm: Array, rate_hz: int) -> Array:
    """Prosody of speech.

    Args:
        pcm: [N] int16 mono.

    Returns:
        [T, 4] in the order of `PROSODY`; frame k is the moment k / 30 s. Level 0..1, pitch in octaves from the median
        of the voiced frames (0 where unvoiced, at most 1 either way), voiced 0..1, stress 0..1.
    """
    frames = int(np.ceil(len(pcm) / rate_hz * FRAMES_PER_S))
    if frames == 0:
        return np.zeros((0, len(PROSODY)), np.float32)
    windows = _windows(np.asarray(pcm, np.float64) / 32768, rate_hz, frames)
    level = np.clip((10 * np.log10((windows**2).mean(1) + 1e-10) - QUIET_DB) / RANGE_DB, 0.0, 1.0)
    hertz, likeness = _pitch(windows, rate_hz)
    voiced = (likeness > VOICED_LIKENESS) & (level > 0.25)
    pitch = np.zeros(frames)
    if voiced.any():
        pitch[voiced] = np.clip(np.log2(hertz[voiced] / np.median(hertz[voiced])), -1.0, 1.0)
    return np.stack([level, pitch, voiced, stress(level, pitch, voiced.astype(float))], axis=1).astype(np.float32)


def stress(level: Array, pitch: Array, voiced: Array) -> Array:
    """[T] 0..1: how far a syllable stands out from the second around it, by loudness and pitch."""
    strength = voiced * (level + 0.5 * np.maximum(pitch, 0.0))
    smooth = blurred(strength, STRESS_SPREAD)
    return np.asarray(np.clip(3.0 * (smooth - blurred(strength, AROUND / 2) - 0.08), 0.0, 1.0))


def blurred(values: Array, spread: float) -> Array:
    """[T] Gaussian mean with a deviation of `spread` frames."""
    reach = int(np.ceil(3 * spread))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    return np.convolve(np.pad(values, reach, mode="edge"), weights / weights.sum(), "valid")


def _windows(sound: Array, rate_hz: int, frames: int) -> Array:
    width = int(WINDOW_S * rate_hz)
    starts = (np.arange(frames) * rate_hz / FRAMES_PER_S).astype(int)
    padded = np.concatenate([np.zeros(width // 2), sound, np.zeros(width + rate_hz // FRAMES_PER_S)])
    return np.asarray(padded[starts[:, None] + np.arange(width)])


def _pitch(windows: Array, rate_hz: int) -> tuple[Array, Array]:
    """Hertz and likeness [T] of the strongest period: the peak of the normalised autocorrelation."""
    shaped = (windows - windows.mean(1, keepdims=True)) * np.hanning(windows.shape[1])
    size = 1 << int(np.ceil(np.log2(2 * windows.shape[1])))
    spectrum = np.abs(np.fft.rfft(shaped, size)) ** 2
    correlation = np.fft.irfft(spectrum, size)
    shortest, longest = int(rate_hz / HIGHEST_HZ), int(rate_hz / LOWEST_HZ)
    # The window lets the correlation fall with the lag; its own correlation says by how much.
    own = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(windows.shape[1]), size)) ** 2, size)
    likeness = correlation / (correlation[:, :1] + 1e-9) / np.maximum(own / own[0], 0.1)
    # A little in favour of short periods, else twice the period wins as often as the period.
    lags = np.arange(shortest, longest + 1)
    best = np.argmax(likeness[:, lags] * (1 - 0.0006 * (lags - shortest) * 16000 / rate_hz), axis=1)
    period = lags[best]
    return rate_hz / period, likeness[np.arange(len(likeness)), period]
