"""A sound that was encoded again or got noise stays in its neighbourhood; other sounds lie elsewhere."""

from collections.abc import Callable

import numpy as np
import pytest

from provenance.marks.keys import MarkKey
from provenance.marks.sound.embed import embed_reference
from provenance.oracle.neighbourhoods import RADIUS, distance, sound_signature
from rendering.speech.voices import FliteVoice
from tests.common.spoken import (
    CHANGES,
    TEXTS,
    Samples,
    louder,
    said,
    slots_from,
    speech,
    through_opus,
    with_noise,
)

RATE_HZ = 48_000
MARKED = embed_reference(speech()[: 10 * RATE_HZ], slots_from(MarkKey(bytes(range(32))), 0x1234, 3))
NEAR: dict[str, Callable[[Samples], Samples]] = {
    "without the mark": lambda _: speech()[: 10 * RATE_HZ],
    **{name: CHANGES[name] for name in ("opus 32k", "opus 32k, then aac 64k", "opus 32k, polarity turned")},
    "noise at 25 dB": lambda sound: with_noise(sound, 25.0), "quieter": lambda sound: louder(sound, -12.0),
    "silence before it": lambda sound: np.concatenate([np.zeros(RATE_HZ, np.int16), sound]),
    "opus 16k": lambda sound: through_opus(sound, 16_000),
}
FAR: dict[str, Callable[[Samples], Samples]] = {
    "another voice": lambda _: said(FliteVoice("rms"), *TEXTS)[: 10 * RATE_HZ],
    "other words": lambda _: said(FliteVoice("slt"), *TEXTS[1:])[: 10 * RATE_HZ],
    "four seconds later": lambda _: speech()[4 * RATE_HZ : 14 * RATE_HZ],
}


@pytest.mark.parametrize("name", NEAR)
def test_usual_changes_stay_near(name: str) -> None:
    assert distance(sound_signature(MARKED, RATE_HZ), sound_signature(NEAR[name](MARKED), RATE_HZ)) <= RADIUS


@pytest.mark.parametrize("name", FAR)
def test_other_sounds_lie_elsewhere(name: str) -> None:
    assert distance(sound_signature(MARKED, RATE_HZ), sound_signature(FAR[name](MARKED), RATE_HZ)) > RADIUS + 10


def test_a_cut_leaves_the_neighbourhood() -> None:
    """The price, which docs/check-verdicts.md states: time is what a sound is made of."""
    assert distance(sound_signature(MARKED, RATE_HZ), sound_signature(MARKED[RATE_HZ:], RATE_HZ)) > RADIUS


@pytest.mark.parametrize("samples", [np.zeros(RATE_HZ, np.int16), np.zeros(0, np.int16), MARKED[:4000]])
def test_silence_and_a_moment_have_no_neighbourhood(samples: Samples) -> None:
    with pytest.raises(ValueError, match="needs sound"):
        sound_signature(samples, RATE_HZ)
