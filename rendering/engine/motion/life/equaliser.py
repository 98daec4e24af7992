"""Filters that give made motion a person's own spectrum: short, causal, of the least delay.

A network that moves many people leaves each a little too much or too little power somewhere. What is missing is
measured once per person (`rendering.training.life.equalising`) and put right by one filter per channel, behind the
model: what the model reads of the past is its own output, so nothing can swing up. Filters are of minimum phase
(Oppenheim and Schafer, Discrete-time signal processing, section 13.5: the folded cepstrum), so they delay as little as
a filter can.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH

Array = np.ndarray[Any, np.dtype[Any]]

TAPS = 48
BAND_EDGES_HZ = (0.0, 0.4, 0.9, 1.6, 2.8, 5.0, 8.0, 12.0, 15.0)
_CENTRES_HZ = np.array([0.2, 0.6, 1.2, 2.2, 3.8, 6.5, 10.0, 13.0])
_SIZE = 256
_EVEN_HZ = 0.1  # added before the logarithm of a rate, so that bands are about evenly far from each other


def flat() -> Array:
    """[12, TAPS] filters that change nothing."""
    taps = np.zeros((len(SMOOTH), TAPS), np.float32)
    taps[:, 0] = 1.0
    return taps


def of_gains(log_gains: Array) -> Array:
    """[12, TAPS] filters of minimum phase with these gains [bands, 12], natural logarithms, one for each band."""
    rates = np.log(np.fft.rfftfreq(_SIZE, 1 / FRAMES_PER_S) + _EVEN_HZ)
    centres = np.log(_CENTRES_HZ + _EVEN_HZ)
    levels = np.stack([np.interp(rates, centres, column) for column in log_gains.T])
    cepstrum = np.fft.irfft(levels, _SIZE)
    folded = np.zeros(_SIZE)
    folded[0] = folded[_SIZE // 2] = 1
    folded[1 : _SIZE // 2] = 2
    whole = np.fft.irfft(np.exp(np.fft.rfft(cepstrum * folded)), _SIZE)
    return np.asarray(whole[:, :TAPS] * _fade(), np.float32)


def apply(taps: Array, frames: Array, count: int) -> Array:
    """[count, 12] the last `count` of `frames` [T, 12], filtered; T is at least TAPS + count - 1."""
    windows = np.lib.stride_tricks.sliding_window_view(frames[-(TAPS + count - 1) :], TAPS, axis=0)  # [count, 12, TAPS]
    return np.asarray(np.einsum("fct,ct->fc", windows, taps[:, ::-1]))


def _fade() -> Array:
    """[TAPS] a long response is let out softly rather than cut."""
    return np.asarray(np.sqrt(0.5 + 0.5 * np.cos(np.pi * np.arange(TAPS) / TAPS)))
