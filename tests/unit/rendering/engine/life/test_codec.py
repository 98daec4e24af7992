"""The code of a chunk can be read back, in every person's own measure; events keep their moment and their chance."""

import numpy as np
import pytest

from rendering.engine.motion.life import codec as codes
from rendering.engine.motion.life import context
from rendering.engine.motion.life.channels import CHUNK, FRAMES_PER_S, SMOOTH
from rendering.engine.motion.life.codec import fit_habit
from tests.common.life_models import random_life


def walk(seed: int, smoothness: int, frames: int = 1200) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(size=(frames + smoothness, len(SMOOTH)))
    kernel = np.hanning(smoothness + 2)
    smooth = np.stack([np.convolve(column, kernel, "valid")[:frames] for column in steps.T], axis=1)
    return (smooth / smooth.std(0)).astype(np.float32)


def test_smooth_channels_come_back():
    codec, normal = random_life().codec, walk(0, 20)
    habit = fit_habit(normal)
    starts = np.arange(context.PAST, 1100, 50)
    past = normal[starts[:, None] + np.arange(-context.PAST, 0)]
    chunk = normal[starts[:, None] + np.arange(CHUNK)]
    code = codec.code(past, chunk, habit)
    usual = np.abs(code).max(1) < codes.LARGEST_MADE
    assert usual.mean() > 0.5
    assert np.allclose(codec.smooth(past, code, habit)[usual], chunk[usual], atol=1e-3)


@pytest.mark.parametrize("smoothness", [3, 20, 60])
def test_codes_have_unit_size_however_smooth_a_person_is(smoothness):
    codec, normal = random_life().codec, walk(1, smoothness)
    habit = fit_habit(normal)
    starts = np.arange(context.PAST, 1100, 4)
    past = normal[starts[:, None] + np.arange(-context.PAST, 0)]
    code = codec.code(past, normal[starts[:, None] + np.arange(CHUNK)], habit)
    assert np.abs(code.std(0) - 1).max() < 0.25


@pytest.mark.parametrize("h", [0.0, 0.1, 0.3])
def test_heavy_tails_are_measured_taken_out_and_put_back(h):
    normal = np.random.default_rng(0).normal(size=(20_000, 1))
    heavy = 2 * codes.with_tail(normal, np.array([h]))
    scale, found = codes.tail_of(heavy)
    assert scale[0] == pytest.approx(2, rel=0.05) and found[0] == pytest.approx(h, abs=0.02)
    assert np.allclose(codes.without_tail(heavy / 2, np.array([h])), normal, atol=1e-9)


def test_a_channel_that_never_moves_stays_where_it_is():
    normal = walk(2, 10)
    normal[:, 3] = 0
    habit, codec = fit_habit(normal), random_life().codec
    past = np.zeros((1, context.PAST, len(SMOOTH)), np.float32)
    wild = np.random.default_rng(0).normal(size=(1, 96)).astype(np.float32)
    assert np.abs(codec.smooth(past, wild, habit)[0, :, 3]).max() < 1e-3
    assert np.abs(codec.smooth(past, wild, habit)[0, :, 2]).max() > 1e-3


def test_moments_and_chances_come_back():
    codec = random_life().codec
    for frame in (0.2, 3.7, 7.8):
        assert codes.moment(codes.moment_code(np.array([frame]))[0]) == pytest.approx(frame, abs=1e-3)
    yes_or_no = np.array([[1.0, 0.0], [0.0, 1.0]])
    expected = np.array([[0.1, 0.2], [0.4, 0.05]])
    assert np.allclose(codec.chances(codec.event_codes(yes_or_no, expected), expected), yes_or_no, atol=1e-6)
    # The mean of many codes is the code of their share: what a network that predicts means can learn.
    drawn = (np.random.default_rng(0).random((50_000, 2)) < 0.3).astype(float)
    assert np.allclose(codec.chances(codec.event_codes(drawn, expected[0]).mean(0), expected[0]), 0.3, atol=0.01)


def test_gaps_alone_bring_back_the_gaps_they_were_measured_on():
    seen = np.random.default_rng(1).gamma(4.0, 0.9, 400) + 0.5
    gaps = codes.gap_quantiles(seen, 4.0)
    random, made = np.random.default_rng(2), []
    for _ in range(1500):
        since = 0.0
        while random.random() > codes.expected_events(np.array([since]), gaps)[0]:
            since += CHUNK / FRAMES_PER_S
        made.append(since + 0.5 * CHUNK / FRAMES_PER_S)
    assert np.mean(made) == pytest.approx(seen.mean(), rel=0.08)
    assert np.quantile(made, [0.25, 0.75]) == pytest.approx(np.quantile(seen, [0.25, 0.75]), rel=0.12)


def test_of_too_few_gaps_nothing_is_learned_and_chances_stay_chances():
    assert codes.gap_quantiles(np.array([1.0, 9.0]), 4.0).mean() == pytest.approx(4.4)
    chances = codes.expected_events(np.linspace(0, 400, 900), codes.gap_quantiles(np.full(9, 3.0), 4.0))
    assert chances.min() >= 0 and chances.max() <= codes.LATE_CHANCE and chances[0] == 0


def test_aims_come_back_by_distance_and_direction():
    distances = np.array([0, 0, 0, 0.4, 0.8, 1.0, 1.5, 2.0, 3.0])
    aims = np.array([[0.8, 0.0], [0.0, -1.2], [-1.4, 1.4], [0.2, 0.1]])
    found = codes.aim_code(aims, distances, np.full((4, 2), 0.5))
    again = np.stack([codes.aim_of(code, distances) for code in found])
    assert np.allclose(again, aims, atol=0.02)
    # Three of nine distances are zero: a quarter of all numbers bring the eyes back to the middle.
    drawn = np.random.default_rng(0).normal(size=(4000, 2))
    back = np.mean([np.linalg.norm(codes.aim_of(code, distances)) < 1e-6 for code in drawn])
    assert back == pytest.approx(0.25, abs=0.03)
