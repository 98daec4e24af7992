"""Both sources of life behind one interface: what they say of themselves, and what they may not do."""

from dataclasses import replace

import numpy as np
import pytest

from rendering.engine.errors import MotionModelInvalid
from rendering.engine.motion.life import equaliser
from rendering.engine.motion.life.hearing import Hearing
from rendering.engine.motion.life.model import Person
from rendering.engine.motion.life.sources import FARTHEST_AIM_RAD, MOST_SMILE, DiffusedLife, NoiseLife
from tests.common.life_models import random_life

TURN_RAD = np.array([0.07, 0.03, 0.02])
MODEL = random_life()


def test_each_source_says_what_it_is():
    assert NoiseLife(TURN_RAD, 1, "no weights are installed").facts == {
        "source": "noise", "reason": "no weights are installed"}
    life = DiffusedLife(MODEL, TURN_RAD, Hearing(), 1)
    assert life.facts == {
        "source": "diffusion", "sha256": MODEL.facts["sha256"], "is_fitted": False, "late": 0}
    assert DiffusedLife(MODEL, TURN_RAD, Hearing(), 1, person=MODEL.usual).facts["is_fitted"]


@pytest.mark.parametrize("source", [
    lambda: NoiseLife(TURN_RAD, 3, ""), lambda: DiffusedLife(MODEL, TURN_RAD, Hearing(), 3),
], ids=["noise", "diffusion"])
def test_amounts_stay_in_their_ranges(source):
    life = source()
    for frame in range(900):
        living = life.at(frame / 30, 0.0, 1.0, 0.0)
        assert np.abs(living.turn_rad / TURN_RAD).max() < 4.5
        assert np.abs(living.aim_rad).max() <= FARTHEST_AIM_RAD + 1e-9
        assert 0 <= living.lids <= 1
        for amount in (living.brow_inner, living.brow_outer, living.brow_down, living.smile, living.cheek):
            assert 0 <= amount <= 0.5
        assert max(living.smile, living.cheek) <= MOST_SMILE


def test_no_small_smile_where_joy_is_forbidden():
    life = DiffusedLife(MODEL, TURN_RAD, Hearing(), 2, smile_most=0.0)
    assert max(max(living.smile, living.cheek) for living in (life.at(k / 30, 0, 1, 0) for k in range(300))) == 0


def test_a_person_survives_json_and_what_is_no_person_is_refused():
    known = MODEL.usual.to_json("a")
    again = Person.from_json(known, "a")
    assert again is not None
    assert np.allclose(again.habit.predictor, MODEL.usual.habit.predictor, atol=1e-5)
    wrong = ({"style": [1.0]}, {"strays": "many"}, {"strays": [float("nan")] * 96})
    for spoiled in ({"version": 2}, *(known | part for part in wrong)):
        with pytest.raises(MotionModelInvalid):
            Person.from_json(spoiled, "a")


def test_a_person_of_an_older_version_moves_like_a_usual_one():
    assert Person.from_json({"style": [1.0], "seconds": 60.0}, "a") is None


def test_an_equaliser_is_used_with_the_weights_it_was_measured_with_only():
    louder = replace(MODEL.usual, equaliser=2 * equaliser.flat()).to_json("a")
    same, other = (Person.from_json(louder, weights) for weights in ("a", "b"))
    assert same is not None and other is not None
    assert same.equaliser[0, 0] == 2 and other.equaliser[0, 0] == 1
