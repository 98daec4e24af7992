"""One frame's way from mesh points to screen splats, step by step: for the fit, and the truth of the live path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import gaussians
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh, lip_lines, triangle_frames
from rendering.engine.rasterize.splats import Splats2D

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Arrangement:
    """Splats of one frame and the triangle frames they were placed with (the fit's backward pass needs them)."""

    splats: Splats2D
    stretches: Array  # [T, 2, 2]
    normals: Array  # [T, 3]
    seen: Array  # [N] share of its opacity that lips leave a splat of the inner mouth; 1 elsewhere
    unit: float  # screen pixels per canonical pixel


class Arranger:
    """Places a person's splats on the screen. Holds its output buffers, so use one per thread."""

    def __init__(self, mesh: Mesh, splats: Gaussians) -> None:
        self._triangles = np.ascontiguousarray(mesh.triangles, np.int32)
        self.layers = np.ascontiguousarray(mesh.layers, np.int32)
        self._inverses = mesh.rest_inverses()
        self._gaussians = splats
        self._out = Splats2D.empty(len(splats))
        self._seen = np.ones(len(splats), np.float32)

    def arrange(self, vertices: Array, features: Array, unit: float) -> Arrangement:
        """Screen splats for mesh points [V, 3] (screen pixels) and features [LAYERS, FEATURES]."""
        stretches, normals = triangle_frames(vertices, self._triangles, self._inverses)
        own, out = self._gaussians, self._out
        gaussians.set_up(
            vertices, self._triangles, stretches, normals, np.float32(unit), features, self.layers,
            lip_lines(vertices), own.triangles, own.barycentrics, own.values,
            out.means_px, out.covariances_px2, out.colours, out.opacities, out.depths, self._seen,
        )  # fmt: skip
        return Arrangement(out, stretches, normals, self._seen, unit)
