"""The mouth of a session: lips close on p, b and m under every emotion, on both paths, and every way is taken."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.engine.errors import ReplicaInvalid
from rendering.engine.motion import expression
from rendering.engine.motion.controls import INDEX
from rendering.engine.motion.mouth import gate, hearing
from rendering.engine.motion.mouth.features import FRAMES_PER_S, RATE_HZ, log_mel
from rendering.engine.motion.mouth.loudness import loudness_mouth
from rendering.engine.motion.mouth.motion import FRAME_S, MEAN_STYLE, STYLE
from rendering.engine.motion.mouth.recogniser import silence, twice
from rendering.engine.motion.mouth.release import MouthModels
from rendering.engine.motion.mouth.spoken import SpokenMouth, style_of
from rendering.engine.motion.mouth.ways import Means, Way, choose
from rendering.engine.motion.visemes import BILABIAL, CLOSURE, MOUTH, SILENCE, VISEMES, shares
from rendering.speech import VisemeSpan
from tests.common.mouths import shipped_models

JAW = MOUTH.index("jaw")


@pytest.fixture(scope="module")
def models() -> MouthModels:
    return shipped_models()


def spans(*names: str, each_s: float = 0.09) -> list[VisemeSpan]:
    return [VisemeSpan(name, i * each_s, (i + 1) * each_s) for i, name in enumerate(names)]


SAID = spans("sil", "PP", "aa", "nn", "PP", "E", "DD", "ih", "PP", "oh", "SS", "iy", "PP", "ah", "sil")


def openings(mouth: SpokenMouth, start_s: float, more_jaw: float = 0.0) -> np.ndarray:
    """[T] opening every 5 ms over SAID."""
    rows = np.stack([mouth.at(start_s + t) for t in np.arange(0, SAID[-1].end_s, 0.005)])
    return (rows[:, JAW] + more_jaw) * (1 - rows[:, CLOSURE])


@pytest.mark.parametrize("emotion", expression.EMOTIONS)
def test_lips_close_on_every_bilabial_under_every_emotion(models: MouthModels, emotion: str) -> None:
    mouth = SpokenMouth(models.motion)
    mouth.add(SAID, 10.0)
    mouth.feel(emotion, 1000, 8.0)
    jaw = expression.amounts(emotion, 1000)[INDEX["jaw"]] * expression.SPEECH_FACTORS[INDEX["jaw"]]
    opened = openings(mouth, 10.0, float(jaw))
    for span in SAID:
        near = opened[round(max(0.0, span.start_s - 0.015) / 0.005) : round((span.end_s + 0.015) / 0.005)]
        if span.viseme == "PP":
            assert near.min() < 0.06
        if span.viseme == "aa":
            assert near.max() > 0.2


def test_heard_lips_close_and_the_second_hearing_has_its_say(models: MouthModels) -> None:
    times_s = np.arange(round(SAID[-1].end_s * FRAMES_PER_S)) * FRAME_S
    edges = np.array([[span.start_s, span.end_s] for span in SAID])
    classes = np.array([VISEMES.index(span.viseme) for span in SAID])
    certain = shares(times_s, edges[:, 0], edges[:, 1], classes, FRAME_S)
    doubt = (certain[:, [BILABIAL]] > 0.1) * 0.6  # of each p, b and m: as likely a d, n or k
    unsure = certain * (1 - doubt)
    unsure[:, [VISEMES.index(name) for name in ("DD", "nn", "kk")]] += doubt / 3
    late_certain = np.concatenate([twice(unsure)[:, : len(VISEMES)], twice(certain)[:, len(VISEMES) :]], axis=1)
    each = (twice(certain), late_certain, twice(unsure))
    surely, late, unsurely = (_lowest_at_bilabials(models, rows) for rows in each)
    assert surely.max() < 0.06
    assert (surely < late).all()
    assert (late < unsurely).all()


def _lowest_at_bilabials(models: MouthModels, rows: np.ndarray) -> np.ndarray:
    mouth = SpokenMouth(models.motion)
    mouth.follow(hearing.Heard(Way.RECOGNISED, rows.astype(np.float32), None, tuple(SAID)), 10.0)
    opened = openings(mouth, 10.0)
    return np.array([
        opened[round(max(0.0, span.start_s - 0.03) / 0.005) : round((span.end_s + 0.03) / 0.005)].min()
        for span in SAID
        if span.viseme == "PP"
    ])


def test_control_nothing_closes_without_bilabials(models: MouthModels) -> None:
    mouth = SpokenMouth(models.motion)
    mouth.add(spans("aa", "nn", "E", "DD", "aa", "nn", "E"), 0.0)
    assert min(mouth.at(t)[JAW] * (1 - mouth.at(t)[CLOSURE]) for t in np.arange(0.05, 0.55, 0.01)) > 0.06


def test_an_emotion_changes_the_lips_but_not_what_closes(models: MouthModels) -> None:
    plain, glad = SpokenMouth(models.motion), SpokenMouth(models.motion)
    for mouth in (plain, glad):
        mouth.add(spans(*["iy", "SS"] * 8), 1.0)
    glad.feel("joy", 1000, 0.0)
    stretch = MOUTH.index("stretch")
    before = np.mean([plain.at(t)[stretch] for t in np.arange(1.2, 2.2, 0.02)])
    after = np.mean([glad.at(t)[stretch] for t in np.arange(1.2, 2.2, 0.02)])
    assert after > 1.1 * before
    glad.feel("neutral", 0, 5.0)
    glad.add(spans(*["iy", "SS"] * 8), 7.0)
    assert np.mean([glad.at(t)[stretch] for t in np.arange(7.2, 8.2, 0.02)]) == pytest.approx(before, abs=0.02)


def test_style_changes_how_wide_the_mouth_opens(models: MouthModels) -> None:
    wide, narrow = (MEAN_STYLE.copy() for _ in range(2))
    wide[STYLE.index("gain_jaw")], narrow[STYLE.index("gain_jaw")] = 1.5, -1.5
    widest = []
    for style in (narrow, MEAN_STYLE, wide):
        mouth = SpokenMouth(models.motion, style)
        mouth.add(spans(*["aa", "nn"] * 8), 0.0)
        widest.append(max(mouth.at(t)[JAW] for t in np.arange(0.2, 1.2, 0.02)))
    assert widest[0] < 0.8 * widest[1] < 0.8 * widest[2] / 1.2


def test_a_moment_is_the_same_in_any_order_and_at_any_rate(models: MouthModels) -> None:
    mouth = SpokenMouth(models.motion)
    mouth.add(SAID, 1.0)
    times = np.arange(0.8, 2.6, 1 / 25)
    forward = [mouth.at(t) for t in times]
    backward = [mouth.at(t) for t in times[::-1]][::-1]
    assert np.array_equal(forward, backward)


def test_interruption_closes_the_mouth_and_far_from_speech_nothing_moves(models: MouthModels) -> None:
    mouth = SpokenMouth(models.motion)
    mouth.add(spans(*["aa"] * 20), 1.0)
    assert not mouth.at(0.1).any()
    assert mouth.at(2.0)[JAW] > 0.4
    mouth.cut(2.0)
    assert mouth.at(2.3)[JAW] < 0.1
    assert not mouth.at(3.5).any()


def test_the_mouth_has_no_jumps(models: MouthModels) -> None:
    mouth = SpokenMouth(models.motion)
    mouth.add(SAID, 0.5)
    curve = np.stack([mouth.at(t) for t in np.arange(0.0, 3.0, 0.002)])
    assert np.abs(np.diff(curve, axis=0)).max() < 0.15


def test_ladder_steps_down_by_rule() -> None:
    both = {"has_sound": True, "has_recogniser": True}
    assert choose(Means(has_times=True, has_motion_model=True, **both)) is Way.EXACT
    assert choose(Means(has_times=False, has_motion_model=True, **both)) is Way.RECOGNISED
    assert choose(Means(has_times=True, has_motion_model=False, **both)) is Way.SEGMENTS
    assert choose(Means(has_times=False, has_motion_model=False, **both)) is Way.SEGMENTS
    assert choose(Means(False, True, False, True)) is Way.LOUDNESS
    assert choose(Means(False, False, True, True)) is Way.REST


def test_each_rung_moves_the_mouth_with_what_it_has(models: MouthModels) -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    samples = (0.3 * np.sin(2 * np.pi * 200 * time_s) * (time_s > 0.5)).astype(np.float32)
    loud = hearing.hear(None, samples, has_motion_model=False)
    assert loud.way is Way.LOUDNESS
    mouth = SpokenMouth(None)
    mouth.follow(loud, 2.0)
    assert mouth.at(2.3)[JAW] < 0.05 < 0.3 < mouth.at(2.8)[JAW]
    assert mouth.activity(2.8) == 1.0
    assert not mouth.at(3.5).any()
    assert hearing.hear(models.recogniser, samples[:0], has_motion_model=True).way is Way.REST
    table, model = SpokenMouth(None), SpokenMouth(models.motion)
    for each in (table, model):
        each.add(SAID, 0.0)
    assert not np.allclose(table.at(0.3), model.at(0.3))


def test_loudness_knows_no_lips() -> None:
    rows = loudness_mouth(np.full(RATE_HZ, 0.5, np.float32))
    assert rows[-1, JAW] > 0.5
    assert not np.delete(rows, JAW, axis=1).any()


def test_gate_opens_for_speech_and_fades_over_150_ms() -> None:
    loud = log_mel((0.1 * np.random.default_rng(1).normal(size=RATE_HZ)).astype(np.float32))[5]
    quiet = log_mel(np.zeros(RATE_HZ, np.float32))[5]
    vowel, none = np.eye(len(VISEMES), dtype=np.float32)[VISEMES.index("aa")], silence(1)[0]
    keeper = gate.VoiceGate()
    assert keeper.step(quiet, none) == 0.0
    assert [keeper.step(loud, vowel) for _ in range(4)][-1] == 1.0
    fading = np.array([keeper.step(quiet, vowel) for _ in range(20)])
    falling = np.flatnonzero((fading > 0) & (fading < 1))
    assert fading[-1] == 0.0
    assert len(falling) / FRAMES_PER_S == pytest.approx(gate.FADE_S, abs=1.5 / FRAMES_PER_S)
    assert (falling[0] + 1) / FRAMES_PER_S == pytest.approx(gate.HOLD_S, abs=2.5 / FRAMES_PER_S)
    shut = gate.VoiceGate()
    assert max(shut.step(loud, none) for _ in range(60)) == 0.0  # loud, but nothing that a mouth says
    held = gate.gated(vowel, 0.25)
    assert held[SILENCE] == pytest.approx(0.75)
    assert held.sum() == pytest.approx(1.0)


def test_a_replica_names_its_style_or_speaks_in_the_mean_one() -> None:
    assert np.array_equal(style_of({}), MEAN_STYLE)
    vector = [0.5] * len(STYLE)
    assert np.allclose(style_of({"mouth_style": {"vector": vector}}), 0.5)
    assert style_of({"mouth_style": {"vector": [99.0] * len(STYLE)}}).max() <= 2.5
    for wrong in ([0.5], vector[:-1] + [float("nan")], vector[:-1] + ["1"], None):
        with pytest.raises(ReplicaInvalid):
            style_of({"mouth_style": {"vector": wrong}})
