"""The movement that the base models learn: the table of shapes, spoken in one person's style with human unevenness.

It is our own table and rule of coarticulation, not a tracked face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth.motion import STYLE, STYLE_GAINS, STYLE_OFFSETS, WIDEST_STYLE
from rendering.engine.motion.visemes import CLOSURE, DOMINANCE, FADES, MOUTH, REACH_S, SHAPES, SILENCE, VISEMES, blend

Array = np.ndarray[Any, np.dtype[Any]]

GAIN_SD, SPEED_SD, OFFSET_SD = 0.28, 0.22, 0.035
LEAD_S, LEAD_SD_S, LEAD_BOUNDS_S = 0.030, 0.017, (0.0, 0.060)
VOWELS_MEAN, VOWELS_SD = 0.93, 0.09
_GAIN_COLUMNS = np.array([MOUTH.index(name) for name in STYLE_GAINS])
_OFFSET_COLUMNS = np.array([MOUTH.index(name) for name in STYLE_OFFSETS])
_VOWELS = np.array([name[0] in "aeiou@E" for name in VISEMES])
# How a feeling changes the movements of speech; jaw and closure stay with the words. Order of MOUTH.
_FEELING_GAINS: dict[str, dict[str, float]] = {
    "joy": {"stretch": 1.30, "pucker": 0.85, "upper_up": 1.30},
    "sadness": {"stretch": 0.75, "upper_up": 0.70, "pucker": 0.85, "funnel": 0.85},
    "anger": {"lower_down": 1.40, "upper_up": 1.25, "press": 1.40, "stretch": 1.10},
    "surprise": {"funnel": 1.20, "pucker": 1.10, "upper_up": 1.15},
    "fear": {"stretch": 1.20, "lower_down": 1.20},
    "disgust": {"upper_up": 1.50, "pucker": 0.90},
    "contempt": {"stretch": 0.90, "press": 1.25},
}


@dataclass(frozen=True)
class Sounds:
    """S sounds of one utterance or window on one clock."""

    starts_s: Array
    ends_s: Array
    classes: Array

    def between(self, start_s: float, end_s: float) -> Sounds:
        """The sounds that can be seen between two moments."""
        first = int(np.searchsorted(self.ends_s, start_s - REACH_S))
        last = int(np.searchsorted(self.starts_s, end_s + REACH_S))
        return Sounds(self.starts_s[first:last], self.ends_s[first:last], self.classes[first:last])


@dataclass(frozen=True)
class Unevenness:
    """What one speaker does differently from sound to sound; zeros give the plain rule."""

    dominance: float = 0.2  # deviation of the log of each sound's say
    target: float = 0.15  # of the log of each sound's size
    drift: float = 0.02
    tracker: float = 0.006


EVEN = Unevenness(0.0, 0.0, 0.0, 0.0)


def draw_style(random: np.random.Generator) -> Array:
    """[STYLE] one person, in deviations."""
    return np.asarray(np.clip(random.normal(size=len(STYLE)), -WIDEST_STYLE, WIDEST_STYLE), np.float32)


def draw_emotion(random: np.random.Generator) -> Array:
    """[EMOTIONS] one of the seven feelings in six cases of ten."""
    out = np.zeros(len(EMOTIONS), np.float32)
    if random.random() < 0.6:
        out[int(random.integers(1, len(EMOTIONS)))] = random.uniform(0.3, 1.0)
    return out


def move(
    times_s: Array, sounds: Sounds, style: Array, emotion: Array | None = None,
    unevenness: Unevenness = EVEN, random: np.random.Generator | None = None,
) -> Array:
    """[T, MOUTH] how this person's mouth moves at these times.

    Args:
        times_s: [T]. style: [STYLE]. emotion: [EMOTIONS] 0..1. random: needed for any unevenness.
    """
    random = random or np.random.default_rng(0)
    count = len(sounds.classes)
    shapes = SHAPES[sounds.classes] * _sizes(sounds.classes, style, emotion)
    target = np.exp(unevenness.target * random.normal(size=(count, len(MOUTH))))
    target[:, CLOSURE] = 1.0
    said = np.exp(unevenness.dominance * random.normal(size=(count, len(MOUTH))))
    fades = FADES * np.exp(SPEED_SD * style[STYLE.index("speed")])
    lead_s = float(np.clip(LEAD_S + LEAD_SD_S * style[STYLE.index("lead")], *LEAD_BOUNDS_S))
    mouth = blend(
        times_s + lead_s, sounds.starts_s, sounds.ends_s, shapes * target, DOMINANCE[sounds.classes] * said, fades
    )
    offsets = OFFSET_SD * style[-len(STYLE_OFFSETS) :]
    mouth[:, _OFFSET_COLUMNS] += offsets * _speaking(times_s, sounds)[:, None]
    mouth += unevenness.drift * _drift(times_s, random) * (np.arange(len(MOUTH)) != CLOSURE)
    mouth += unevenness.tracker * random.normal(size=mouth.shape)
    mouth[:, CLOSURE] = np.clip(mouth[:, CLOSURE], 0, 1)
    return np.asarray(mouth, np.float32)


def _sizes(classes: Array, style: Array, emotion: Array | None) -> Array:
    """[S, MOUTH] factors on the table's shapes."""
    sizes = np.ones((len(classes), len(MOUTH)))
    sizes[:, _GAIN_COLUMNS] = np.exp(GAIN_SD * style[: len(STYLE_GAINS)])
    vowels = VOWELS_MEAN + VOWELS_SD * style[STYLE.index("vowels")]
    sizes[_VOWELS[classes]] *= np.where(np.arange(len(MOUTH)) == CLOSURE, 1.0, vowels)
    if emotion is not None:
        for name, gains in _FEELING_GAINS.items():
            amount = float(emotion[EMOTIONS.index(name)])
            for control, gain in gains.items():
                sizes[:, MOUTH.index(control)] *= 1 + amount * (gain - 1)
    return sizes


def _speaking(times_s: Array, sounds: Sounds) -> Array:
    """[T] 1 in speech, fading to 0 within 0.15 s of silence."""
    spoken = sounds.classes != SILENCE
    if not spoken.any():
        return np.zeros(len(times_s))
    gaps = np.maximum(sounds.starts_s[spoken] - times_s[:, None], times_s[:, None] - sounds.ends_s[spoken]).min(1)
    return np.asarray(np.clip(1 - np.maximum(gaps, 0) / 0.15, 0, 1))


def _drift(times_s: Array, random: np.random.Generator) -> Array:
    """[T, MOUTH] slow wandering of unit size."""
    rates, phases = random.uniform(0.1, 0.4, len(MOUTH)), random.uniform(0, 2 * np.pi, len(MOUTH))
    return np.asarray(np.sin(2 * np.pi * rates * times_s[:, None] + phases))
