"""Rooms, lines, microphones and noise: what stands between a voice and what is heard of it. All seeded, all numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import RATE_HZ

Array = np.ndarray[Any, np.dtype[Any]]

SNR_DB = (5.0, 30.0)
GAIN_DB = (-14.0, 8.0)
LEVEL = 0.1  # RMS of a drawn sound, -20 dB below full scale


def spoil(samples: Array, random: np.random.Generator) -> Array:
    """A voice [N] as another microphone, line and room would give it."""
    out = _shelf(samples, random)
    if random.random() < 0.5:
        out = _telephone(out, random)
    if random.random() < 0.4:
        out = _room(out, random)
    if random.random() < 0.6:
        power = float(np.sqrt(np.mean(out[np.abs(out) > 1e-3] ** 2))) if (np.abs(out) > 1e-3).any() else LEVEL
        out = out + _noise(len(out), random) * (power / LEVEL) * 10 ** (-random.uniform(*SNR_DB) / 20)
    return np.asarray(np.clip(out * 10 ** (random.uniform(*GAIN_DB) / 20), -1, 1), np.float32)


def not_speech(count: int, random: np.random.Generator) -> Array:
    """[count] of one kind of sound that no mouth makes."""
    maker = _OTHER_SOUNDS[int(random.integers(len(_OTHER_SOUNDS)))]
    return np.asarray(levelled(maker(count, random)) * 10 ** (random.uniform(-20, 6) / 20), np.float32)


def levelled(sound: Array) -> Array:
    """The sound at LEVEL."""
    return np.asarray(sound * (LEVEL / max(float(np.sqrt(np.mean(sound**2))), 1e-9)), np.float32)


def coloured(count: int, random: np.random.Generator, slope: float) -> Array:
    """Noise whose power falls as frequency to the power of `slope`: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(random.normal(size=count))
    spectrum /= np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0) ** (slope / 2)
    return np.asarray(np.fft.irfft(spectrum, count))


def _filtered(samples: Array, gains: Callable[[Array], Array]) -> Array:
    spectrum = np.fft.rfft(samples)
    return np.asarray(np.fft.irfft(spectrum * gains(np.fft.rfftfreq(len(samples), 1 / RATE_HZ)), len(samples)))


def _shelf(samples: Array, random: np.random.Generator) -> Array:
    """First-order tilt of up to 9 dB around a corner, and one broad hill or dip."""
    tilt_db, corner_hz = random.uniform(-9, 9), random.uniform(500, 2500)
    hill_db, hill_hz, width = random.uniform(-6, 6), random.uniform(300, 5000), random.uniform(0.3, 1.0)

    def gains(hz: Array) -> Array:
        share = hz**2 / (hz**2 + corner_hz**2)
        hill = np.exp(-0.5 * (np.log(np.maximum(hz, 1.0) / hill_hz) / width) ** 2)
        return np.asarray(10 ** ((tilt_db * (share - 0.5) + hill_db * hill) / 20))

    return _filtered(samples, gains)


def _telephone(samples: Array, random: np.random.Generator) -> Array:
    """Low-pass and the 8-bit mu-law of ITU-T G.711."""
    edge_hz = random.uniform(2800, 6500)
    out = np.clip(_filtered(samples, lambda hz: 1 / (1 + (hz / edge_hz) ** 16)), -1, 1)
    mu = 255.0
    coded = np.round(np.sign(out) * np.log1p(mu * np.abs(out)) / np.log1p(mu) * 127) / 127
    return np.asarray(np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(mu)) / mu)


def _room(samples: Array, random: np.random.Generator) -> Array:
    """A small room: direct sound and noise that dies away within 0.1 to 0.35 s."""
    seconds = random.uniform(0.1, 0.35)
    length = int(seconds * RATE_HZ)
    tail = random.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= random.uniform(0.15, 0.6) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    size = len(samples) + length
    return np.asarray(np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)])


def _noise(count: int, random: np.random.Generator) -> Array:
    kinds = (
        lambda: coloured(count, random, 0.0), lambda: coloured(count, random, 1.0), lambda: _hum(count, random),
        lambda: _chords(count, random), lambda: coloured(count, random, 1.0) * _swell(count, random),
        lambda: coloured(count, random, 2.0),
    )  # fmt: skip
    return levelled(kinds[int(random.integers(len(kinds)))]())


def _time(count: int) -> Array:
    return np.arange(count) / RATE_HZ


def _swell(count: int, random: np.random.Generator) -> Array:
    rates = random.uniform(0.3, 5.0, 3)
    waves = [np.sin(2 * np.pi * rate * _time(count) + random.uniform(0, 6.28)) for rate in rates]
    return np.asarray(np.clip(0.5 + 0.4 * np.sum(waves, axis=0), 0.02, None))


def _hum(count: int, random: np.random.Generator) -> Array:
    base_hz = float(random.choice([50.0, 60.0, 100.0])) * random.uniform(0.98, 1.02)
    return np.asarray(
        sum(np.sin(2 * np.pi * base_hz * k * _time(count) + random.uniform(0, 6.28)) / k for k in range(1, 12))
    )


def _note(hz: float, time_s: Array, random: np.random.Generator) -> Array:
    return np.asarray(
        sum(np.sin(2 * np.pi * hz * k * time_s) / k ** random.uniform(0.8, 2.0) for k in range(1, 9) if hz * k < 7500)
    )


def _chords(count: int, random: np.random.Generator) -> Array:
    out = np.zeros(count)
    at = 0
    while at < count:
        length = min(int(random.uniform(0.4, 2.0) * RATE_HZ), count - at)
        root = random.uniform(90, 400)
        for step in random.choice([0, 3, 4, 5, 7, 8, 9, 12], 3, replace=False):
            out[at : at + length] += _note(root * 2 ** (step / 12), _time(length), random)
        at += length
    return out


def _plucked(count: int, random: np.random.Generator) -> Array:
    """A line of plucked notes, sometimes with a drum."""
    out = np.zeros(count)
    at, beat = 0, random.uniform(0.12, 0.6)
    with_drum = random.random() < 0.6
    while at < count:
        length = min(int(random.uniform(0.3, 1.2) * RATE_HZ), count - at)
        time_s = _time(length)
        decay = np.exp(-time_s / random.uniform(0.08, 0.4))
        out[at : at + length] += decay * _note(110 * 2 ** (random.integers(0, 36) / 12), time_s, random)
        if with_drum and random.random() < 0.7:
            hit = np.exp(-time_s / 0.06)
            out[at : at + length] += 2.0 * hit * np.sin(2 * np.pi * 90 * time_s) + hit * random.normal(size=length)
        at += max(1, int(beat * random.choice([0.5, 1.0, 1.0, 2.0]) * RATE_HZ))
    return out


def _hits(count: int, random: np.random.Generator) -> Array:
    """Keys, knocks and clicks."""
    out = 0.002 * random.normal(size=count)
    at = 0
    while at < count:
        length = min(int(random.uniform(0.01, 0.15) * RATE_HZ), count - at)
        burst = random.normal(size=length) * np.exp(-_time(length) / random.uniform(0.002, 0.03))
        out[at : at + length] += random.uniform(0.3, 1.0) * burst
        at += int(random.exponential(0.2) * RATE_HZ) + 1
    return out


def _band(count: int, random: np.random.Generator) -> Array:
    """Noise in a band that swells like speech does."""
    middle_hz, width = random.uniform(300, 3000), random.uniform(0.2, 0.8)
    noise = _filtered(
        random.normal(size=count), lambda hz: np.exp(-0.5 * (np.log(np.maximum(hz, 1.0) / middle_hz) / width) ** 2)
    )
    return np.asarray(noise * _swell(count, random))


def _glide(count: int, random: np.random.Generator) -> Array:
    """A siren: a tone with overtones that slides up and down."""
    hz = random.uniform(200, 900) * 2 ** (random.uniform(0.2, 1.2) * np.sin(2 * np.pi * 0.5 * _time(count)))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    return np.asarray(sum(np.sin(k * phase) / k for k in range(1, 6)))


_OTHER_SOUNDS: tuple[Callable[[int, np.random.Generator], Array], ...] = (
    lambda n, r: coloured(n, r, 0.0), lambda n, r: coloured(n, r, 1.0), lambda n, r: coloured(n, r, 2.0),
    _hum, _chords, _plucked, _plucked, _hits, _band, _glide,
)  # fmt: skip
