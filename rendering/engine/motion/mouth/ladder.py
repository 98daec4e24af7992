"""Which way a mouth is moved, from the best to the last resort, by what is at hand for an utterance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rung(StrEnum):
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


def choose(means: Means) -> Rung:
    """The best rung that these means carry."""
    if means.has_times:
        return Rung.EXACT if means.has_motion_model else Rung.SEGMENTS
    if means.has_sound and means.has_recogniser:
        return Rung.RECOGNISED if means.has_motion_model else Rung.SEGMENTS
    return Rung.LOUDNESS if means.has_sound else Rung.REST
