"""Splats bound to the mesh, and the kernel that turns them into screen Gaussians for one frame.

All trainable numbers of a splat stand in one row of `values`, so that one optimiser pass touches each row once:
    0:3   offset from its point on the triangle: two in the triangle's plane, one along the normal (canonical px)
    3:5   log of the two axes (canonical px)      5  angle of the first axis (rad)      6  logit of the opacity
    7:10  colour     then FEATURES x 2 linear moves in the plane, then FEATURES x 3 linear tints
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from rendering.engine.face_space import FEATURES, MOUTH

Array = np.ndarray[Any, np.dtype[Any]]
OFFSET, LOG_AXES, ANGLE, LOGIT, COLOUR, MOVE = 0, 3, 5, 6, 7, 10
TINT = MOVE + 2 * FEATURES
VALUES = TINT + 3 * FEATURES
LIP_SOFTNESS = np.float32(1.2)  # canonical px over which the inner mouth fades at the edge of the lips
BLUR_PX2 = np.float32(0.08)  # added to the covariance's diagonal: a splat never falls between two pixels


@dataclass(frozen=True)
class Gaussians:
    """N splats bound to a mesh."""

    triangles: Array  # [N] int32, the triangle each splat sits on
    barycentrics: Array  # [N, 3] float32
    values: Array  # [N, VALUES] float32

    def __len__(self) -> int:
        return int(self.triangles.size)


@njit(cache=True, nogil=True, fastmath=True)
def seen_between(x, y, lips, soft):
    """0..1 how much of a point shows between the lips' edges [2, P, 2], which run from left to right.

    Nothing shows through closed lips, whatever stands behind them; the change takes `soft` pixels.
    """
    last = lips.shape[1] - 1
    if x <= lips[0, 0, 0] or x >= lips[0, last, 0]:
        return np.float32(0.0)
    edges = np.zeros(2, np.float32)
    for line in range(2):
        k = 1
        while k < last and lips[line, k, 0] < x:
            k += 1
        span = max(lips[line, k, 0] - lips[line, k - 1, 0], np.float32(1e-3))
        part = min(max((x - lips[line, k - 1, 0]) / span, np.float32(0.0)), np.float32(1.0))
        edges[line] = lips[line, k - 1, 1] + part * (lips[line, k, 1] - lips[line, k - 1, 1])
    half = np.float32(0.5)
    below = min(max((y - edges[0]) / soft + half, np.float32(0.0)), np.float32(1.0))
    above = min(max((edges[1] - y) / soft + half, np.float32(0.0)), np.float32(1.0))
    return below * above * min(max((edges[1] - edges[0]) / soft, np.float32(0.0)), np.float32(1.0))


@njit(cache=True, nogil=True, fastmath=True)
def set_up(
    vertices, mesh_triangles, stretches, normals, unit, features, layers, lips, owner, barycentrics, values,
    means, covariances, colours, opacities, depths, seen,
):  # fmt: skip
    """Fill the screen Gaussians of one frame.

    Args:
        vertices: [V, 3] screen points; mesh_triangles [T, 3]; stretches [T, 2, 2], normals [T, 3] of this frame.
        unit: screen pixels per canonical pixel. features: [LAYERS, FEATURES].
        layers: [T] the layer of each triangle. lips: [2, P, 2] edges of the lips on the screen.
        owner, barycentrics, values: the splats (`Gaussians`).
        means, covariances, colours, opacities, depths: outputs, shaped as in `Splats2D`.
        seen: [N] output, share of the opacity that is left: below 1 for what lips hide of the inner mouth.
    """
    count_features = features.shape[1]
    for i in range(owner.size):
        t = owner[i]
        layer = layers[t]
        x = y = z = np.float32(0.0)
        for corner in range(3):
            v = mesh_triangles[t, corner]
            x += barycentrics[i, corner] * vertices[v, 0]
            y += barycentrics[i, corner] * vertices[v, 1]
            z += barycentrics[i, corner] * vertices[v, 2]
        u, w, lift = values[i, OFFSET], values[i, OFFSET + 1], values[i, OFFSET + 2] * unit
        r, g, b = values[i, COLOUR], values[i, COLOUR + 1], values[i, COLOUR + 2]
        for k in range(count_features):
            f = features[layer, k]
            u += values[i, MOVE + 2 * k] * f
            w += values[i, MOVE + 2 * k + 1] * f
            r += values[i, TINT + 3 * k] * f
            g += values[i, TINT + 3 * k + 1] * f
            b += values[i, TINT + 3 * k + 2] * f
        j00, j01, j10, j11 = stretches[t, 0, 0], stretches[t, 0, 1], stretches[t, 1, 0], stretches[t, 1, 1]
        means[i, 0] = x + j00 * u + j01 * w + lift * normals[t, 0]
        means[i, 1] = y + j10 * u + j11 * w + lift * normals[t, 1]
        depths[i] = -(z + lift * normals[t, 2])
        c, s = math.cos(values[i, ANGLE]), math.sin(values[i, ANGLE])
        long, short = math.exp(values[i, LOG_AXES]), math.exp(values[i, LOG_AXES + 1])
        m00, m01 = (j00 * c + j01 * s) * long, (j01 * c - j00 * s) * short
        m10, m11 = (j10 * c + j11 * s) * long, (j11 * c - j10 * s) * short
        covariances[i, 0] = m00 * m00 + m01 * m01 + BLUR_PX2
        covariances[i, 1] = m00 * m10 + m01 * m11
        covariances[i, 2] = m10 * m10 + m11 * m11 + BLUR_PX2
        colours[i, 0], colours[i, 1], colours[i, 2] = r, g, b
        seen[i] = np.float32(1.0)
        if layer == MOUTH:
            seen[i] = seen_between(means[i, 0], means[i, 1], lips, LIP_SOFTNESS * unit)
        opacities[i] = seen[i] / (np.float32(1.0) + math.exp(-values[i, LOGIT]))
