"""Training of the motion model: class shares, exact or recognised, to the movement of a drawn person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.mouth.motion import FRAME_S, LOOK_AHEAD, STYLE, MotionModel
from rendering.engine.motion.visemes import CLOSURE, MOUTH, VISEMES, shares
from rendering.training.mouth import nets, truth
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.truth import Sounds

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int, float], None]

BATCH, WINDOW_FRAMES = 8, 80
PEAK_RATE, DECAY, CLIP = 2e-3, 0.01, 1.0
RECOGNISED_SHARE, JITTERED_SHARE = 0.35, 0.25  # of the windows; the others see exact times
JITTER_S = 0.010
OPENING_WEIGHT = 10.0
JAW = MOUTH.index("jaw")
UNEVEN = truth.Unevenness()


@dataclass(frozen=True)
class Material:
    """The sounds of the training speech, and what recognisers made of it: each [F, VISEMES] at n / 30 s."""

    sounds: Sounds
    seconds: float
    recognised: tuple[Array, ...]

    @staticmethod
    def of(speech: Speech, recognised: tuple[Array, ...]) -> Material:
        """Material of a recording."""
        sounds = Sounds(speech.starts_s, speech.ends_s, speech.classes)
        return Material(sounds, float(speech.ends_s[-1]), recognised)


def train(material: Material, steps: int, seed: int, on_progress: Progress) -> MotionModel:
    """Fit the model: squared error in deviations, the same of the velocity, and of the mouth's opening."""
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, 5])
    net = nets.MotionNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    scale = torch.from_numpy(1.0 / _deviations(material, random))
    running = 1.0
    for step in range(steps):
        inputs, styles, emotions, wanted = (torch.from_numpy(a) for a in batch(material, net.body.past_frames, random))
        loss = error(net(inputs, styles, emotions), wanted, scale)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        running += 0.02 * (loss.item() - running)
        on_progress(step + 1, steps, running)
    return net.frozen()


def error(moved: Any, wanted: Any, scale: Any) -> Any:
    """The loss of movements [B, T, MOUTH] against what was wanted; `scale` is one over each control's deviation."""
    off = (moved - wanted) * scale
    velocity = off[:, 1:] - off[:, :-1]
    return (off**2).mean() + (velocity**2).mean() + OPENING_WEIGHT * ((opening(moved) - opening(wanted)) ** 2).mean()


def opening(mouth: Any) -> Any:
    """[...] how far the mouth is open, of movements [..., MOUTH]."""
    return mouth[..., JAW] * (1 - mouth[..., CLOSURE])


def batch(material: Material, past: int, random: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Class shares [B, past + W, VISEMES], styles, emotions, and the movement [B, W, MOUTH] of one person each."""
    length = past + WINDOW_FRAMES
    inputs = np.empty((BATCH, length, len(VISEMES)), np.float32)
    styles = np.empty((BATCH, len(STYLE)), np.float32)
    emotions = np.empty((BATCH, len(EMOTIONS)), np.float32)
    wanted = np.empty((BATCH, WINDOW_FRAMES, len(MOUTH)), np.float32)
    for row in range(BATCH):
        styles[row], emotions[row] = truth.draw_style(random), truth.draw_emotion(random)
        first = int(random.integers(0, int(material.seconds * FRAMES_PER_S) - length))
        kind = random.random()
        phase_s = 0.0 if kind < RECOGNISED_SHARE else random.uniform(0, FRAME_S)
        times_s = (first + np.arange(length)) * FRAME_S + phase_s
        near = material.sounds.between(times_s[0] - 0.2, times_s[-1] + 0.2)
        if kind < RECOGNISED_SHARE:
            heard = material.recognised[int(random.integers(len(material.recognised)))]
            inputs[row] = heard[first : first + length]
        else:
            jitter_s = JITTER_S if kind < RECOGNISED_SHARE + JITTERED_SHARE else 0.0
            inputs[row] = _shares(times_s, near, jitter_s, random)
        moved = times_s[past - LOOK_AHEAD : length - LOOK_AHEAD]
        wanted[row] = truth.move(moved, near, styles[row], emotions[row], UNEVEN, random)
    return inputs, styles, emotions, wanted


def _shares(times_s: Array, sounds: Sounds, jitter_s: float, random: np.random.Generator) -> Array:
    if not jitter_s:
        return shares(times_s, sounds.starts_s, sounds.ends_s, sounds.classes, FRAME_S)
    edges = np.r_[sounds.starts_s[:1], sounds.ends_s] + random.uniform(-jitter_s, jitter_s, len(sounds.classes) + 1)
    edges = np.maximum.accumulate(edges)
    return shares(times_s, edges[:-1], edges[1:], sounds.classes, FRAME_S)


def _deviations(material: Material, random: np.random.Generator) -> Array:
    drawn = np.concatenate([batch(material, LOOK_AHEAD, random)[3].reshape(-1, len(MOUTH)) for _ in range(20)])
    return np.asarray(drawn.std(0) + 0.02, np.float32)
