"""Training of the motion model: class shares, exact, shifted or misheard, to the movement of a drawn person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.mouth.motion import FRAME_S, LOOK_AHEAD, STYLE, MotionModel
from rendering.engine.motion.mouth.unevenness import LONGEST_MEMORY, Unevenness
from rendering.engine.motion.visemes import CLOSURE, MOUTH, VISEMES, shares
from rendering.training.mouth import nets, truth
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle
from rendering.training.mouth.truth import Sounds

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int, float], None]

BATCH, WINDOW_FRAMES = 6, 64
MISHEARD_SHARE, JITTERED_SHARE = 0.35, 0.25  # of the windows; the others see exact times
JITTER_S = 0.012
READINGS = 5
OPENING_WEIGHT = 10.0
JAW = MOUTH.index("jaw")
_RESIDUAL_WINDOWS, _RESIDUAL_FRAMES = 300, 90
UNEVEN = truth.Unevenness()


@dataclass(frozen=True)
class Material:
    """The sounds of the training speech."""

    sounds: Sounds
    seconds: float

    @staticmethod
    def of(speech: Speech) -> Material:
        """Material of a recording."""
        return Material(Sounds(speech.starts_s, speech.ends_s, speech.classes), float(speech.ends_s[-1]))


def train(material: Material, cycle: Cycle, seed: int, on_progress: Progress) -> MotionModel:
    """Fit the model: squared error in deviations, the same of the velocity, and of the mouth's opening."""
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, 5])
    net = nets.MotionNet()
    updates = cycle.start(net)
    scale = torch.from_numpy(1.0 / _deviations(material, random))
    running = 1.0
    while not updates.is_over():
        inputs, styles, emotions, wanted = (torch.from_numpy(a) for a in batch(material, net.body.past_frames, random))
        loss = error(net(inputs, styles, emotions), wanted, scale)
        updates.take(loss)
        running += 0.02 * (loss.item() - running)
        on_progress(updates.step, cycle.steps, running)
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
        kind = random.random()
        jitter_s = JITTER_S if kind < MISHEARD_SHARE + JITTERED_SHARE else 0.0
        inputs[row], near, times_s = _said(material, length, random, jitter_s, is_misheard=kind < MISHEARD_SHARE)
        moved = times_s[past - LOOK_AHEAD : length - LOOK_AHEAD]
        wanted[row] = truth.move(moved, near, styles[row], emotions[row], UNEVEN, random)
    return inputs, styles, emotions, wanted


def _said(
    material: Material, length: int, random: np.random.Generator, jitter_s: float = 0.0, *, is_misheard: bool = False
) -> tuple[Array, Sounds, Array]:
    """Class shares [length, VISEMES], the sounds near them, and their times."""
    first = int(random.integers(0, int(material.seconds * FRAMES_PER_S) - length))
    times_s = (first + np.arange(length)) * FRAME_S + random.uniform(0, FRAME_S)
    near = material.sounds.between(times_s[0] - 0.2, times_s[-1] + 0.2)
    readings = misheard(near, random) if is_misheard else (near.classes,)
    rows = [_shares(times_s, replace(near, classes=c), jitter_s, random) for c in readings]
    return np.mean(rows, axis=0), near, times_s


def misheard(sounds: Sounds, random: np.random.Generator) -> tuple[Array, ...]:
    """Several readings of the sounds, which together are as unsure as a recogniser: some sounds are another in some.

    How sure a sound is differs; where two readings disagree, each is right as often as its share says.
    """
    count = len(sounds.classes)
    surely = random.beta(1.2, 0.35, count)  # the share of the readings that hear what was said
    other = _CONFUSED[sounds.classes, random.integers(0, _CONFUSED.shape[1], count)]
    rivals = _CONFUSED[sounds.classes, random.integers(0, _CONFUSED.shape[1], count)]
    readings = []
    for index in range(READINGS):
        wrong = (index + 0.5) / READINGS > surely
        readings.append(np.where(wrong, np.where(random.random(count) < 0.7, other, rivals), sounds.classes))
    return tuple(readings)


def _confused() -> Array:
    """[VISEMES, 6] what each class is taken for, the likelier ones more often."""
    near = {
        "sil": "PP DD kk HH SS FF", "PP": "DD kk nn WW FF sil", "FF": "TH SS PP HH WW DD", "TH": "FF DD SS nn DD FF",
        "DD": "kk PP nn TH SS CH", "kk": "DD PP HH nn DD sil", "CH": "SS DD TH CH SS RR", "SS": "CH TH FF DD SS CH",
        "nn": "DD PP RR WW @ ih", "RR": "er WW nn uh @ RR", "WW": "ou oh PP RR nn uh", "HH": "kk @ FF ah E sil",
        "aa": "ah E oh aa ah @", "ah": "aa @ oh E uh aa", "E": "ih ah aa @ iy ih", "ih": "iy E @ ih iy nn",
        "iy": "ih E iy nn ih ou", "oh": "ah ou aa uh WW oh", "ou": "uh oh WW iy ou @", "uh": "ou @ oh ah uh er",
        "er": "RR @ uh er ah RR", "@": "ih ah uh E nn er",
    }  # fmt: skip
    return np.array([[VISEMES.index(other) for other in near[name].split()] for name in VISEMES])


_CONFUSED = _confused()


def _shares(times_s: Array, sounds: Sounds, jitter_s: float, random: np.random.Generator) -> Array:
    if not jitter_s:
        return shares(times_s, sounds.starts_s, sounds.ends_s, sounds.classes, FRAME_S)
    edges = np.r_[sounds.starts_s[:1], sounds.ends_s] + random.uniform(-jitter_s, jitter_s, len(sounds.classes) + 1)
    edges = np.maximum.accumulate(edges)
    return shares(times_s, edges[:-1], edges[1:], sounds.classes, FRAME_S)


def unexplained(model: MotionModel, material: Material, seed: int) -> Unevenness:
    """What the model leaves of the movement of people whose style and sounds it knows, where lips are apart."""
    random = np.random.default_rng([seed, 7])
    past, length = model.network.past_frames, model.network.past_frames + _RESIDUAL_FRAMES
    now, then = [], []
    for _ in range(_RESIDUAL_WINDOWS):
        inputs, near, times_s = _said(material, length, random)
        style = truth.draw_style(random)
        moved = model.run(inputs, style)
        wanted = truth.move(times_s[past - LOOK_AHEAD : length - LOOK_AHEAD], near, style, None, UNEVEN, random)
        apart = wanted[:, CLOSURE] < 0.5
        both = apart[1:] & apart[:-1]
        off = (wanted - moved)[:, :CLOSURE]
        now.append(off[1:][both])
        then.append(off[:-1][both])
    after, before = (rows - rows.mean(0) for rows in (np.concatenate(now), np.concatenate(then)))
    memory = float((after * before).sum() / np.sqrt((after**2).sum() * (before**2).sum()))
    covariance = np.cov(after.T) + 1e-8 * np.eye(CLOSURE)
    factor = np.asarray(np.linalg.cholesky(covariance), np.float32)
    return Unevenness(factor, float(np.clip(memory, 0.0, LONGEST_MEMORY)))


def _deviations(material: Material, random: np.random.Generator) -> Array:
    drawn = np.concatenate([batch(material, LOOK_AHEAD, random)[3].reshape(-1, len(MOUTH)) for _ in range(20)])
    return np.asarray(drawn.std(0) + 0.02, np.float32)
