"""Emotions as sums of action units (EMFACS), and how they ramp and give way to speech.

Which units make an emotion follows the prototypes of P. Ekman and W. Friesen's EMFACS (1983) and the FACS manual; how
strong each is, is our own choice, made on drawn faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rendering.engine.motion.action_units.units import UNITS
from rendering.engine.motion.controls import INDEX, NAMES

Array = np.ndarray[Any, np.dtype[Any]]

RAMP_S = 0.6  # from rest to rest; nine tenths of the way take 0.48 s
MOST_AHEAD_S = 1.0  # that a goal is set before its time
FULL_MILLI = 1000
BOTH, LEFT = "both", "left"

# Emotion -> (action unit, amount at 1000 thousandths, side of the face).
RECIPES: dict[str, tuple[tuple[int, float, str], ...]] = {
    "neutral": (),
    # 7 as well: what tells a felt smile from a mouth-only one is the eyes.
    "joy": ((6, 1.0, BOTH), (12, 1.0, BOTH), (7, 0.7, BOTH)),
    "sadness": ((1, 1.0, BOTH), (4, 0.4, BOTH), (15, 1.0, BOTH), (17, 0.5, BOTH), (7, 0.2, BOTH)),
    "anger": ((4, 1.0, BOTH), (5, 0.4, BOTH), (7, 0.8, BOTH), (23, 1.0, BOTH)),
    "surprise": ((1, 0.9, BOTH), (2, 1.0, BOTH), (5, 0.8, BOTH), (25, 0.3, BOTH), (26, 0.65, BOTH)),
    "fear": (
        (1, 1.0, BOTH), (2, 0.4, BOTH), (4, 0.5, BOTH), (5, 1.0, BOTH), (20, 1.0, BOTH), (25, 0.5, BOTH),
        (26, 0.15, BOTH),
    ),
    "disgust": ((9, 1.0, BOTH), (10, 1.0, BOTH), (15, 0.25, BOTH), (17, 0.4, BOTH), (4, 0.35, BOTH), (7, 0.4, BOTH)),
    "contempt": ((12, 0.5, LEFT), (14, 1.0, LEFT)),
}  # fmt: skip
EMOTIONS = tuple(RECIPES)
# Share of a unit's movement that remains while words are spoken: the lips belong to speech first. What opens the mouth
# goes altogether, so that every opening and closing is that of the sounds.
WHILE_SPEAKING = {10: 0.15, 14: 0.6, 15: 0.6, 17: 0.2, 20: 0.4, 23: 0.15, 25: 0.0, 26: 0.0}
_OPENING = ("jaw", "jaw_drop", "lips_part")


def amounts(emotion: str, milli: int) -> Array:
    """[A] control amounts of an emotion at `milli` thousandths.

    Raises:
        ValueError: the emotion does not exist, or `milli` is outside 0..1000.
    """
    if emotion not in RECIPES:
        raise ValueError(f"There is no emotion named {emotion!r}; choose one of {', '.join(EMOTIONS)}.")
    if not 0 <= milli <= FULL_MILLI:
        raise ValueError(f"The intensity must lie between 0 and 1000 thousandths, not {milli}.")
    out = np.zeros(len(NAMES), np.float32)
    for number, amount, side in RECIPES[emotion]:
        controls = UNITS[number].controls
        for name in controls[1:] if side == LEFT else controls:
            out[INDEX[name]] = amount * milli / FULL_MILLI
    return out


def resting_closure(amounts: Array) -> float:
    """0..1: how far the lips touch in silence. They do, unless something opens them."""
    opened = sum(max(0.0, float(amounts[INDEX[name]])) for name in _OPENING)
    return 1.0 - min(1.0, 3.0 * opened)


def _speech_factors() -> Array:
    factors = np.ones(len(NAMES), np.float32)
    for number, factor in WHILE_SPEAKING.items():
        for name in UNITS[number].controls:
            factors[INDEX[name]] = factor
    return factors


SPEECH_FACTORS = _speech_factors()


@dataclass(frozen=True)
class Overlay:
    """An emotion on its way.

    The face shows the mean of what was asked for over the last RAMP_S, weighted by a bell: each change of goal enters
    as a smooth step of that length. So place and speed are continuous whenever the goal changes, a change from rest is
    over after RAMP_S, and a mean can never pass what it is a mean of: nothing is shown beyond what was asked for.
    """

    steps: tuple[tuple[float, Array], ...]  # when each goal [A] was set, rising; the first one is what was before

    def at(self, t_s: float, speaking: float) -> Array:
        """[A] amounts at a time; `speaking` 0..1 lowers what would disturb the lips."""
        shown = self.steps[0][1].astype(np.float64)
        for (_, before), (since_s, goal) in pairwise(self.steps):
            u = min(1.0, max(0.0, (t_s - since_s) / RAMP_S))
            shown = shown + u * u * (3 - 2 * u) * (goal - before)
        return np.asarray(shown * (1 - speaking * (1 - SPEECH_FACTORS)), np.float32)

    def towards(self, goal: Array, now_s: float) -> Overlay:
        """The overlay that turns to another goal from `now_s` on. A goal set for later than that is dropped."""
        kept = [step for step in self.steps if step[0] < now_s]
        # Of the steps that are over only the last still says anything; there is always one, the first. A goal may be
        # set for a moment to come, and until then the steps before it are still asked for.
        over = sum(since_s <= now_s - RAMP_S - MOST_AHEAD_S for since_s, _ in kept)
        return Overlay((*kept[over - 1 :], (now_s, goal)))


REST = Overlay(((-np.inf, amounts("neutral", 0)),))
