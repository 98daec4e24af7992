"""Coarticulation: lips meet on every bilabial and nowhere else, shapes follow sounds, silence rests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendering.engine.motion.visemes import CLOSURE, MOUTH, VISEMES, MouthTrack

JAW, PUCKER, ROLL = MOUTH.index("jaw"), MOUTH.index("pucker"), MOUTH.index("lip_roll")


@dataclass(frozen=True)
class Span:
    viseme: str
    start_s: float
    end_s: float


def spans(*names: str, each_s: float = 0.09) -> list[Span]:
    return [Span(name, i * each_s, (i + 1) * each_s) for i, name in enumerate(names)]


def test_lips_meet_in_every_bilabial_and_open_in_vowels() -> None:
    said = spans("sil", "PP", "aa", "PP", "E", "nn", "PP", "ou", "DD", "sil", each_s=0.08)
    track = MouthTrack()
    track.add(said, 2.0)
    for span in said:
        mouth = track.at(2.0 + 0.5 * (span.start_s + span.end_s))
        opening = mouth[JAW] * (1 - mouth[CLOSURE])
        if span.viseme == "PP":
            assert mouth[CLOSURE] == 1.0
        if span.viseme in ("aa", "E"):
            assert opening > 0.2, span


def test_control_without_bilabials_nothing_closes() -> None:
    track = MouthTrack()
    track.add(spans("aa", "nn", "E", "DD", "aa"), 0.0)
    assert max(track.at(t)[CLOSURE] for t in np.arange(0.05, 0.40, 0.01)) < 0.6


def test_shapes_follow_their_sounds() -> None:
    track = MouthTrack()
    track.add(spans("aa", "ou", "FF", "iy", each_s=0.2), 0.0)
    assert track.at(0.1)[JAW] > 0.7
    assert track.at(0.3)[PUCKER] > 0.6
    assert track.at(0.5)[ROLL] > 0.7
    assert track.at(0.7)[PUCKER] < 0.2


def test_neighbours_colour_each_other() -> None:
    between_rounded, between_spread = MouthTrack(), MouthTrack()
    between_rounded.add(spans("ou", "DD", "ou"), 0.0)
    between_spread.add(spans("iy", "DD", "iy"), 0.0)
    assert between_rounded.at(0.135)[PUCKER] > between_spread.at(0.135)[PUCKER] + 0.2


def test_far_from_speech_nothing_moves_and_the_cut_closes_the_mouth() -> None:
    track = MouthTrack()
    track.add(spans(*["aa"] * 20), 1.0)
    assert not track.at(0.2).any()
    assert track.at(2.0)[JAW] > 0.6
    track.cut(2.0)
    assert track.at(2.25)[JAW] < 0.1
    assert not track.at(3.0).any()
    assert track.activity(2.9) == 0.0


def test_motion_has_no_jumps() -> None:
    track = MouthTrack()
    track.add(spans("PP", "aa", "nn", "DD", "ou", "SS", "iy", "PP", "oh"), 0.0)
    curve = np.stack([track.at(t) for t in np.arange(-0.3, 1.3, 0.002)])
    assert np.abs(np.diff(curve, axis=0)).max() < 0.2


def test_every_class_of_the_speech_side_is_known() -> None:
    from rendering.speech.visemes import VISEMES as SPOKEN

    assert set(SPOKEN) <= set(VISEMES)
