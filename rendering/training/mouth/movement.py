"""Training of the motion models: what is said or heard, to the movement of a drawn person.

One learns from exact times, some of them shifted a little; the other from what recognisers made of strangers' voices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.mouth.motion import FRAME_S, LOOK_AHEAD, STYLE, MotionModel
from rendering.engine.motion.mouth.recogniser import HEARD, twice
from rendering.engine.motion.mouth.unevenness import LONGEST_MEMORY, Unevenness
from rendering.engine.motion.visemes import CLOSURE, MOUTH, VISEMES, shares
from rendering.training.mouth import nets, truth
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle
from rendering.training.mouth.truth import Sounds

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int, float], None]

BATCH, WINDOW_FRAMES = 6, 64
JITTERED_SHARE = 0.4  # of the windows; the others see exact times
JITTER_S = 0.012
CERTAIN_SHARE = 0.15  # of the windows of heard speech hold exact times, as a voice that is understood gives them
OPENING_WEIGHT = 10.0
MEETING_WEIGHT = 2.0  # of lips that must meet, or must not, behind a recogniser; chosen on the recorded stranger
CLOSED, CLEARLY_OPEN = 0.06, 0.15  # of full opening
_MET_SOFTNESS = 0.03  # of full opening
_MET_FRAMES = 3  # a closing may come a frame early or late
JAW = MOUTH.index("jaw")
_RESIDUAL_WINDOWS, _RESIDUAL_FRAMES = 300, 90
UNEVEN = truth.Unevenness()


class Material(Protocol):
    """What a motion model learns from."""

    @property
    def inputs(self) -> int:
        """Numbers in a frame."""

    @property
    def meeting_weight(self) -> float:
        """How much it counts that lips decide whether they meet."""

    def window(self, length: int, random: np.random.Generator) -> tuple[Array, Sounds, Array]:
        """Frames [length, inputs] of some moment, the sounds near them, and their times [length]."""


@dataclass(frozen=True)
class Timed:
    """Sounds whose times are known."""

    sounds: Sounds
    jittered_share: float = JITTERED_SHARE
    inputs: int = len(VISEMES)
    meeting_weight: float = 0.0  # exact times leave no doubt

    @staticmethod
    def of(speech: Speech) -> Timed:
        """The sounds of a recording."""
        return Timed(Sounds(speech.starts_s, speech.ends_s, speech.classes))

    def window(self, length: int, random: np.random.Generator) -> tuple[Array, Sounds, Array]:
        """Class shares [length, VISEMES]."""
        first = int(random.integers(0, int(self.sounds.ends_s[-1] * FRAMES_PER_S) - length))
        times_s = (first + np.arange(length)) * FRAME_S + random.uniform(0, FRAME_S)
        near = self.sounds.between(times_s[0] - 0.2, times_s[-1] + 0.2)
        return _shares(times_s, near, JITTER_S * (random.random() < self.jittered_share), random), near, times_s


@dataclass(frozen=True)
class Overheard:
    """Sounds of which a recogniser made rows [F, HEARD], in one part or several."""

    parts: tuple[tuple[Array, Sounds], ...]
    inputs: int = HEARD
    meeting_weight: float = MEETING_WEIGHT

    def __add__(self, other: Overheard) -> Overheard:
        """Both."""
        return Overheard((*self.parts, *other.parts))

    def window(self, length: int, random: np.random.Generator) -> tuple[Array, Sounds, Array]:
        """Rows [length, HEARD]."""
        sizes = np.array([len(rows) for rows, _ in self.parts])
        rows, sounds = self.parts[int(random.choice(len(sizes), p=sizes / sizes.sum()))]
        first = int(random.integers(0, len(rows) - length))
        times_s = (first + np.arange(length)) * FRAME_S
        near = sounds.between(times_s[0] - 0.3, times_s[-1] + 0.2)
        if random.random() < CERTAIN_SHARE:
            return twice(_shares(times_s, near, JITTER_S, random)), near, times_s
        return rows[first : first + length], near, times_s


def train(material: Material, cycle: Cycle, seed: int, on_progress: Progress) -> MotionModel:
    """Fit the model: squared error in deviations, of the velocity, of the mouth's opening; and lips that decide."""
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, 5])
    net = nets.MotionNet(material.inputs)
    updates = cycle.start(net)
    scale = torch.from_numpy(1.0 / _deviations(material, random))
    running = 1.0
    while not updates.is_over():
        inputs, styles, emotions, wanted = (torch.from_numpy(a) for a in batch(material, net.body.past_frames, random))
        moved = net(inputs, styles, emotions)
        loss = error(moved, wanted, scale)
        if material.meeting_weight:
            loss = loss + material.meeting_weight * undecided(moved, wanted)
        updates.take(loss)
        running += 0.02 * (loss.item() - running)
        on_progress(updates.step, cycle.steps, running)
    return net.frozen()


def error(moved: Any, wanted: Any, scale: Any) -> Any:
    """The loss of movements [B, T, MOUTH] against what was wanted; `scale` is one over each control's deviation."""
    off = (moved - wanted) * scale
    velocity = off[:, 1:] - off[:, :-1]
    return (off**2).mean() + (velocity**2).mean() + OPENING_WEIGHT * ((opening(moved) - opening(wanted)) ** 2).mean()


def undecided(moved: Any, wanted: Any) -> Any:
    """How far lips are from meeting where a p, b or m asks for it, and from being apart where they clearly are.

    Squared error alone closes lips by half where it is unsure when, or whether, a p, b or m is said. A closing may come
    a frame early or late here. The jaw is left out: it would jump to help.
    """
    open_share = moved[..., JAW].detach() * (1 - moved[..., CLOSURE])
    met = (CLOSED - open_share) / _MET_SOFTNESS
    met_near = nn.functional.max_pool1d(met[:, None], _MET_FRAMES, 1, _MET_FRAMES // 2)[:, 0]
    should = opening(wanted)
    must_meet = (should < CLOSED) & (wanted[..., CLOSURE] > 0.5)
    wrongly = (should > CLEARLY_OPEN) * nn.functional.softplus(met)
    return (wrongly + must_meet * nn.functional.softplus(-met_near)).mean()


def opening(mouth: Any) -> Any:
    """[...] how far the mouth is open, of movements [..., MOUTH]."""
    return mouth[..., JAW] * (1 - mouth[..., CLOSURE])


def batch(material: Material, past: int, random: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Frames [B, past + W, inputs], styles, emotions, and the movement [B, W, MOUTH] of one person each."""
    length = past + WINDOW_FRAMES
    inputs = np.empty((BATCH, length, material.inputs), np.float32)
    styles = np.empty((BATCH, len(STYLE)), np.float32)
    emotions = np.empty((BATCH, len(EMOTIONS)), np.float32)
    wanted = np.empty((BATCH, WINDOW_FRAMES, len(MOUTH)), np.float32)
    for row in range(BATCH):
        styles[row], emotions[row] = truth.draw_style(random), truth.draw_emotion(random)
        inputs[row], near, times_s = material.window(length, random)
        moved = times_s[past - LOOK_AHEAD : length - LOOK_AHEAD]
        wanted[row] = truth.move(moved, near, styles[row], emotions[row], UNEVEN, random)
    return inputs, styles, emotions, wanted


def _shares(times_s: Array, sounds: Sounds, jitter_s: float, random: np.random.Generator) -> Array:
    if not jitter_s:
        return shares(times_s, sounds.starts_s, sounds.ends_s, sounds.classes, FRAME_S)
    edges = np.r_[sounds.starts_s[:1], sounds.ends_s] + random.uniform(-jitter_s, jitter_s, len(sounds.classes) + 1)
    edges = np.maximum.accumulate(edges)
    return shares(times_s, edges[:-1], edges[1:], sounds.classes, FRAME_S)


def unexplained(model: MotionModel, material: Timed, seed: int) -> Unevenness:
    """What the model leaves of the movement of people whose style and sounds it knows, where lips are apart."""
    random = np.random.default_rng([seed, 7])
    past, length = model.network.past_frames, model.network.past_frames + _RESIDUAL_FRAMES
    now, then = [], []
    for _ in range(_RESIDUAL_WINDOWS):
        inputs, near, times_s = replace(material, jittered_share=0.0).window(length, random)
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
