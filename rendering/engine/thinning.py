"""Fewer splats for a machine that cannot draw all: the same share of every triangle stays, and grows to cover.

Dropping what shows least of the whole picture would take mouth and eyes first, whose splats are many and small.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import gaussians as g
from rendering.engine.gaussians import Gaussians

Array = np.ndarray[Any, np.dtype[Any]]
MOST_GROWTH = 1.6  # of a splat's axes


def thinned(splats: Gaussians, most: int | None) -> Gaussians:
    """At most so many splats, in their old order. Of each triangle those stay that show most (opacity times area)."""
    if most is None or most >= len(splats):
        return splats
    shown = np.exp(_log_shown(splats.values))
    kept = np.sort(np.argsort(_standing(splats.triangles, shown), kind="stable")[:most])
    owners, values = splats.triangles[kept], splats.values[kept]
    count = int(splats.triangles.max()) + 1
    before = np.bincount(splats.triangles, shown, count)[owners]
    after = np.bincount(owners, shown[kept], count)[owners]
    growth = np.minimum(np.sqrt(before / after), MOST_GROWTH)
    values[:, g.LOG_AXES : g.ANGLE] += np.log(growth)[:, None]
    return Gaussians(owners, splats.barycentrics[kept], np.ascontiguousarray(values, np.float32))


def _standing(owners: Array, shown: Array) -> Array:
    """[N] 0..1 place of each splat among those of its triangle, the one that shows most first."""
    order = np.lexsort((-shown, owners))
    sorted_owners = owners[order]
    firsts = np.flatnonzero(np.r_[True, sorted_owners[1:] != sorted_owners[:-1]])
    sizes = np.diff(np.r_[firsts, len(owners)])
    ranks = np.arange(len(owners)) - np.repeat(firsts, sizes)
    standing = np.empty(len(owners))
    standing[order] = (ranks + 0.5) / np.repeat(sizes, sizes)
    return standing


def _log_shown(values: Array) -> Array:
    """[N] logarithm of opacity times area."""
    opacity = -np.logaddexp(0.0, -values[:, g.LOGIT].astype(np.float64))
    return np.asarray(values[:, g.LOG_AXES] + values[:, g.LOG_AXES + 1] + opacity)
