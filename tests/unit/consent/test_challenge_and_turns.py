"""Challenges are drawn, and turns are judged by order and by reaction time."""

import random
from datetime import UTC, datetime

import numpy as np
import pytest

from consent.identity import challenge as challenges
from consent.identity.turns import check_turns

NOW = datetime(2026, 11, 24, 9, 51, tzinfo=UTC)


class SeededRandomness:
    """Stands in for `secrets` so that a drawn challenge can be drawn again."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def randbelow(self, bound):
        return self._random.randrange(bound)

    def token_hex(self, nbytes=None):
        return self._random.randbytes(nbytes).hex()


def draw(seed=1):
    return challenges.draw(now=NOW, device_sha256="d" * 64, notice_sha256="a" * 64, randomness=SeededRandomness(seed))


def yaw_curve(turns, duration_s, fps=25, offset_rad=0.1):
    """A head that makes each (direction, at_s): up in 0.4 s, held for 0.6 s, back in 0.4 s, to 25 degrees."""
    time_s = np.arange(0, duration_s, 1 / fps)
    yaw = np.full_like(time_s, offset_rad)
    for direction, at_s in turns:
        shape = np.clip(np.minimum((time_s - at_s) / 0.4, (at_s + 1.4 - time_s) / 0.4), 0, 1)
        yaw += (1 if direction == "left" else -1) * np.deg2rad(25) * shape
    noise = np.random.default_rng(0).normal(0, 0.01, len(time_s))
    return yaw + noise, time_s


def performed(challenge, delay_s=0.7):
    return [(turn.direction, turn.at_s + delay_s) for turn in challenge.turns]


@pytest.mark.parametrize("seed", range(20))
def test_a_challenge_asks_for_both_sides_and_leaves_time_between(seed):
    challenge = draw(seed)
    assert {turn.direction for turn in challenge.turns} == {"left", "right"}
    gaps = np.diff([turn.at_s for turn in challenge.turns])
    assert (gaps >= challenges.TURN_S).all()
    assert len(challenge.words) == challenges.PHRASE_WORDS


def test_real_challenges_differ():
    drawn = {challenges.draw(now=NOW, device_sha256="d", notice_sha256="n").sha256 for _ in range(20)}
    assert len(drawn) == 20


def test_json_form_returns_the_same_challenge():
    assert challenges.Challenge.from_dict(draw().to_dict()) == draw()


@pytest.mark.parametrize("field", ["device_sha256", "notice_sha256", "nonce", "phrase", "opens_at"])
def test_the_hash_is_bound_to_every_fact(field):
    stored = draw().to_dict()
    changed = stored | {field: "2026-11-24T10:00:00.000Z" if field == "opens_at" else "other"}
    assert challenges.Challenge.from_dict(changed).sha256 != draw().sha256


@pytest.mark.parametrize("seed", range(5))
def test_the_asked_turns_pass(seed):
    challenge = draw(seed)
    result = check_turns(challenge, *yaw_curve(performed(challenge), challenge.duration_s))
    assert (result.verdict, result.measure[:6]) == ("pass", "4 of 4")


def test_turns_in_the_wrong_order_fail():
    challenge = draw()
    other = [("left" if direction == "right" else "right", at_s) for direction, at_s in performed(challenge)]
    assert check_turns(challenge, *yaw_curve(other, challenge.duration_s)).verdict == "fail"


@pytest.mark.parametrize(("delay_s", "said"), [(2.7, "too late"), (-0.2, "before we asked")])
def test_late_and_early_turns_fail_and_say_which(delay_s, said):
    challenge = draw()
    made = performed(challenge)
    made[2] = (made[2][0], challenge.turns[2].at_s + delay_s)
    result = check_turns(challenge, *yaw_curve(made[:3], challenge.duration_s))
    assert result.verdict == "fail"  # three turns of four
    made = performed(challenge)
    made[3] = (made[3][0], challenge.turns[3].at_s + delay_s)
    result = check_turns(challenge, *yaw_curve(made, challenge.duration_s + 2))
    assert result.verdict == "fail"
    assert said in result.to_subject
    assert "fourth" in result.to_subject


def test_an_extra_turn_and_a_still_head_fail():
    challenge = draw()
    extra = [("left", 1.0), *performed(challenge)]
    assert check_turns(challenge, *yaw_curve(extra, challenge.duration_s)).verdict == "fail"
    assert check_turns(challenge, *yaw_curve([], challenge.duration_s)).measure == "No head turn seen"


def test_frames_without_a_face_are_gaps_not_turns():
    challenge = draw()
    yaw, time_s = yaw_curve(performed(challenge), challenge.duration_s)
    yaw[10:14] = np.nan
    assert check_turns(challenge, yaw, time_s).verdict == "pass"


def test_a_clip_from_outside_our_page_is_never_better_than_warn():
    challenge = draw()
    curve = yaw_curve(performed(challenge, delay_s=4.0), challenge.duration_s + 6)
    assert check_turns(challenge, *curve, is_timed=False).verdict == "warn"
