"""Ramps: smooth on and off, continuous in place and speed when the goal changes, never beyond what was asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.engine.motion import expression, performer
from rendering.engine.motion.controls import INDEX
from rendering.engine.motion.life.sources import Living

SMILE = INDEX["smile_left"]
STEP_S = 1e-3
GOALS = st.lists(
    st.tuples(
        st.sampled_from(expression.EMOTIONS), st.integers(0, 1000), st.integers(0, 45).map(lambda steps: 0.02 * steps)
    ),
    min_size=1, max_size=8,
)  # fmt: skip


def played(goals: list[tuple[str, int, float]], step_s: float = STEP_S) -> np.ndarray:
    """[N, A] amounts every `step_s` while the goals come one after another, each `wait` after the one before."""
    overlay, now_s, rows = expression.REST, 0.0, []
    for name, milli, wait_s in goals:
        overlay = overlay.towards(expression.amounts(name, milli), now_s)
        rows += [overlay.at(now_s + t, 0.0) for t in step_s * np.arange(round(wait_s / step_s))]
        now_s += wait_s
    rows += [overlay.at(now_s + t, 0.0) for t in np.arange(0, 1.0, step_s)]
    return np.array(rows, np.float64)


def test_on_and_off_take_the_stated_time_and_start_and_end_at_rest() -> None:
    track = played([("joy", 800, 1.0), ("neutral", 0, 0.0)])[:, SMILE]
    assert track[0] == 0.0
    assert track[int(expression.RAMP_S / STEP_S)] == pytest.approx(0.8, abs=1e-5)
    assert track[-1] == 0.0
    speed = np.diff(track) / STEP_S
    for moment_s in (0.0, expression.RAMP_S, 1.0, 1.0 + expression.RAMP_S):
        assert abs(speed[min(len(speed) - 1, int(moment_s / STEP_S))]) < 0.03
    assert np.abs(np.diff(speed)).max() < 0.03  # no corner: a linear ramp jumps by 0.8 / 0.6


def test_control_a_linear_ramp_would_have_corners() -> None:
    linear = np.clip(np.arange(0, 1, STEP_S) / expression.RAMP_S, 0, 1) * 0.8
    assert np.abs(np.diff(linear, 2)).max() / STEP_S > 1.0


@settings(max_examples=25, deadline=None)
@given(GOALS)
def test_whatever_is_asked_when_the_face_moves_smoothly_and_never_beyond(goals: list[tuple[str, int, float]]) -> None:
    track = played(goals, 0.02)
    wanted = np.array([expression.amounts(name, milli) for name, milli, _ in goals])
    assert (track <= wanted.max(0) + 1e-6).all()
    assert (track >= -1e-6).all()
    # The bell's height and slope bound speed and acceleration of any mean that it weighs; a jump or corner would not
    # keep to them.
    height, slope = 1.5 / expression.RAMP_S, 6 / expression.RAMP_S**2
    assert np.abs(np.diff(track, axis=0)).max() <= 0.02 * height * len(goals) * 1.01
    assert np.abs(np.diff(track, 2, axis=0)).max() <= 0.02**2 * slope * len(goals) * 1.01
    assert track[-1] == pytest.approx(wanted[-1], abs=1e-6)


def test_a_new_goal_in_the_middle_keeps_place_and_speed() -> None:
    first = expression.REST.towards(expression.amounts("joy", 1000), 0.0)
    second = first.towards(expression.amounts("sadness", 1000), 0.3)
    before = (first.at(0.3, 0.0) - first.at(0.3 - STEP_S, 0.0)) / STEP_S
    after = (second.at(0.3 + STEP_S, 0.0) - second.at(0.3, 0.0)) / STEP_S
    assert second.at(0.3, 0.0) == pytest.approx(first.at(0.3, 0.0), abs=1e-6)
    assert before[SMILE] > 2.0
    assert after == pytest.approx(before, abs=0.05)


def test_a_goal_set_for_later_gives_way_to_one_for_now() -> None:
    later = expression.REST.towards(expression.amounts("joy", 1000), 5.0)
    assert later.at(4.9, 0.0)[SMILE] == 0.0
    now = later.towards(expression.amounts("neutral", 0), 4.0)
    assert max(now.at(t, 0.0)[SMILE] for t in np.arange(4.0, 7.0, 0.1)) == 0.0


def test_a_thousand_wishes_leave_few_steps_to_add_up() -> None:
    overlay = expression.REST
    for count in range(1000):
        overlay = overlay.towards(expression.amounts("joy", count), 0.25 * count)
    assert len(overlay.steps) <= 2 + (expression.RAMP_S + expression.MOST_AHEAD_S) / 0.25


def test_lips_are_given_back_while_words_are_spoken() -> None:
    for name in expression.EMOTIONS:
        overlay = expression.REST.towards(expression.amounts(name, 1000), 0.0)
        spoken, silent = overlay.at(2.0, 1.0), overlay.at(2.0, 0.0)
        for control in ("jaw_drop", "lips_part", "jaw"):
            assert spoken[INDEX[control]] == 0.0
        for control in ("cheek_raise", "brow_down", "inner_brow_up", "lid_up", "lid_tight", "smile_left"):
            assert spoken[INDEX[control]] == silent[INDEX[control]]


def test_a_smile_of_life_s_own_adds_nothing_to_joy_that_the_grant_allowed() -> None:
    still = np.zeros(3)
    living = Living(still, still, 0.0, np.zeros(2), 0.0, 0.0, 0.0, 0.0, smile=0.12, cheek=0.12)
    calm, glad = (expression.amounts("joy", milli) for milli in (0, 500))
    for amounts in (calm, glad):
        performer._face(amounts, living, speaking=0.0)
    for control in ("smile_left", "smile_right", "cheek_raise"):
        assert calm[INDEX[control]] == pytest.approx(0.12)
        assert glad[INDEX[control]] == pytest.approx(0.5)


@pytest.mark.parametrize("emotion", expression.EMOTIONS[1:])
def test_brows_of_life_s_own_add_nothing_to_an_emotion_that_the_grant_allowed(emotion: str) -> None:
    still = np.zeros(3)
    living = Living(still, still, 0.0, np.zeros(2), 0.0, 0.2, 0.3, 0.1, smile=0.12, cheek=0.12)
    shown = expression.amounts(emotion, 600)
    alone, granted = expression.amounts("neutral", 0), shown.copy()
    for amounts in (alone, shown):
        performer._face(amounts, living, speaking=0.0)
    assert shown == pytest.approx(np.maximum(alone, granted))


def test_a_goal_set_for_later_moves_nothing_before_its_time() -> None:
    risen = expression.REST.towards(expression.amounts("joy", 800), 0.0)
    later = risen.towards(expression.amounts("sadness", 500), 0.9)  # said at 0.3, for the next sentence
    for t_s in np.arange(0.3, 0.9, 0.02):
        assert later.at(t_s, 0.0) == pytest.approx(risen.at(t_s, 0.0), abs=1e-6)
