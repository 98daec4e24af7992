"""Training of the recogniser: log-mel windows of many voices in, shares of mouth-shape classes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rendering.engine.motion.mouth.features import BANDS, COLUMNS, FRAMES_PER_S, INPUTS, RATE_HZ, log_mel
from rendering.engine.motion.mouth.motion import FRAME_S
from rendering.engine.motion.mouth.recogniser import LOOK_AHEAD, Recogniser, silence
from rendering.engine.motion.visemes import shares
from rendering.training.mouth import augment, nets
from rendering.training.mouth.corpus import Speech

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int, float], None]  # step, steps, running loss

COPIES = 2  # the clean recording and a spoiled one
BATCH, WINDOW_FRAMES = 6, 64
PEAK_RATE, DECAY, CLIP = 2e-3, 0.01, 1.0
OTHER_SHARE = 0.08  # of the windows hold no speech at all
OTHER_MINUTES_SHARE = 0.10  # how much of it is made, compared with speech
_PIECE_S = 10.0
_DB = np.log(10) / 10  # log power per decibel


@dataclass(frozen=True)
class Heard:
    """Features of the training speech in COPIES versions, and of sounds that are none. F frames."""

    copies: tuple[Array, ...]  # each [F, INPUTS] float16
    labels: Array  # [F, VISEMES]
    other: Array  # [G, INPUTS] float16
    mean: Array  # [INPUTS]
    deviation: Array  # [INPUTS]


def hear(speech: Speech, seed: int) -> Heard:
    """Spoil and analyse the training speech."""
    random = np.random.default_rng([seed, 3])
    samples = speech.samples
    copies = [log_mel(samples).astype(np.float16)]
    piece = int(_PIECE_S * RATE_HZ)
    for _ in range(COPIES - 1):
        spoiled = [augment.spoil(samples[i : i + piece], random) for i in range(0, len(samples), piece)]
        copies.append(log_mel(np.concatenate(spoiled)).astype(np.float16))
    count = int(OTHER_MINUTES_SHARE * len(samples) / piece) + 10
    other = np.concatenate([log_mel(augment.not_speech(piece, random))[4:] for _ in range(count)]).astype(np.float16)
    some = np.concatenate([copy[:: 7 + i] for i, copy in enumerate(copies)]).astype(np.float32)
    return Heard(tuple(copies), labels(speech), other, some.mean(0), some.std(0) + 0.1)


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


def train(heard: Heard, steps: int, seed: int, on_progress: Progress) -> Recogniser:
    """Fit the recogniser.

    AdamW with a one-cycle rate, soft cross-entropy; small batches, because updates count more than frames.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, 4])
    net = nets.recogniser_net()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    running = 3.0
    for step in range(steps):
        inputs, wanted = _batch(heard, net.past_frames, random)
        logits = net(torch.from_numpy(inputs))
        loss = -(torch.from_numpy(wanted) * torch.log_softmax(logits, -1)).sum(-1).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        running += 0.02 * (loss.item() - running)
        on_progress(step + 1, steps, running)
    return Recogniser(net.frozen(), heard.mean.astype(np.float32), heard.deviation.astype(np.float32))


def _batch(heard: Heard, past: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Normalised inputs [BATCH, past + WINDOW_FRAMES, INPUTS] and class shares [BATCH, WINDOW_FRAMES, VISEMES]."""
    length = past + WINDOW_FRAMES
    inputs = np.empty((BATCH, length, INPUTS), np.float32)
    wanted = np.empty((BATCH, WINDOW_FRAMES, heard.labels.shape[1]), np.float32)
    for row in range(BATCH):
        if random.random() < OTHER_SHARE:
            at = int(random.integers(0, len(heard.other) - length))
            inputs[row], wanted[row] = heard.other[at : at + length], silence(WINDOW_FRAMES)
        else:
            copy = heard.copies[int(random.integers(len(heard.copies)))]
            at = int(random.integers(0, len(copy) - length))
            first = at + past - LOOK_AHEAD
            inputs[row] = copy[at : at + length]
            wanted[row] = heard.labels[first : first + WINDOW_FRAMES]
        inputs[row] = _another_voice(inputs[row], random)
    return (inputs - heard.mean) / heard.deviation, wanted


def _another_voice(features: Array, random: np.random.Generator) -> Array:
    """Features [T, INPUTS] of a longer or shorter throat, another level and another tone colour."""
    bands = features.reshape(-1, COLUMNS, BANDS)
    if random.random() < 0.7:
        place = np.clip(np.arange(BANDS) * random.uniform(0.90, 1.10) + random.uniform(-0.5, 0.5), 0, BANDS - 1.001)
        low = place.astype(int)
        bands = bands[..., low] + (place - low) * (bands[..., low + 1] - bands[..., low])
    tilt = random.uniform(-4, 4) * np.linspace(-1, 1, BANDS) + random.uniform(-2, 2) * np.cos(
        np.linspace(0, 2 * np.pi, BANDS) + random.uniform(0, 6.28)
    )
    bands = bands + (random.uniform(-6, 6) + tilt) * _DB
    if random.random() < 0.25:
        first = int(random.integers(0, BANDS - 5))
        bands[..., first : first + int(random.integers(1, 6))] = bands.mean()
    return np.asarray(bands.reshape(len(features), INPUTS))
