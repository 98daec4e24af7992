"""From action units to an emotion, by the prototypes of EMFACS, with how sure that is. PURE, numpy.

A prototype counts as far as its units are there, and never more than the one unit that tells it from its neighbours,
less the strongest unit that speaks against it. Speech moves the mouth
all the time and lids blink, so the median of the last readings is judged, not one picture.
"""

from collections.abc import Sequence

import numpy as np

from rendering.perception.face import Array
from rendering.perception.units import ACTION_UNITS, EMOTIONS, PROTOTYPES

SMOOTHED = 5  # readings, a little more than a second
AGAINST = 0.7  # share of the strongest contradicting unit that is taken away

# What one unit weighs in a prototype, where it is not 1: jaw and lids move in speech and with every blink.
LIGHT = {5: 0.4, 6: 0.3, 7: 0.2, 20: 0.4, 23: 0.0, 26: 0.3}
# Raised inner brows (1) hide lowered ones (4) from whoever sees points alone; in sadness both are at work.
LIGHT_IN_SADNESS = {4: 0.3}
# Without this unit it is another emotion: fear without 4 is surprise, disgust without 9 is sadness.
NEEDS = {"joy": 12, "sadness": 15, "anger": 4, "surprise": 2, "fear": 4, "disgust": 9}
CONTRADICTS: dict[str, tuple[int, ...]] = {
    "joy": (4, 15),
    "sadness": (2, 12),
    "anger": (1, 2, 12),
    "surprise": (4, 12),
    "fear": (12, 15),
    "disgust": (2, 12),
}


def smoothed(units: Sequence[Array]) -> Array:
    """Median of the last readings [N, 13]."""
    return np.asarray(np.median(np.asarray(units)[-SMOOTHED:], axis=0))


def affect_of(units: Array) -> Array:
    """[6] how much of each emotion the face shows, 0..1, in the order of EMOTIONS."""
    by_unit = dict(zip(ACTION_UNITS, (float(one) for one in units), strict=True))
    found = []
    for emotion in EMOTIONS:
        light = LIGHT | LIGHT_IN_SADNESS if emotion == "sadness" else LIGHT
        weights = {unit: light.get(unit, 1.0) for unit in PROTOTYPES[emotion]}
        there = sum(weight * by_unit[unit] for unit, weight in weights.items()) / sum(weights.values())
        against = max(by_unit[unit] for unit in CONTRADICTS[emotion])
        found.append(max(0.0, min(there, by_unit[NEEDS[emotion]]) - AGAINST * against))
    return np.array(found)


def affect_sure(affect: Array, turn_sure: float) -> float:
    """0..1: how far the strongest emotion stands out from the second, held down where the head is turned away."""
    first, second = sorted((float(one) for one in affect), reverse=True)[:2]
    return float(np.clip(0.5 * first + (first - second), 0.0, 1.0) * turn_sure)
