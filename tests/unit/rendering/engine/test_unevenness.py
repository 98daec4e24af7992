"""The small wandering of the lips: seeded, a function of time, as long and large as training found, never closing."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.mouth.motion import FRAME_S, MEAN_STYLE
from rendering.engine.motion.mouth.spoken import SpokenMouth
from rendering.engine.motion.mouth.unevenness import SHOWN_SHARE, Unevenness, Wandering
from rendering.engine.motion.visemes import CLOSURE, MOUTH
from rendering.speech import VisemeSpan
from tests.common.mouths import shipped_models

SOUNDS = ("sil", "aa", "PP", "E", "SS", "oh", "PP", "iy")
SAID = [VisemeSpan(name, i * 0.1, (i + 1) * 0.1) for i, name in enumerate(SOUNDS)]


def factor() -> np.ndarray:
    """[CLOSURE, CLOSURE] of controls that wander together."""
    random = np.random.default_rng(1)
    return np.tril(0.03 * random.normal(size=(CLOSURE, CLOSURE))).astype(np.float32)


def frames(unevenness: Unevenness, seed: int, count: int) -> np.ndarray:
    wandering = Wandering(unevenness, seed)
    return np.stack([wandering.at(n * FRAME_S) for n in range(count)])


def test_it_has_the_covariance_and_the_memory_it_was_given() -> None:
    rows = np.concatenate([frames(Unevenness(factor(), 0.8), seed, 3000) for seed in range(6)])[:, :CLOSURE]
    asked = SHOWN_SHARE**2 * factor() @ factor().T
    assert np.abs(np.cov(rows.T) - asked).max() < 0.15 * np.diag(asked).max()
    kept = (rows[1:] * rows[:-1]).sum() / (rows**2).sum()
    assert kept == pytest.approx(0.8, abs=0.03)


def test_blocks_join_without_a_seam() -> None:
    rows = frames(Unevenness(factor(), 0.95), 3, 2000)
    steps = np.linalg.norm(np.diff(rows, axis=0), axis=1)
    seams = np.arange(256, 2000, 256) - 1
    assert steps[seams].mean() < 1.6 * steps.mean()


def test_sessions_differ_and_any_order_of_questions_gives_the_same_answers() -> None:
    unevenness = Unevenness(factor(), 0.8)
    forward, other = frames(unevenness, 5, 3000), frames(unevenness, 6, 3000)
    assert np.abs(forward - other).max() > 0.02
    wandering = Wandering(unevenness, 5)
    backward = [wandering.at(n * FRAME_S) for n in range(2999, -1, -1)][::-1]
    assert np.array_equal(forward, backward)
    assert np.isfinite(wandering.at(-2.0)).all()  # before the session began


def test_closing_does_not_wander() -> None:
    assert not frames(Unevenness(factor(), 0.8), 5, 100)[:, CLOSURE].any()
    models = shipped_models()
    plain, uneven = SpokenMouth(models.motion), SpokenMouth(models.motion, MEAN_STYLE, seed=4)
    for mouth in (plain, uneven):
        mouth.add(SAID, 1.0)
    times_s = 1.0 + np.arange(0.0, SAID[-1].end_s, 1 / FRAMES_PER_S / 2)
    still, moved = (np.stack([mouth.at(t) for t in times_s]) for mouth in (plain, uneven))
    assert np.array_equal(still[:, CLOSURE], moved[:, CLOSURE])
    closed = still[:, CLOSURE] > 0.99
    assert closed.any()
    assert np.abs(moved - still)[closed].max() < 0.01
    assert 0.003 < np.abs(moved - still)[:, MOUTH.index("jaw")].mean() < 0.1
    assert not uneven.at(9.0).any()  # nothing is spoken
