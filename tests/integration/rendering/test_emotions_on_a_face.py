"""Emotions on a real replica of the in-tree person: by their own action units, on points, on pixels and in speech."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.engine.contact import lip_gap
from rendering.engine.motion import expression
from rendering.engine.motion.controls import INDEX
from rendering.engine.motion.mouth.release import MouthModels
from rendering.engine.motion.performer import Performer
from rendering.engine.replica import Replica
from rendering.motion_models import mouth_models
from tests.common import quick_replica, redetection
from tests.common.emotion_measures import TESTS, is_joy, measure
from tests.common.emotional_faces import CONTROLS, Faces, amounts_of
from tests.unit.rendering.engine.test_visemes import spans

FELT = tuple(name for name in expression.EMOTIONS if name != "neutral")
SENTENCE = ("sil", "PP", "aa", "PP", "E", "nn", "PP", "ou", "DD", "PP", "iy", "FF", "aa", "PP", "sil")
EACH_S = 0.11
PIXEL_APERTURE = -0.15  # the tracker reports about two thirds of a narrowing


@pytest.fixture(scope="module")
def faces() -> Faces:
    return Faces(Replica.from_files(quick_replica.files()))


@pytest.mark.parametrize("milli", [400, 600, 800, 1000])
def test_joy_lifts_the_cheeks_and_narrows_the_eyes(faces: Faces, milli: int) -> None:
    assert is_joy(faces.measures(expression.amounts("joy", milli)))


def test_joy_is_monotone_in_intensity(faces: Faces) -> None:
    rows = [faces.measures(expression.amounts("joy", milli)) for milli in range(0, 1001, 50)]
    for figure, sign in (("cheek_rise", 1), ("aperture", -1), ("corner_rise", 1), ("mouth_width", 1)):
        assert (np.diff([sign * getattr(row, figure) for row in rows]) > 0).all(), figure


@pytest.mark.parametrize("name", CONTROLS)
def test_control_what_is_not_joy_fails_the_test_of_joy(faces: Faces, name: str) -> None:
    assert not is_joy(faces.measures(amounts_of(**CONTROLS[name])))


def test_control_a_smile_of_the_mouth_alone_fails_on_the_cheeks_and_on_the_eyes(faces: Faces) -> None:
    found = faces.measures(amounts_of(**CONTROLS["smile of the mouth alone"]))
    assert found.corner_rise > 0.06  # it is a wide smile
    assert found.cheek_rise < 0.03
    assert found.aperture > -0.12


@pytest.mark.parametrize("milli", [600, 800, 1000])
def test_each_emotion_passes_its_own_test_and_no_other(faces: Faces, milli: int) -> None:
    for name, seen in faces.confusion(milli).items():
        assert seen == ((name,) if name in TESTS else ()), (name, milli, faces.measures(_of(name, milli)).rounded())


def _of(name: str, milli: int) -> np.ndarray:
    return expression.amounts(name, milli) if name in TESTS else amounts_of(**CONTROLS[name])


@pytest.mark.parametrize("left_out", ["cheek_raise", "smile_left", "smile_right"])
def test_control_joy_without_one_of_its_units_fails(faces: Faces, left_out: str) -> None:
    amounts = expression.amounts("joy", 800)
    amounts[INDEX[left_out]] = 0.0
    assert not is_joy(faces.measures(amounts))


def test_pixels_show_joy_and_a_smile_of_the_mouth_alone_does_not_narrow_the_eyes(faces: Faces) -> None:
    levels = (400, 600, 800, 1000)
    shown = [amounts_of(), *(expression.amounts("joy", milli) for milli in levels),
             amounts_of(**CONTROLS["smile of the mouth alone"]), amounts_of(jaw=0.4),
             expression.amounts("surprise", 800), expression.amounts("joy", 800) + amounts_of(jaw=0.4)]  # fmt: skip
    found = redetection.landmarks_of([faces.picture(amounts) for amounts in shown])
    seen = [measure(face, found[0]) for face in found[1:]]
    apertures = [one.aperture for one in seen]
    assert max(apertures[:4]) <= PIXEL_APERTURE
    assert (np.diff(apertures[:4]) < 0).all()
    assert [one.corner_rise >= 0.02 for one in seen[:4]] == [True] * 4
    mouth_only, jaw, surprise, joy_in_speech = seen[4:]
    assert mouth_only.corner_rise >= 0.04
    assert min(mouth_only.aperture, jaw.aperture, surprise.aperture) > PIXEL_APERTURE
    assert joy_in_speech.aperture <= PIXEL_APERTURE


def test_pixels_show_the_other_emotions_where_the_tracker_can_see_them(faces: Faces) -> None:
    names = ("neutral", "sadness", "anger", "surprise", "fear", "disgust", "contempt")
    found = redetection.landmarks_of([faces.picture(expression.amounts(name, 1000)) for name in names])
    seen = dict(zip(names, (measure(face, found[0]) for face in found), strict=True))
    assert seen["sadness"].inner_brow_rise > 0.02
    assert seen["sadness"].corner_rise < -0.03
    assert seen["anger"].inner_brow_rise < -0.025
    assert seen["anger"].red_height < -0.10
    assert seen["surprise"].outer_brow_rise > 0.03
    assert seen["surprise"].lip_gap > 0.03
    assert seen["fear"].mouth_width > 0.10
    assert seen["fear"].inner_brow_rise > seen["fear"].outer_brow_rise + 0.01
    assert seen["disgust"].upper_lip_rise > 0.025
    assert abs(seen["contempt"].corner_lead) > 0.02


def test_the_neutral_face_after_an_emotion_is_the_one_before_it(faces: Faces) -> None:
    for name in FELT:
        moved, still = Performer(faces.replica, 3), Performer(faces.replica, 3)
        moved.set_emotion(name, 1000, 1.0)
        during = faces.renderer.face(moved.state_at(2.0))[0]
        moved.set_emotion("neutral", 0, 3.0)
        after, before = (faces.renderer.face(one.state_at(4.0))[0] for one in (moved, still))
        assert np.abs(during - faces.renderer.face(still.state_at(2.0))[0]).max() > 1.0
        assert np.array_equal(after, before), name
        assert np.array_equal(faces.renderer.draw(moved.state_at(4.0)), faces.renderer.draw(still.state_at(4.0)))


def _spoken(faces: Faces, name: str, moments: np.ndarray, mouth: MouthModels | None = None) -> np.ndarray:
    """[N, 478, 3] faces while the sentence is said, one second after the emotion was set."""
    performer = Performer(faces.replica, 5, mouth)
    performer.set_emotion(name, 1000, 0.0)
    performer.say(spans(*SENTENCE, each_s=EACH_S), 1.0)
    return np.stack([faces.renderer.face(performer.state_at(float(t)))[0] for t in moments])


@pytest.mark.parametrize("driver", ["table of shapes", "motion model"])
def test_lips_still_close_on_every_bilabial_and_the_jaw_is_that_of_the_sounds(faces: Faces, driver: str) -> None:
    mouth = mouth_models() if driver == "motion model" else None
    if driver == "motion model" and mouth is None:
        pytest.skip("no models of the mouth are installed")
    unit = faces.replica.space.inter_ocular
    moments = 1.0 + EACH_S * (np.arange(4 * len(SENTENCE)) / 4 + 0.125)
    middles = np.array([4 * i + 1 for i, sound in enumerate(SENTENCE) if sound == "PP"])
    neutral = _spoken(faces, "neutral", moments, mouth)
    neutral_gaps = np.array([lip_gap(face) for face in neutral]) / unit
    bound = neutral_gaps[middles].max() + 1e-3
    for name in FELT:
        spoken = _spoken(faces, name, moments, mouth)
        gaps = np.array([lip_gap(face) for face in spoken]) / unit
        assert gaps[middles].max() <= bound, name
        assert np.abs(gaps - neutral_gaps).max() < 0.02, name
        chin = np.abs(spoken[:, 152, 1] - neutral[:, 152, 1]).max() / unit
        assert chin < 0.02, name


def test_control_without_speech_priority_surprise_would_open_the_mouth(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = 1.0 + EACH_S * np.arange(len(SENTENCE))
    unit = faces.replica.space.inter_ocular
    kept = np.array([lip_gap(face) for face in _spoken(faces, "surprise", moments)]) / unit
    monkeypatch.setattr(expression, "SPEECH_FACTORS", np.ones_like(expression.SPEECH_FACTORS))
    loose = np.array([lip_gap(face) for face in _spoken(faces, "surprise", moments)]) / unit
    assert (loose - kept).max() > 0.04


def test_joy_holds_during_speech(faces: Faces) -> None:
    performer, still = Performer(faces.replica, 5), Performer(faces.replica, 5)
    performer.set_emotion("joy", 700, 0.0)
    for one in (performer, still):
        one.say(spans(*SENTENCE, each_s=EACH_S), 1.0)
    seen = []
    for moment in np.arange(1.1, 1.1 + EACH_S * (len(SENTENCE) - 2), 0.04):
        state, rest = performer.state_at(float(moment)), still.state_at(float(moment))
        if state.amounts[INDEX["blink_left"]] > 0.01:
            continue
        seen.append(measure(faces.renderer.face(state)[0], faces.renderer.face(rest)[0]))
    assert len(seen) > 20
    assert min(one.cheek_rise for one in seen) >= 0.04
    assert max(one.aperture for one in seen) <= -0.20
