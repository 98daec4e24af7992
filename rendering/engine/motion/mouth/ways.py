"""Which way a mouth is moved, from the best to the last resort, by what is at hand for an utterance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """The ways, best first."""

    EXACT = "exact phonemes"  # the voice's own times through the motion model
    RECOGNISED = "recognised visemes"  # times heard in the sound, through the motion model
    SEGMENTS = "segment driver"  # exact or recognised times through the table of shapes
    LOUDNESS = "loudness"  # the jaw follows the level
    REST = "rest"  # nothing is known of the sound


@dataclass(frozen=True)
class Means:
    """What is at hand for one utterance."""

    has_times: bool
    has_sound: bool
    has_recogniser: bool
    has_motion_model: bool


def choose(means: Means) -> Way:
    """The best way that these means carry."""
    if means.has_times:
        return Way.EXACT if means.has_motion_model else Way.SEGMENTS
    if means.has_sound and means.has_recogniser:
        return Way.RECOGNISED if means.has_motion_model else Way.SEGMENTS
    return Way.LOUDNESS if means.has_sound else Way.REST
