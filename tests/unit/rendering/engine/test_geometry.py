"""Pose, contact of lips and lids, and what the controls mean on a face."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.engine import contact
from rendering.engine import landmarks as lm
from rendering.engine.motion import controls, expression
from rendering.engine.pose import HeadPose, angles, rotation
from tests.common.moving_face import face_points

SMALL = st.floats(-1.2, 1.2)


@settings(max_examples=40, deadline=None)
@given(SMALL, SMALL, SMALL)
def test_angles_undo_rotation(yaw: float, pitch: float, roll: float) -> None:
    assert angles(rotation(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=1e-4)


def test_positive_angles_turn_the_way_the_names_say() -> None:
    nose, crown = np.array([0, 0, -1.0]), np.array([0, -1.0, 0])
    assert (rotation(0.3, 0, 0) @ nose)[0] > 0.2  # towards the person's left: right of the picture
    assert (rotation(0, 0.3, 0) @ nose)[1] > 0.2  # nose down
    assert (rotation(0, 0, 0.3) @ crown)[0] < -0.2  # top of the head to the left of the picture


def test_pose_vector_round_trip() -> None:
    pose = HeadPose(0.1, -0.2, 0.05, 120.0, 90.0, 1.1)
    assert HeadPose.from_vector(pose.vector()).vector() == pytest.approx(pose.vector(), rel=1e-5)


def test_closure_brings_the_lips_together_and_half_closure_does_not() -> None:
    face = face_points(256)
    face[list(lm.LOWER_LIP), 1] += 12
    assert contact.lip_gap(contact.close(face, 1.0)) == pytest.approx(0.0, abs=1e-3)
    assert contact.lip_gap(contact.close(face, 0.5)) > 3


def test_lips_and_lids_never_pass_through_each_other() -> None:
    face = face_points(256)
    face[list(lm.LOWER_LIP), 1] -= 30
    face[list(lm.RIGHT_UPPER_LID), 1] += 30
    closed = contact.close(face, 0.0)
    assert contact.lip_gap(closed) == pytest.approx(0.0, abs=1e-3)
    gap = closed[list(lm.RIGHT_LOWER_LID), 1] - closed[list(lm.RIGHT_UPPER_LID), 1]
    assert gap.min() > -1e-3


def test_irises_stay_between_closed_lids() -> None:
    face = face_points(256)
    face[list(lm.LEFT_UPPER_LID), 1] = face[list(lm.LEFT_LOWER_LID), 1]
    tucked = contact.tuck_irises(face.copy())
    assert np.ptp(tucked[list(lm.LEFT_IRIS), 1]) < 0.35 * np.ptp(face[list(lm.LEFT_IRIS), 1])


@pytest.mark.parametrize(
    ("name", "point", "axis", "sign"),
    [
        ("jaw", 14, 1, 1), ("pucker", 61, 0, 1), ("pucker", 291, 0, -1), ("smile_left", 291, 1, -1),
        ("smile_left", 291, 0, 1), ("smile_right", 61, 0, -1), ("corner_down", 61, 1, 1), ("inner_brow_up", 55, 1, -1),
        ("brow_down", 107, 1, 1), ("cheek_raise", 50, 1, -1), ("lid_up", 159, 1, -1), ("blink_left", 386, 1, 1),
        ("gaze_x", 468, 0, 1), ("gaze_y", 473, 1, 1), ("upper_up", 13, 1, -1), ("lower_down", 14, 1, 1),
    ],
)  # fmt: skip
def test_controls_move_what_they_name(name: str, point: int, axis: int, sign: int) -> None:
    field = controls.author(name, face_points(256) / 70, 0.2)
    assert sign * field.move[point, axis] > 0.005


def test_each_control_is_authored_and_each_emotion_uses_known_ones() -> None:
    for name in controls.NAMES:
        field = controls.author(name, face_points(256) / 70, 0.2)
        assert np.abs(field.move).max() > 0.005, name
        assert np.isfinite(field.move).all()
    for emotion in expression.EMOTIONS[1:]:
        assert expression.amounts(emotion, 1000).any()


def test_one_sided_controls_leave_the_other_side() -> None:
    field = controls.author("smile_left", face_points(256) / 70, 0.2)
    assert np.abs(field.move[61]).max() < 1e-3


@pytest.mark.parametrize(("name", "milli"), [("glee", 100), ("joy", 1001), ("joy", -1)])
def test_unknown_emotions_and_intensities_are_refused(name: str, milli: int) -> None:
    with pytest.raises(ValueError, match="emotion|intensity"):
        expression.amounts(name, milli)


def test_joy_is_more_than_a_mouth_smile() -> None:
    joy = expression.amounts("joy", 800)
    for name in ("smile_left", "smile_right", "cheek_raise", "lid_tight"):
        assert joy[controls.INDEX[name]] > 0


def test_speech_keeps_the_jaw_from_emotion() -> None:
    overlay = expression.REST.towards(expression.amounts("surprise", 1000), 0.0)
    jaw = controls.INDEX["jaw_drop"]
    assert overlay.at(5.0, 0.0)[jaw] > 0.3
    assert overlay.at(5.0, 1.0)[jaw] == 0.0
    assert overlay.at(5.0, 1.0)[controls.INDEX["jaw"]] == 0.0
    brow = controls.INDEX["inner_brow_up"]
    assert overlay.at(5.0, 1.0)[brow] == overlay.at(5.0, 0.0)[brow]
