"""Fewer splats: every triangle keeps its share, what shows most stays, and the rest grows into the gaps."""

from __future__ import annotations

import numpy as np

from rendering.engine import gaussians as g
from rendering.engine.gaussians import Gaussians
from rendering.engine.thinning import thinned

FOUR = 4  # splats of each triangle below


def splats() -> Gaussians:
    """A triangle of large splats and one of small ones, four on each, of falling opacity."""
    values = np.zeros((2 * FOUR, g.VALUES), np.float32)
    values[:FOUR, g.LOG_AXES : g.ANGLE] = 2.0
    values[:, g.LOGIT] = np.tile([2.0, 1.0, 0.0, -1.0], 2)
    owners = np.repeat([0, 1], FOUR).astype(np.int32)
    return Gaussians(owners, np.full((2 * FOUR, 3), 1 / 3, np.float32), values)


def test_small_splats_keep_their_share() -> None:
    kept = thinned(splats(), 4)
    assert kept.triangles.tolist() == [0, 0, 1, 1]
    assert kept.values[:, g.LOGIT].tolist() == [2.0, 1.0, 2.0, 1.0]
    largest = np.argsort(-splats().values[:, g.LOG_AXES], kind="stable")[:4]
    assert set(splats().triangles[largest]) == {0}  # what size alone would have kept


def test_what_stays_covers_what_went() -> None:
    def shown(given: Gaussians) -> float:
        area = np.exp(given.values[:, g.LOG_AXES] + given.values[:, g.LOG_AXES + 1])
        return float((area / (1 + np.exp(-given.values[:, g.LOGIT]))).sum())

    before, after = splats(), thinned(splats(), 4)
    assert abs(shown(after) / shown(before) - 1) < 1e-3
    assert (after.values[:, g.LOG_AXES] > np.array([2.0, 2.0, 0.0, 0.0])).all()


def test_all_stay_where_all_may() -> None:
    given = splats()
    assert thinned(given, None) is thinned(given, 8) is thinned(given, 100) is given
    before = given.values.copy()
    thinned(given, 3)
    assert np.array_equal(given.values, before)
