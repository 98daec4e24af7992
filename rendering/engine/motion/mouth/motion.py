"""From mouth-shape classes over time to the amounts of the mouth's controls, in one person's style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.mouth.layers import Network
from rendering.engine.motion.mouth.unevenness import Unevenness
from rendering.engine.motion.visemes import CLOSURE, MOUTH

Array = np.ndarray[Any, np.dtype[Any]]

LOOK_AHEAD = 3  # frames of classes after the one that is moved
FRAME_S = 1.0 / FRAMES_PER_S
STYLE_GAINS = tuple(name for name in MOUTH if name != "closure")
STYLE_OFFSETS = ("pucker", "funnel", "stretch", "upper_up", "lower_down")
# A person's way to speak, in deviations from the mean person: how large each movement is, how fast it changes, how far
# the mouth runs ahead of the sound, how fully vowels are opened, and where the lips stand on average.
STYLE = (*(f"gain_{name}" for name in STYLE_GAINS), "speed", "lead", "vowels", *(f"offset_{n}" for n in STYLE_OFFSETS))
WIDEST_STYLE = 2.5  # deviations; no style beyond was trained
MEAN_STYLE = np.zeros(len(STYLE), np.float32)
HIGHEST = 1.3  # amounts beyond this were never trained


@dataclass(frozen=True)
class MotionModel:
    """Class shares, style and emotion to mouth controls."""

    network: Network
    enter: Array  # [STYLE + EMOTIONS, H] what makes the factors and shifts of the blocks
    enter_bias: Array  # [H]
    films: tuple[tuple[Array, Array], ...]  # per block [H, 2 C] and [2 C]

    @property
    def window_frames(self) -> int:
        """How many frames of class shares one moment needs; the last is LOOK_AHEAD after it."""
        return self.network.past_frames + 1

    def window_times_s(self, t_s: float) -> Array:
        """[window_frames] the moments whose class shares decide the mouth at `t_s`."""
        return np.asarray(t_s + FRAME_S * np.arange(LOOK_AHEAD + 1 - self.window_frames, LOOK_AHEAD + 1))

    def run(self, shares: Array, style: Array = MEAN_STYLE, emotion: Array | None = None) -> Array:
        """[T - window_frames + 1, MOUTH] amounts; output k belongs to the moment of `shares` [k + window - 1 - 3].

        Args:
            shares: [T, VISEMES or HEARD], one row per 1/30 s. style: [STYLE] in deviations. emotion: [EMOTIONS] 0..1.
        """
        moved = self.network.run(shares, self._films(style, emotion))
        moved[:, CLOSURE] = np.clip(moved[:, CLOSURE], 0.0, 1.0)
        return np.asarray(np.clip(moved, -0.2, HIGHEST))

    def _films(self, style: Array, emotion: Array | None) -> list[tuple[Array, Array]]:
        feeling = np.zeros(len(EMOTIONS), np.float32) if emotion is None else emotion
        hidden = np.maximum(np.concatenate([style, feeling]) @ self.enter + self.enter_bias, 0.0)
        width = self.network.enter.shape[1]
        rows = [hidden @ matrix + bias for matrix, bias in self.films]
        return [(row[:width], row[width:]) for row in rows]


@dataclass(frozen=True)
class Motions:
    """The motion models: sounds that a voice times and sounds that are only heard move the same mouth."""

    exact: MotionModel  # from class shares [VISEMES]
    heard: MotionModel  # from both hearings [HEARD]; it learnt how unsure they are
    unevenness: Unevenness  # what is left unexplained in training
