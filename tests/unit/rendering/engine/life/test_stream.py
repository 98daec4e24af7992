"""A session's life: seeds, causality, seams, ranges, gaps, and the work one picture may cost."""

import numpy as np
import pytest

from rendering.engine.motion.life import context
from rendering.engine.motion.life import stream as streams
from rendering.engine.motion.life.channels import CHUNK, FRAMES_PER_S
from rendering.engine.motion.life.hearing import Hearing
from rendering.engine.motion.life.model import STEPS, LifeModel
from rendering.engine.motion.life.stream import LifeStream
from tests.common.life_models import random_life


@pytest.fixture(scope="module")
def model() -> LifeModel:
    return random_life()


def played(model: LifeModel, seed: int, seconds: float, hearing: Hearing | None = None, fps: float = 30.0):
    stream = LifeStream(model, model.usual, seed, (hearing or Hearing()).at)
    frames = [stream.at(k / fps) for k in range(int(seconds * fps))]
    return np.stack([np.concatenate([f.smooth, f.aim, [f.lids]]) for f in frames]), stream


def spoken(seconds: float, level: float) -> np.ndarray:
    beat = 0.5 + 0.5 * np.sin(np.arange(int(seconds * FRAMES_PER_S)))
    return np.stack([level * beat, 0.2 * beat, beat > 0.4, level * (beat > 0.9)], axis=1).astype(np.float32)


def test_the_same_seed_moves_the_same_and_another_does_not(model):
    first, same, other = (played(model, seed, 6)[0] for seed in (3, 3, 4))
    assert np.array_equal(first, same)
    assert np.abs(first - other).mean() > 0.05


def test_what_is_said_later_changes_nothing_before(model):
    soft, loud = Hearing(), Hearing()
    for hearing, level in ((soft, 0.2), (loud, 0.9)):
        hearing.lay(spoken(2.0, 0.5), 0.5)
        hearing.lay(spoken(2.0, level), 4.0)
    tracks = [played(model, 1, 8, hearing)[0] for hearing in (soft, loud)]
    # A chunk may look ahead to its own last frame and is begun a few frames before its first.
    reach = (CHUNK + streams.AHEAD + 1) / FRAMES_PER_S
    until = int((4.0 - reach) * FRAMES_PER_S)
    assert np.array_equal(tracks[0][:until], tracks[1][:until])
    assert not np.array_equal(tracks[0][150:], tracks[1][150:])


def test_no_jump_where_chunks_meet(model):
    track, _ = played(model, 2, 60)
    bends = np.abs(np.diff(track[:, :12], 2, axis=0)).max(1)
    phase = [bends[k::CHUNK].mean() for k in range(CHUNK)]
    assert max(phase) < 3 * np.median(phase)
    assert bends.max() < 1.0


def test_channels_stay_within_their_range(model):
    track, _ = played(model, 5, 40)
    assert np.abs(track[:, :14]).max() <= streams.LARGEST
    assert track[:, 14].min() >= 0 and track[:, 14].max() <= 1


@pytest.mark.parametrize("fps", [30.0, 25.0, 15.0])
def test_nothing_comes_late_at_any_rate_of_pictures(model, fps):
    _, stream = played(model, 1, 10, fps=fps)
    assert stream.late == 0


def test_a_picture_costs_a_few_steps_at_most(model, monkeypatch):
    steps = []
    clean = model.network.clean
    monkeypatch.setattr(model.network, "clean", lambda *a: (steps.append(1), clean(*a))[1])
    stream = LifeStream(model, model.usual, 1, Hearing().at)
    for moment in (0.0, 0.1, 0.133, 0.2, 0.9, 5.0, 5.03, 60.0):
        steps.clear()
        stream.at(moment)
        assert len(steps) <= STEPS


def test_a_late_chunk_lets_the_last_movement_die_away(model):
    stream = LifeStream(model, model.usual, 1, Hearing().at)
    before = stream.at(0.0)
    after = [stream.at(0.0 + 0.4 + 0.033 * k) for k in range(3)]
    assert stream.late > 0
    assert np.abs(after[0].smooth - before.smooth).max() < 2.0
    assert np.abs(np.diff([f.smooth for f in after], axis=0)).max() < 0.5
    # And it goes on when chunks are there again.
    later = np.stack([stream.at(0.5 + k / 30).smooth for k in range(60)])
    assert later.std(0).max() > 0.01


def test_after_a_long_gap_the_head_goes_on_from_where_it_was(model):
    stream = LifeStream(model, model.usual, 1, Hearing().at)
    before = [stream.at(k / 30) for k in range(20)][-1]
    after = stream.at(500.0)
    assert np.abs(after.smooth - before.smooth).max() < 1.5


def test_lids_close_fully_and_open_again(model):
    track, _ = played(model, 8, 60)
    lids = track[:, 14]
    begins = np.flatnonzero((lids[1:] > 0.5) & (lids[:-1] <= 0.5))
    assert len(begins) >= 3
    for frame in begins:
        assert lids[frame : frame + 8].max() > 0.75
        assert lids[frame : frame + 12].min() < 0.1


def test_the_more_the_network_leaves_open_the_more_is_drawn_anew():
    row, expected = np.zeros((1, context.WIDTH), np.float32), np.array([0.1, 0.1])
    spreads = []
    for left_open in (0.002, 0.1, 1.0):
        model, codes = random_life(left_open=left_open), []
        for seed in range(40):
            draft = model.draft(row, model.usual.style, expected, np.random.default_rng(seed))
            draft.advance()
            codes.append(draft.code[0, :96])
        spreads.append(float(np.std(codes, axis=0).mean()))
    assert spreads[0] < spreads[1] < spreads[2]
    assert spreads[2] > 1.15 * spreads[0]


def test_eyes_that_went_aside_come_back(model):
    track, _ = played(model, 4, 240)
    away = np.linalg.norm(track[:, 12:14], axis=1) > streams.AWAY
    assert away.any()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], away, [0]])))
    moved = np.linalg.norm(np.diff(track[:, 12:14], axis=0), axis=1) > 1e-6
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        still = np.diff(np.concatenate([[first], first + 1 + np.flatnonzero(moved[first : last - 1]), [last]]))
        assert still.max() <= streams.LONGEST_AWAY_S * FRAMES_PER_S + 2 * CHUNK
