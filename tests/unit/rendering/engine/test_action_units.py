"""Action units as drawn: each moves what its muscle moves, smoothly, on the person's own points and in their size."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.engine import landmarks as lm
from rendering.engine.motion import controls, expression
from rendering.engine.motion.action_units import sides, units
from rendering.engine.motion.action_units.field import Field
from tests.common.emotion_measures import Measures, measure
from tests.common.moving_face import face_points

POINTS = (face_points(256) - face_points(256)[168]) / np.linalg.norm(face_points(256)[33] - face_points(256)[263])
WANTED = (1, 2, 4, 5, 6, 7, 9, 12, 15, 20, 23, 25, 26)


def drawn(number: int) -> np.ndarray:
    """The whole unit, both sides, at full strength [478, 3]."""
    return sum(controls.author(name, POINTS, 0.2).move for name in units.UNITS[number].controls)  # type: ignore[return-value]


def seen(number: int) -> Measures:
    return measure(POINTS + drawn(number), POINTS)


def test_the_basis_has_the_units_that_emotions_are_made_of() -> None:
    assert set(WANTED) <= set(units.UNITS)
    assert {number for recipe in expression.RECIPES.values() for number, _, _ in recipe} <= set(units.UNITS)
    assert set(units.CONTROLS) == {*units.MAKERS, "jaw_drop"}


@pytest.mark.parametrize(
    ("number", "figure", "low", "high"),
    [
        (1, "inner_brow_rise", 0.06, 0.13), (1, "outer_brow_rise", -0.02, 0.02), (2, "outer_brow_rise", 0.06, 0.13),
        (2, "inner_brow_rise", -0.01, 0.03), (4, "inner_brow_rise", -0.13, -0.05), (4, "brow_distance", -0.4, -0.1),
        (5, "aperture", 0.2, 0.4), (5, "lower_lid_rise", -0.02, 0.01), (6, "cheek_rise", 0.06, 0.13),
        (6, "lower_lid_rise", 0.02, 0.06), (6, "mouth_width", -0.02, 0.02), (7, "aperture", -0.6, -0.3),
        (7, "cheek_rise", -0.01, 0.01), (9, "wing_rise", 0.04, 0.09), (9, "lip_gap", -0.01, 0.01),
        (10, "upper_lip_rise", 0.03, 0.07), (12, "corner_rise", 0.06, 0.11), (12, "aperture", -0.02, 0.02),
        (12, "mouth_width", 0.15, 0.35), (14, "corner_rise", 0.0, 0.03), (15, "corner_rise", -0.10, -0.05),
        (17, "lip_gap", -0.02, 0.005), (20, "mouth_width", 0.15, 0.35), (20, "corner_rise", -0.05, 0.0),
        (23, "red_height", -0.6, -0.2), (25, "lip_gap", 0.03, 0.10), (26, "lip_gap", 0.12, 0.25),
    ],
)  # fmt: skip
def test_each_unit_moves_its_own_part_by_as_much_as_a_face_can(
    number: int, figure: str, low: float, high: float
) -> None:
    assert low <= getattr(seen(number), figure) <= high


@pytest.mark.parametrize("number", [1, 2, 4, 5, 7])
def test_units_of_the_upper_face_leave_the_mouth(number: int) -> None:
    assert np.abs(drawn(number)[list(lm.LIPS)]).max() < 1e-6


@pytest.mark.parametrize("number", [12, 14, 15, 17, 20, 23, 25, 26])
def test_units_of_the_lower_face_leave_eyes_and_brows(number: int) -> None:
    assert np.abs(drawn(number)[list(lm.EYES + lm.RIGHT_BROW + lm.LEFT_BROW)]).max() < 2e-3


@pytest.mark.parametrize("number", units.UNITS)
def test_points_that_hold_the_pose_stay(number: int) -> None:
    # The tip of the nose and the skull are what turning is measured by: an emotion must not look like a nod.
    assert np.abs(drawn(number)[list(lm.STABLE)]).max() < 1e-6


@pytest.mark.parametrize("number", units.UNITS)
def test_both_halves_move_alike(number: int) -> None:
    move = drawn(number)
    for right, left in sides.PARTNER.items():
        assert move[left] == pytest.approx(move[right] * [-1, 1, 1], abs=0.022), (right, left)


@pytest.mark.parametrize("name", ["smile_left", "dimple_left"])
def test_one_sided_units_leave_the_other_side(name: str) -> None:
    move = controls.author(name, POINTS, 0.2).move
    assert np.abs(move[[61, 57, 186, 205, 216]]).max() < 2e-3
    assert np.abs(move[291]).max() > 0.04


def test_partners_are_mirrored_points() -> None:
    right, left = POINTS[list(sides.PARTNER)], POINTS[list(sides.PARTNER.values())]
    # The recorded face is turned a little, so its outer points are not quite mirrored.
    assert np.abs(right * [-1, 1, 1] - left)[:, :2].max() < 0.09
    assert len(set(sides.PARTNER.values())) == len(sides.PARTNER)
    assert not set(sides.PARTNER) & set(sides.PARTNER.values())


def test_skin_never_moves_farther_than_its_knots_and_rests_far_away() -> None:
    field = Field(POINTS)
    field.skin({50: (0.0, -0.1), 280: (0.0, 0.05)}, 0.09, still=lm.STABLE)
    assert field.move[50, 1] == pytest.approx(-0.1)
    assert field.move[:, 1].min() >= -0.1 - 1e-6
    assert field.move[:, 1].max() <= 0.05 + 1e-6
    assert np.abs(field.move[lm.CHIN]).max() < 1e-3
    assert np.abs(field.move[:, 0]).max() == 0.0


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 7, 9, 12, 15, 20, 23, 25])
def test_a_larger_face_moves_by_the_same_share(number: int) -> None:
    # `author` works in outer eye distances: what must carry over is that lids go by the eye and the rest by the face.
    wide = POINTS.copy()
    for row in (lm.RIGHT_LOWER_LID, lm.LEFT_LOWER_LID):
        wide[list(row), 1] += 0.03
    for name in units.UNITS[number].controls:
        one, other = controls.author(name, POINTS, 0.2).move, controls.author(name, wide, 0.2).move
        ratio = np.abs(other[145, 1]) / max(1e-9, np.abs(one[145, 1]))
        if number in (5, 6, 7):
            assert ratio > 1.15  # a taller eye has a longer way
        assert other[61] == pytest.approx(one[61], abs=2e-3)


def test_every_unit_is_said_in_the_language_of_facs() -> None:
    assert units.UNITS[6].name == "cheek raiser"
    assert len({unit.name for unit in units.UNITS.values()}) == len(units.UNITS)
