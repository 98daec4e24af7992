"""Splats that no frame shows: nothing taught them a colour, so they go before the replica is written.

Behind hair and under the face a splat keeps what it started with, or what faint gradients through the hair made of it.
A head that moves as the footage never did uncovers it. Without it the plate shows there, which is smooth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.arrange import Arranger
from rendering.engine.gaussians import Gaussians
from rendering.engine.rasterize import cpu
from rendering.engine.rasterize.splats import Splats2D
from rendering.training import scene
from rendering.training.checkpoint import FitState
from rendering.training.config import TrainingConfig
from rendering.training.scene import Geometry

Array = np.ndarray[Any, np.dtype[Any]]
LEAST_SHOWN = 0.05  # of what a splat would show alone, in the frame that shows most of it; at 0.1 pictures get worse
LOOKED_AT = 120  # training frames at most, evenly spread


def without(state: FitState, motion: Geometry, train: Array, config: TrainingConfig) -> Gaussians:
    """The splats of a state that at least one of the looked-at training frames shows, in their old order."""
    chosen = train[np.linspace(0, len(train) - 1, min(len(train), LOOKED_AT)).round().astype(int)]
    splats = state.scene.gaussians
    kept = most_shown(state, motion, chosen, config) >= LEAST_SHOWN
    return Gaussians(
        splats.triangles[kept], np.ascontiguousarray(splats.barycentrics[kept]),
        np.ascontiguousarray(splats.values[kept]))


def most_shown(state: FitState, motion: Geometry, chosen: Array, config: TrainingConfig) -> Array:
    """[N] 0..1 the share of each splat that shows in the frame that shows most of it."""
    own = state.scene
    arranger = Arranger(own.mesh, own.gaussians)
    most = np.zeros(len(own.gaussians), np.float32)
    for index in chosen:
        placed = scene.place(own.mesh, state.follow, motion, index, config.size_px)
        splats = arranger.arrange(placed.vertices, motion.features[index], motion.unit(index)).splats
        np.maximum(most, shown(splats, own.plate), out=most)
    return most


def shown(splats: Splats2D, backdrop: Array) -> Array:
    """[N] 0..1 the share of each splat that nearer ones and the picture's edge leave to be seen.

    The derivative of a picture's sum by a splat's colour is how much of the picture the splat makes.
    """
    drawn = cpu.forward_parallel(splats, backdrop)
    by = cpu.backward_parallel(splats, drawn, np.ones_like(drawn.picture))
    return np.asarray(by.colours[:, 0] / _alone(splats))


def _alone(splats: Splats2D) -> Array:
    """[N] how much of a picture each splat would make alone, in pixels: the integral of its opacity."""
    xx, xy, yy = splats.covariances_px2.T
    area = 2 * np.pi * np.sqrt(np.maximum(xx * yy - xy * xy, 1e-12))
    return np.asarray(np.maximum(area * splats.opacities, 1e-3), np.float32)
