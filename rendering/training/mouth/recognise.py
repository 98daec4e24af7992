"""Training of the recogniser: log-mel windows of many voices in, shares of mouth-shape classes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rendering.engine.motion.mouth.features import BANDS, FRAMES_PER_S, INPUTS, RATE_HZ, log_mel
from rendering.engine.motion.mouth.motion import FRAME_S
from rendering.engine.motion.mouth.recogniser import LOOK_AHEAD, SECOND_AFTER, Recogniser, silence
from rendering.engine.motion.visemes import VISEMES, shares
from rendering.training.mouth import augment, nets
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int, float], None]  # step, steps, running loss

BATCH, WINDOW_FRAMES = 8, 96
COPIES = 2  # of the speech, each through rooms and lines of its own
OTHER_SHARE = 0.08  # of the windows hold no speech at all
OTHER_MINUTES = 10.0
SPOILED_SHARE = 0.5  # of the speech went through another room or line
NOISY_SHARE = 0.6  # of the windows have other sounds mixed in
SNR_DB = (5.0, 30.0)
_PIECE_S = 10.0
_DB = np.log(10) / 10  # log power per decibel


@dataclass(frozen=True)
class Heard:
    """Features of the training speech, and of sounds that are none. F frames."""

    speech: tuple[Array, ...]  # COPIES of [F, INPUTS] float16
    labels: Array  # [F, VISEMES]
    other: Array  # [G, INPUTS] float16
    mean: Array  # [INPUTS]
    deviation: Array  # [INPUTS]


def hear(speech: Speech, seed: int) -> Heard:
    """Analyse the training speech, half of each copy through other rooms and lines, and sounds that are no speech."""
    random = np.random.default_rng([seed, 3])
    piece = int(_PIECE_S * RATE_HZ)
    copies = tuple(log_mel(spoiled(speech.samples, random)).astype(np.float16) for _ in range(COPIES))
    count = int(OTHER_MINUTES * 60 / _PIECE_S)
    other = np.concatenate([log_mel(augment.not_speech(piece, random))[4:] for _ in range(count)]).astype(np.float16)
    some = copies[0][::7].astype(np.float32)
    return Heard(copies, labels(speech), other, some.mean(0), some.std(0) + 0.1)


def spoiled(samples: Array, random: np.random.Generator) -> Array:
    """Speech [N] of which SPOILED_SHARE went through another room or line."""
    piece = int(_PIECE_S * RATE_HZ)
    pieces = [samples[i : i + piece] for i in range(0, len(samples), piece)]
    return np.concatenate([augment.spoil(p, random) if random.random() < SPOILED_SHARE else p for p in pieces])


def labels(speech: Speech) -> Array:
    """[F, VISEMES] how much of each frame each class holds."""
    out = silence(speech.frames)
    for first in range(0, speech.frames, 300):
        last = min(first + 300, speech.frames)
        times_s = np.arange(first, last) / FRAMES_PER_S
        low, high = np.searchsorted(speech.ends_s, times_s[0] - 1), np.searchsorted(speech.starts_s, times_s[-1] + 1)
        part = slice(int(low), int(high))
        out[first:last] = shares(times_s, speech.starts_s[part], speech.ends_s[part], speech.classes[part], FRAME_S)
    return out


def train(heard: Heard, cycle: Cycle, seed: int, on_progress: Progress) -> Recogniser:
    """Fit the recogniser by soft cross-entropy of both hearings, in small batches: updates count more than frames."""
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, 4])
    net = nets.recogniser_net()
    updates = cycle.start(net)
    running = 3.0
    while not updates.is_over():
        inputs, wanted = (torch.from_numpy(a) for a in _batch(heard, net.past_frames, random))
        logits = net(inputs).unflatten(-1, (2, len(VISEMES)))
        loss = -(wanted * torch.log_softmax(logits, -1)).sum(-1).mean()
        updates.take(loss)
        running += 0.02 * (loss.item() - running)
        on_progress(updates.step, cycle.steps, running)
    return Recogniser(net.frozen(), heard.mean.astype(np.float32), heard.deviation.astype(np.float32))


def _batch(heard: Heard, past: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Normalised inputs [BATCH, past + WINDOW_FRAMES, INPUTS], shares [BATCH, WINDOW_FRAMES, 2 hearings, VISEMES]."""
    length = past + WINDOW_FRAMES
    inputs = np.empty((BATCH, length, INPUTS), np.float32)
    wanted = np.empty((BATCH, WINDOW_FRAMES, 2, len(VISEMES)), np.float32)
    for row in range(BATCH):
        if random.random() < OTHER_SHARE:
            at = int(random.integers(0, len(heard.other) - length))
            inputs[row], wanted[row] = heard.other[at : at + length], silence(WINDOW_FRAMES)[:, None]
        else:
            at = int(random.integers(0, len(heard.labels) - length))
            first = at + past - LOOK_AHEAD
            inputs[row] = heard.speech[int(random.integers(COPIES))][at : at + length]
            wanted[row, :, 0] = heard.labels[first : first + WINDOW_FRAMES]
            wanted[row, :, 1] = heard.labels[first - SECOND_AFTER : first - SECOND_AFTER + WINDOW_FRAMES]
            if random.random() < NOISY_SHARE:
                inputs[row] = _with_noise(inputs[row], heard.other, random)
    return (another_voice(inputs, random) - heard.mean) / heard.deviation, wanted


def _with_noise(features: Array, other: Array, random: np.random.Generator) -> Array:
    """Features [T, INPUTS] of speech with another sound beside it: powers of two sounds add."""
    at = int(random.integers(0, len(other) - len(features)))
    noise = other[at : at + len(features)].astype(np.float32)
    # Levels by the loud frames of both; a pause in either says nothing.
    level = np.quantile(features[::4], 0.9) - np.quantile(noise[::4], 0.9) - random.uniform(*SNR_DB) * _DB
    return np.asarray(np.logaddexp(features, noise + np.float32(level)))


def another_voice(features: Array, random: np.random.Generator) -> Array:
    """Features [B, T, INPUTS] of other throats, other levels and other tone colours, one for each of B windows."""
    count = len(features)
    bands = features.reshape(count, -1, BANDS) @ np.stack([_throat(random) for _ in range(count)])
    level = bands.mean((1, 2), keepdims=True)
    bands = level + random.uniform(0.85, 1.15, (count, 1, 1)).astype(np.float32) * (bands - level)
    bands += np.stack([_tone(random) for _ in range(count)])[:, None]
    for row in np.flatnonzero(random.random(count) < 0.4):
        first = int(random.integers(0, BANDS - 6))
        bands[row, :, first : first + int(random.integers(1, 7))] = level[row]
    return np.asarray(bands.reshape(features.shape))


def _throat(random: np.random.Generator) -> Array:
    """[BANDS, BANDS] what a longer or shorter throat, and broader or narrower formants, make of the bands."""
    places = np.arange(BANDS)
    if random.random() < 0.8:
        bend = random.uniform(-1.0, 1.0) * np.sin(np.pi * places / BANDS)
        places = np.clip(places * random.uniform(0.87, 1.14) + random.uniform(-0.7, 0.7) + bend, 0, BANDS - 1.001)
    width = random.uniform(0.45, 1.1)  # bands
    weights = np.exp(-0.5 * ((np.arange(BANDS)[:, None] - places) / width) ** 2)
    return np.asarray(weights / weights.sum(0), np.float32)


def _tone(random: np.random.Generator) -> Array:
    """[BANDS] level, tilt and broad hills that a voice, a microphone or a room adds."""
    place = np.linspace(-1, 1, BANDS)
    hills = sum(random.uniform(-2, 2) * np.cos(np.pi * k * place + random.uniform(0, 6.28)) for k in (1, 2, 3))
    return np.asarray((random.uniform(-6, 6) + random.uniform(-5, 5) * place + hills) * _DB, np.float32)
