"""What the shipped weights do for a person of whom nothing is known: blinks, seams, ranges, listening."""

import numpy as np
import pytest

from rendering.engine.motion.life.channels import CHUNK, FRAMES_PER_S
from rendering.engine.motion.life.hearing import Hearing
from rendering.engine.motion.life.stream import LARGEST, LifeStream
from rendering.motion_models import SHIPPED_LIFE, life_model

SECONDS = 120

pytestmark = pytest.mark.skipif(not (SHIPPED_LIFE / "life.json").exists(), reason="this copy ships no weights")


def spoken() -> np.ndarray:
    """[N, 4] four syllables a second, every third stressed."""
    beat = np.arange(SECONDS * FRAMES_PER_S) % 8
    stressed = (np.arange(SECONDS * FRAMES_PER_S) // 8) % 3 == 0
    level = np.where(beat < 6, 0.6 + 0.2 * stressed, 0.2)
    return np.stack([level, 0.2 * stressed, beat < 6, stressed * (beat < 6)], axis=1).astype(np.float32)


@pytest.fixture(scope="module", params=["speaking", "listening"])
def track(request) -> np.ndarray:
    model = life_model()
    assert model is not None
    hearing = Hearing()
    if request.param == "speaking":
        hearing.lay(spoken(), 0.0)
    else:
        hearing.listen(True, 0.0)
    stream = LifeStream(model, model.usual, 11, hearing.at)
    frames = [stream.at(k / FRAMES_PER_S) for k in range(SECONDS * FRAMES_PER_S)]
    return np.stack([np.concatenate([f.smooth, f.aim, [f.lids]]) for f in frames])


def test_people_blink_as_often_as_people_do(track):
    lids = track[:, 14]
    begins = np.flatnonzero((lids[1:] > 0.5) & (lids[:-1] <= 0.5))
    assert 8 <= len(begins) / (SECONDS / 60) <= 30
    assert np.diff(begins).min() >= 0.3 * FRAMES_PER_S


def test_heads_move_and_are_hardly_ever_held_at_the_edge(track):
    assert (np.abs(track[:, :12]) >= LARGEST - 1e-3).mean() < 0.02
    assert 0.3 < track[:, :6].std(0).mean() < 2.0


def test_chunks_join_without_a_jump(track):
    bends = np.abs(np.diff(track[:, :6], 2, axis=0)).mean(1)
    phase = [bends[k::CHUNK].mean() for k in range(CHUNK)]
    assert max(phase) < 2.5 * np.median(phase)
