"""What the model has to beat: filtered noise with a blink timer, fitted to the same person.

It is `rendering.engine.motion.idle` with its freedoms fitted instead of chosen: every channel gets noise of the
person's own spectrum, the eyes jump at gaps and by distances like the person's, and lids close after gaps like theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion

Array = np.ndarray[Any, np.dtype[Any]]
SEGMENT = 600  # frames over which the spectrum is measured


@dataclass(frozen=True)
class Noise:
    """Fitted noise."""

    centre: Array  # [12]
    rates: Array  # [R] Hz
    power: Array  # [12, R] share of a channel's variance at each rate
    deviation: Array  # [12]
    jump_gap_s: tuple[float, float]
    aims: Array  # [K, 2] distances the person's eyes jumped to, rad
    blink_gap_s: tuple[float, float]


def fit(motions: list[Motion]) -> Noise:
    """Spectra, gaps and distances of recorded motion."""
    smooth = np.concatenate([motion.smooth for motion in motions])
    rates = np.fft.rfftfreq(SEGMENT, 1 / FRAMES_PER_S)[1:]
    power = np.zeros((len(SMOOTH), len(rates)))
    for motion in motions:
        for start in range(0, len(motion) - SEGMENT + 1, SEGMENT // 2):
            part = motion.smooth[start : start + SEGMENT] - motion.smooth.mean(0)
            power += np.abs(np.fft.rfft(part * np.hanning(SEGMENT)[:, None], axis=0)[1:]).T ** 2
    power = power / np.maximum(power.sum(1, keepdims=True), 1e-12)
    jumps = [np.diff(motion.saccades()) / FRAMES_PER_S for motion in motions]
    aims = np.concatenate([motion.aim[motion.saccades()] for motion in motions])
    blinks = [np.diff(motion.blinks) for motion in motions]
    return Noise(smooth.mean(0), rates, power, smooth.std(0), _range(jumps), aims, _range(blinks))


def play(noise: Noise, frames: int, random: np.random.Generator) -> Motion:
    """Noise of so many frames; it knows nothing of the scene."""
    times_s = np.arange(frames) / FRAMES_PER_S
    smooth = np.zeros((frames, len(SMOOTH)))
    for channel in range(len(SMOOTH)):
        if noise.deviation[channel] > 0:
            smooth[:, channel] = _waves(noise.rates, noise.power[channel], times_s, random)
    aim = np.zeros((frames, 2))
    for moment in _moments(noise.jump_gap_s, frames / FRAMES_PER_S, random):
        aim[int(moment * FRAMES_PER_S) :] = noise.aims[int(random.integers(len(noise.aims)))] if len(noise.aims) else 0
    blinks = _moments(noise.blink_gap_s, frames / FRAMES_PER_S, random)
    return Motion(noise.centre + smooth * noise.deviation, aim, blinks)


def _waves(rates: Array, power: Array, times_s: Array, random: np.random.Generator) -> Array:
    """[T] of unit deviation: every rate of the spectrum with a random phase and a random share of its power."""
    step = rates[1] - rates[0]
    jittered = rates + random.uniform(-0.5, 0.5, len(rates)) * step
    sizes = np.sqrt(2 * power * random.exponential(1.0, len(rates)))
    phases = random.uniform(0, 2 * np.pi, len(rates))
    keep = power > 1e-9
    return np.asarray(np.sin(2 * np.pi * np.outer(times_s, jittered[keep]) + phases[keep]) @ sizes[keep])


def _range(gaps: list[Array]) -> tuple[float, float]:
    every = np.concatenate(gaps)
    if len(every) == 0:
        return 3.0, 5.0
    return float(np.quantile(every, 0.02)), float(2 * every.mean() - np.quantile(every, 0.02))


def _moments(gap_s: tuple[float, float], seconds: float, random: np.random.Generator) -> Array:
    gaps = random.uniform(*gap_s, int(seconds / max(gap_s[0], 0.2)) + 2)
    moments = np.cumsum(gaps) - gaps[0] * random.random()
    return np.asarray(moments[moments < seconds])
