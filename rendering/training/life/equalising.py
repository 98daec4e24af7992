"""Measure what a model gives a person too much or too little of: it moves them where their motion is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rendering.engine.motion.life import equaliser
from rendering.engine.motion.life.channels import FRAMES_PER_S
from rendering.engine.motion.life.model import LifeModel, Person
from rendering.training.life import rollout
from rendering.training.life.dataset import Clip

Array = np.ndarray[Any, np.dtype[Any]]

TAKES, ROUNDS = 3, 4
WINDOW = 120  # frames
LEAST_LOG_GAIN, MOST_LOG_GAIN = -4.0, float(np.log(2.5))  # more would throw a resting head about
QUIET = 1e-7  # of a channel's own power; what is as still as this needs no gain


def equalised(model: LifeModel, clip: Clip, seed: int) -> Person:
    """The clip's person with filters that bring the model's motion to the spectrum of the clip."""
    plain = replace(clip.person, equaliser=equaliser.flat())
    takes = [rollout.play(model, clip.manner, plain, clip.scene, seed + take) for take in range(TAKES)]
    made = np.mean([_power(clip.manner.normal(take.smooth)) for take in takes], axis=0)
    return replace(plain, equaliser=_fitted(made, _bands(_power(clip.manner.normal(clip.motion.smooth)))))


def _fitted(made: Array, wanted: Array) -> Array:
    """[12, TAPS] filters after which power `made` [R, 12] is `wanted` [bands, 12].

    A short filter gives a narrow band less than it is asked for; so it is asked again for what is lacking.
    """
    log_gains: Array = np.zeros_like(wanted)
    taps = equaliser.flat()
    for _ in range(ROUNDS):
        response = np.abs(np.fft.rfft(taps, WINDOW, axis=1).T) ** 2
        lacking = 0.5 * (np.log(wanted + QUIET) - np.log(_bands(made * response) + QUIET))
        log_gains = np.clip(log_gains + lacking, LEAST_LOG_GAIN, MOST_LOG_GAIN)
        taps = equaliser.of_gains(log_gains)
    return taps


def _power(normal: Array) -> Array:
    """[R, 12] mean power of [T, 12] at every rate, in windows of four seconds."""
    shape = np.hanning(WINDOW)[:, None]
    parts = [normal[start : start + WINDOW] for start in range(0, len(normal) - WINDOW + 1, WINDOW // 2)]
    return np.asarray(np.mean([np.abs(np.fft.rfft((part - part.mean(0)) * shape, axis=0)) ** 2 for part in parts], 0))


def _bands(power: Array) -> Array:
    """[bands, 12] the mean within each band of the equaliser."""
    rates = np.fft.rfftfreq(WINDOW, 1 / FRAMES_PER_S)
    edges = equaliser.BAND_EDGES_HZ
    bands = [(rates > 0) & (rates >= low) & (rates < high) for low, high in zip(edges, edges[1:], strict=False)]
    return np.stack([power[band].mean(0) for band in bands])
