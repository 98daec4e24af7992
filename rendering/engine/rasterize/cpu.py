"""The fast rasteriser for processors: 16x16 tiles, depth order, early stop, with its own backward pass.

`forward` runs in one thread and releases the interpreter lock: a live slot calls it beside other threads, and a
parallel region entered from two threads at once is not safe in every threading layer. `forward_parallel` and
`backward_parallel` are for training, which owns its process. `Painter` draws the frames of a live replica.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.face_space import MOUTH
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh, lip_lines
from rendering.engine.rasterize import kernels, records
from rendering.engine.rasterize.splats import Drawn, SplatGradients, Splats2D, smallest_picture

__all__ = ["Drawn", "Painter", "SplatGradients", "Splats2D", "backward_parallel", "forward", "forward_parallel"]

Array = np.ndarray[Any, np.dtype[Any]]
TILE_PX = records.TILE_PX


def forward(splats: Splats2D, backdrop: Array) -> Drawn:
    """Draw `splats` over `backdrop` [H, W, 3] float32 in the calling thread."""
    return _draw(splats, backdrop, kernels.composite_serial)


def forward_parallel(splats: Splats2D, backdrop: Array) -> Drawn:
    """The same picture as `forward`, tiles shared among numba's threads."""
    return _draw(splats, backdrop, kernels.composite_parallel)


def _draw(splats: Splats2D, backdrop: Array, composite: Any) -> Drawn:
    height, width = backdrop.shape[:2]
    rows, boxes = records.from_arrays(
        splats.means_px, splats.covariances_px2, splats.colours, splats.opacities, height, width
    )
    pairs, starts = kernels.bin_tiles(boxes, kernels.depth_order(splats.depths), height, width)
    picture = np.empty((height, width, 3), np.float32)
    transmittance = np.empty((height, width), np.float32)
    stops = np.empty(starts.size - 1, np.int64)
    composite(rows, pairs, starts, stops, backdrop, picture, transmittance)
    return Drawn(picture, transmittance, rows, pairs, starts, stops)


def backward_parallel(splats: Splats2D, drawn: Drawn, picture_gradient: Array) -> SplatGradients:
    """Derivatives of a loss with respect to every input of the drawing, depth excepted.

    Args:
        splats: what was drawn.
        drawn: the result of `forward` or `forward_parallel` for the same splats.
        picture_gradient: [H, W, 3] float32, derivative of the loss by the picture.
    """
    rows = np.zeros((max(1, drawn.pairs.size), kernels.ROW), np.float32)
    kernels.replay_parallel(
        drawn.records, drawn.pairs, drawn.tile_starts, drawn.tile_stops, drawn.picture, picture_gradient, rows
    )
    sums = kernels.reduce_rows(rows, drawn.pairs, splats.opacities.size)
    covariance_gradient = kernels.conic_to_covariance(drawn.records, np.ascontiguousarray(sums[:, 2:5]))
    backdrop_gradient = drawn.transmittance[..., None] * picture_gradient
    return SplatGradients(
        np.ascontiguousarray(sums[:, :2]), covariance_gradient, np.ascontiguousarray(sums[:, 5:8]),
        np.ascontiguousarray(sums[:, 8]), backdrop_gradient,
    )  # fmt: skip


class Painter:
    """Paints one replica's frames over one backdrop, in one thread. Holds its buffers."""

    def __init__(self, mesh: Mesh, splats: Gaussians, backdrop: Array) -> None:
        """`backdrop`: [H, W, 3] float32, as large as the pictures."""
        self._triangles = np.ascontiguousarray(mesh.triangles, np.int32)
        self._inverses = mesh.rest_inverses()
        self._splats, self._backdrop = splats, backdrop
        layers = mesh.layers
        self._prepared = ready = records.prepare(splats, layers)
        self._inside = np.flatnonzero(layers[splats.triangles] == MOUTH).astype(np.int32)
        count = len(splats)
        self._records = np.zeros((count, records.RECORD), np.float32)
        self._records[:, records.LEVEL] = np.log(np.maximum(ready.opacities, records.ALPHA_CUT)) / 8
        self._boxes = np.zeros((count, 4), np.int32)
        self._depths = np.zeros(count, np.float32)
        self._picture = np.empty(backdrop.shape, np.float32)
        self._transmittance = np.empty(backdrop.shape[:2], np.float32)

    def paint(self, vertices: Array, features: Array, unit: float) -> Array:
        """The picture [H, W, 3] uint8 for mesh points [V, 3] (screen pixels), features [layers, F] and a scale."""
        self.place(vertices, features, unit)
        height, width = self._transmittance.shape
        pairs, starts = kernels.bin_tiles(self._boxes, kernels.depth_order(self._depths), height, width)
        stops = np.empty(starts.size - 1, np.int64)
        kernels.composite_serial(
            self._records, pairs, starts, stops, self._backdrop, self._picture, self._transmittance
        )
        return np.asarray(kernels.to_bytes(self._picture))

    def place(self, vertices: Array, features: Array, unit: float) -> None:
        """Bring the splats to where one frame wants them: the first half of `paint`."""
        own, ready = self._splats, self._prepared
        records.from_mesh(
            vertices, self._triangles, self._inverses, np.float32(unit), features, own.triangles, own.barycentrics,
            ready.owners, ready.layers, ready.linear, ready.base, ready.axes, ready.lifts, ready.opacities,
            ready.reaches2, *self._transmittance.shape, self._records, self._boxes, self._depths,
        )  # fmt: skip
        records.hide_behind_lips(
            self._inside, ready.opacities, lip_lines(vertices), np.float32(unit), self._records, self._boxes
        )


def warm_up(*, training: bool = False) -> None:
    """Compile (or load from the cache) every kernel, so that no live frame ever waits for the compiler."""
    splats, backdrop = smallest_picture()
    forward(splats, backdrop)
    if training:
        backward_parallel(splats, forward_parallel(splats, backdrop), backdrop)
