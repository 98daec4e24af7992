"""Speech, feelings and asked turns end in the right face at the right time."""

import numpy as np
import pytest

from rendering.demo.looks import LOOK_A, SPREAD, look_of
from rendering.demo.mouth_shapes import TARGETS, mouth_curves
from rendering.demo.performance import HeadTurn, Passage, Spoken, perform
from rendering.demo.rig import Face, build_rig, rotation
from rendering.speech import Phoneme, Utterance, VisemeSpan
from rendering.speech.visemes import VISEMES

TIME_S = np.arange(250) / 25.0


def utterance(*shapes: str, step_s: float = 0.1) -> Utterance:
    spans = tuple(VisemeSpan(shape, k * step_s, (k + 1) * step_s) for k, shape in enumerate(shapes))
    sounds = tuple(Phoneme(span.viseme, span.start_s, span.end_s) for span in spans)
    return Utterance(np.zeros(round(len(shapes) * step_s * 16000), np.int16), 16000, sounds, spans)


def gap_cm(face: Face) -> float:
    return float(build_rig(LOOK_A, face)["gap"][0])


def test_every_mouth_shape_has_a_target() -> None:
    assert set(TARGETS) == set(VISEMES)


def test_lips_meet_in_every_frame_of_a_bilabial_whatever_surrounds_it() -> None:
    said = Spoken(utterance("sil", "aa", "PP", "aa", "PP", "oh", "PP", "ou", "sil"), 1.0)
    faces = perform(TIME_S, (said,), passages=(Passage("surprise", 0.5, 2.5),), seed=3)
    closed = [s for s in said.spans() if s.viseme == "PP"]
    inside = [k for k, t in enumerate(TIME_S) for s in closed if s.start_s <= t <= s.end_s]
    assert len(inside) >= 6
    assert all(faces[k].close == 1.0 for k in inside)
    assert all(abs(gap_cm(faces[k])) < 1e-6 for k in inside)
    vowels = [s for s in said.spans() if s.viseme == "aa"]
    middles = [round((s.start_s + s.end_s) / 2 * 25) for s in vowels]
    assert all(gap_cm(faces[k]) > 0.5 for k in middles), "a mouth that never opens must not pass"


def test_a_silent_mouth_rests_closed() -> None:
    faces = perform(TIME_S, seed=1)
    assert all(face.jaw < 0.01 and gap_cm(face) < 0.02 for face in faces)


def test_shapes_outside_every_span_are_rest() -> None:
    curves = mouth_curves(utterance("aa", "ou").visemes, TIME_S)
    assert curves.jaw[50:].max() < 0.01
    assert curves.jaw[:3].max() > 0.5


@pytest.mark.parametrize(
    ("feeling", "field", "sign"),
    [("joy", "smile", 1), ("sadness", "smile", -1), ("anger", "furrow", 1), ("surprise", "brow", 1)],
)
def test_feelings_change_the_face_and_pass(feeling: str, field: str, sign: int) -> None:
    faces = perform(TIME_S, passages=(Passage(feeling, 3.0, 7.0),), seed=2, liveliness=0.0)
    before, during, after = (getattr(faces[k], field) for k in (50, 125, 240))
    assert sign * (during - before) > 0.4
    assert after == pytest.approx(before, abs=0.02)


def test_asked_turns_come_in_time_and_return() -> None:
    faces = perform(TIME_S, turns=(HeadTurn(2.0, yaw=0.4), HeadTurn(5.0, yaw=-0.4)), seed=2, liveliness=0.0)
    yaw = np.array([face.yaw for face in faces])
    assert yaw[:50].max() == 0.0
    assert yaw[65] == pytest.approx(0.4, abs=0.01)
    assert yaw[140] == pytest.approx(-0.4, abs=0.01)
    assert yaw[110] == yaw[-1] == 0.0


def test_blinks_come_every_few_seconds() -> None:
    time_s = np.arange(1500) / 25.0
    lid = np.array([face.lid for face in perform(time_s, seed=5)])
    starts = np.flatnonzero((lid[1:] < 0.5) & (lid[:-1] >= 0.5))
    assert 12 <= len(starts) <= 32
    assert lid.min() < 0.2


def test_same_seed_same_performance_other_seed_another() -> None:
    assert perform(TIME_S, seed=4) == perform(TIME_S, seed=4)
    assert perform(TIME_S, seed=4) != perform(TIME_S, seed=5)


def test_rotation_follows_the_signs_of_the_tracker() -> None:
    assert (rotation(0.3, 0, 0) @ [0, 0, 1])[0] > 0  # towards the right of the picture: the person's own left
    assert (rotation(0, 0.3, 0) @ [0, 0, 1])[1] < 0  # nose down
    assert (rotation(0, 0, 0.3) @ [0, 1, 0])[0] < 0  # top of the head to the person's own right


def test_people_by_seed_are_repeatable_and_differ() -> None:
    assert look_of(7) == look_of(7)
    assert len({tuple(getattr(look_of(seed), name) for name in SPREAD) for seed in range(20)}) == 20
    with pytest.raises(ValueError, match="demo person"):
        look_of("Z")
