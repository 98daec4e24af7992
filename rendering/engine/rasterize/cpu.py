"""The fast rasteriser for processors: 16x16 tiles, depth order, early stop, with its own backward pass.

`forward` runs in one thread and releases the interpreter lock: a live slot calls it beside other threads, and a
parallel region entered from two threads at once is not safe in every threading layer. `forward_parallel` and
`backward_parallel` are for training, which owns its process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.rasterize import kernels

Array = np.ndarray[Any, np.dtype[Any]]
TILE_PX = kernels.TILE_PX


@dataclass(frozen=True)
class Splats2D:
    """Splats ready to be drawn: N Gaussians on the screen, all float32."""

    means_px: Array  # [N, 2] x right, y down
    covariances_px2: Array  # [N, 3] xx, xy, yy
    colours: Array  # [N, 3]
    opacities: Array  # [N]
    depths: Array  # [N] larger is nearer

    @staticmethod
    def empty(count: int) -> Splats2D:
        """Room for `count` splats, to be filled by a set-up kernel."""
        return Splats2D(
            np.zeros((count, 2), np.float32),
            np.zeros((count, 3), np.float32),
            np.zeros((count, 3), np.float32),
            np.zeros(count, np.float32),
            np.zeros(count, np.float32),
        )


@dataclass(frozen=True)
class Drawn:
    """A picture and what the backward pass needs to replay it."""

    picture: Array  # [H, W, 3] float32
    transmittance: Array  # [H, W] share of the backdrop that shows
    pairs: Array  # [M] splat index of each (tile, splat) pair, tile by tile, near to far
    tile_starts: Array  # [tiles + 1] first pair of each tile
    tile_stops: Array  # [tiles] one past the last pair that was composited (early stop)
    conics: Array  # [N, 3] inverse covariance xx, xy, yy
    reach2: Array  # [N] squared Mahalanobis distance at which alpha falls to the cut


@dataclass(frozen=True)
class SplatGradients:
    """Derivatives of a loss; same shapes as `Splats2D` without depth, and the backdrop's."""

    means_px: Array  # [N, 2]
    covariances_px2: Array  # [N, 3]; the off-diagonal counts both symmetric entries
    colours: Array  # [N, 3]
    opacities: Array  # [N]
    backdrop: Array  # [H, W, 3]


def forward(splats: Splats2D, backdrop: Array) -> Drawn:
    """Draw `splats` over `backdrop` [H, W, 3] float32 in the calling thread."""
    return _draw(splats, backdrop, kernels.composite_serial)


def forward_parallel(splats: Splats2D, backdrop: Array) -> Drawn:
    """The same picture as `forward`, tiles shared among numba's threads."""
    return _draw(splats, backdrop, kernels.composite_parallel)


def _draw(splats: Splats2D, backdrop: Array, composite: Any) -> Drawn:
    height, width = backdrop.shape[:2]
    conics, reach2, boxes = kernels.extents(
        splats.means_px, splats.covariances_px2, splats.opacities, height, width
    )
    order = kernels.depth_order(splats.depths)
    pairs, starts = kernels.bin_tiles(boxes, order, height, width)
    picture = np.empty((height, width, 3), np.float32)
    transmittance = np.empty((height, width), np.float32)
    stops = np.empty(starts.size - 1, np.int64)
    composite(
        splats.means_px, conics, reach2, splats.colours, splats.opacities,
        pairs, starts, stops, backdrop, picture, transmittance,
    )  # fmt: skip
    return Drawn(picture, transmittance, pairs, starts, stops, conics, reach2)


def backward_parallel(splats: Splats2D, drawn: Drawn, picture_gradient: Array) -> SplatGradients:
    """Derivatives of a loss with respect to every input of the drawing, depth excepted.

    Args:
        splats: what was drawn.
        drawn: the result of `forward` or `forward_parallel` for the same splats.
        picture_gradient: [H, W, 3] float32, derivative of the loss by the picture.
    """
    rows = np.zeros((max(1, drawn.pairs.size), kernels.ROW), np.float32)
    kernels.replay_parallel(
        splats.means_px, drawn.conics, drawn.reach2, splats.colours, splats.opacities,
        drawn.pairs, drawn.tile_starts, drawn.tile_stops, drawn.picture, picture_gradient, rows,
    )  # fmt: skip
    sums = kernels.reduce_rows(rows, drawn.pairs, splats.opacities.size)
    covariance_gradient = kernels.conic_to_covariance(drawn.conics, sums[:, 2:5])
    backdrop_gradient = drawn.transmittance[..., None] * picture_gradient
    return SplatGradients(
        np.ascontiguousarray(sums[:, :2]), covariance_gradient, np.ascontiguousarray(sums[:, 5:8]),
        np.ascontiguousarray(sums[:, 8]), backdrop_gradient,
    )  # fmt: skip


def warm_up(*, training: bool = False) -> None:
    """Compile (or load from the cache) every kernel, so that no live frame ever waits for the compiler."""
    splats = Splats2D.empty(2)
    splats.covariances_px2[:] = (4.0, 0.0, 4.0)
    splats.means_px[:] = 8.0
    splats.opacities[:] = 0.5
    backdrop = np.zeros((16, 16, 3), np.float32)
    forward(splats, backdrop)
    if training:
        backward_parallel(splats, forward_parallel(splats, backdrop), backdrop)
