"""Emotions as sums of facial controls (EMFACS), and how they ramp and give way to speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.controls import INDEX, NAMES

Array = np.ndarray[Any, np.dtype[Any]]

RAMP_S = 0.6
FULL_MILLI = 1000

_RECIPES: dict[str, dict[str, float]] = {
    "neutral": {},
    # 6 + 12, and half of 7: what tells a felt smile from a mouth-only one is the eyes.
    "joy": {"smile_right": 1.0, "smile_left": 1.0, "cheek_raise": 1.0, "lid_tight": 0.5, "upper_up": 0.15},
    # 1 + 4 + 15
    "sadness": {"inner_brow_up": 1.0, "brow_down": 0.25, "corner_down": 1.0, "chin_raise": 0.4, "lid_tight": 0.25},
    # 4 + 5 + 7 + 23
    "anger": {"brow_down": 1.0, "lid_up": 0.35, "lid_tight": 0.6, "press": 0.7, "corner_down": 0.25},
    # 1 + 2 + 5 + 26
    "surprise": {"inner_brow_up": 0.9, "outer_brow_up": 0.9, "lid_up": 0.8, "jaw": 0.4},
    # 1 + 2 + 4 + 5 + 20
    "fear": {"inner_brow_up": 0.9, "outer_brow_up": 0.4, "brow_down": 0.4, "lid_up": 0.9, "stretch": 0.6, "jaw": 0.15},
    # 9 + 10 + 15
    "disgust": {"nose_wrinkle": 1.0, "upper_up": 0.5, "corner_down": 0.4, "brow_down": 0.4, "lid_tight": 0.4},
    # 12 + 14 on one side
    "contempt": {"smile_left": 0.7, "lid_tight": 0.2, "press": 0.2},
}
EMOTIONS = tuple(_RECIPES)
# Share of an emotion's movement that remains while words are spoken: lips belong to speech first.
_WHILE_SPEAKING = {"jaw": 0.25, "press": 0.15, "corner_down": 0.6, "upper_up": 0.5, "chin_raise": 0.3, "stretch": 0.5}


def amounts(emotion: str, milli: int) -> Array:
    """[A] control amounts of an emotion at `milli` thousandths.

    Raises:
        ValueError: the emotion does not exist, or `milli` is outside 0..1000.
    """
    if emotion not in _RECIPES:
        raise ValueError(f"There is no emotion named {emotion!r}; choose one of {', '.join(EMOTIONS)}.")
    if not 0 <= milli <= FULL_MILLI:
        raise ValueError(f"The intensity must lie between 0 and 1000 thousandths, not {milli}.")
    out = np.zeros(len(NAMES), np.float32)
    for name, amount in _RECIPES[emotion].items():
        out[INDEX[name]] = amount * milli / FULL_MILLI
    return out


def _speech_factors() -> Array:
    factors = np.ones(len(NAMES), np.float32)
    for name, factor in _WHILE_SPEAKING.items():
        factors[INDEX[name]] = factor
    return factors


SPEECH_FACTORS = _speech_factors()


@dataclass(frozen=True)
class Overlay:
    """An emotion on its way from one set of amounts to another."""

    before: Array  # [A]
    after: Array  # [A]
    start_s: float

    def at(self, t_s: float, speaking: float) -> Array:
        """[A] amounts at a time; `speaking` 0..1 lowers what would disturb the lips."""
        share = float(np.clip((t_s - self.start_s) / RAMP_S, 0.0, 1.0))
        share = share * share * (3 - 2 * share)
        whole = self.before + share * (self.after - self.before)
        return np.asarray(whole * (1 - speaking * (1 - SPEECH_FACTORS)), np.float32)

    def towards(self, after: Array, now_s: float) -> Overlay:
        """The overlay that starts from where this one is now."""
        return Overlay(self.at(now_s, 0.0), after, now_s)


REST = Overlay(amounts("neutral", 0), amounts("neutral", 0), -1e9)
