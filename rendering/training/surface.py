"""Builds the mesh: Delaunay triangles on the face, and a shell grid for hair, neck and shoulders."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.mesh import Mesh

Array = np.ndarray[Any, np.dtype[Any]]
SHELL_STEP = 1 / 16  # of the picture's side
SHELL_MARGIN = 2  # grid steps beyond the picture, so that turning the head uncovers no edge


def delaunay(points: Array) -> Array:
    """Delaunay triangles [T, 3] of plane points [N, 2] by Bowyer and Watson's insertion."""
    random = np.random.default_rng(0)
    span = float(np.ptp(points, axis=0).max())
    middle = points.mean(0)
    # Equal or aligned points have no unique triangulation; a shift far below a pixel settles it.
    shaken = points + random.normal(0, 1e-5 * span, points.shape)
    outer = middle + span * 50 * np.array([[-1.0, -1.0], [1.0, -1.0], [0.0, 1.5]])
    every = np.concatenate([shaken, outer]).astype(np.float64)
    count = len(points)
    triangles = np.array([[count, count + 1, count + 2]])
    circles = _circumcircles(every[triangles])
    for index in range(count):
        inside = ((circles[:, :2] - every[index]) ** 2).sum(1) < circles[:, 2]
        edges = triangles[inside][:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        _, first, seen = np.unique(np.sort(edges, axis=1), axis=0, return_index=True, return_counts=True)
        border = edges[first[seen == 1]]
        fresh = np.column_stack([border, np.full(len(border), index)])
        triangles = np.concatenate([triangles[~inside], fresh])
        circles = np.concatenate([circles[~inside], _circumcircles(every[fresh])])
    return np.asarray(triangles[(triangles < count).all(1)], np.int32)


def _circumcircles(corners: Array) -> Array:
    """[T, 3] centre x, centre y and squared radius of the circles through three points [T, 3, 2]."""
    b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    double = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    double = np.where(np.abs(double) < 1e-300, 1e-300, double)
    bb, cc = (b**2).sum(1), (c**2).sum(1)
    x = (c[:, 1] * bb - b[:, 1] * cc) / double
    y = (b[:, 0] * cc - c[:, 0] * bb) / double
    return np.column_stack([corners[:, 0, 0] + x, corners[:, 0, 1] + y, x * x + y * y])


def build(rest_face: Array, anchor_px: Array, size_px: int) -> tuple[Mesh, int]:
    """The whole mesh for a rest face [478, 3] whose origin stands at `anchor_px`.

    Returns:
        the mesh, and how many of its triangles (the first ones) belong to the face.
    """
    face_triangles = delaunay(rest_face[:, :2])
    points, triangles, share = shell(rest_face, anchor_px, size_px)
    mesh = Mesh(
        np.concatenate([rest_face, points]).astype(np.float32),
        np.concatenate([face_triangles, triangles + landmarks.COUNT]).astype(np.int32),
        share,
        anchor_px.astype(np.float32),
    )
    return mesh, len(face_triangles)


def shell(rest_face: Array, anchor_px: Array, size_px: int) -> tuple[Array, Array, Array]:
    """A grid behind the face: points [S, 3], triangles [U, 3] and how far each point goes with the head [S]."""
    step = size_px * SHELL_STEP
    lines = np.arange(-SHELL_MARGIN, round(1 / SHELL_STEP) + SHELL_MARGIN + 1) * step
    x, y = np.meshgrid(lines - anchor_px[0], lines - anchor_px[1])
    share = head_share(rest_face, x.ravel(), y.ravel())
    points = np.column_stack([x.ravel(), y.ravel(), shell_depth(rest_face, x.ravel(), y.ravel(), share)])
    side = len(lines)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    upper = np.column_stack([corner, corner + 1, corner + side])
    lower = np.column_stack([corner + 1, corner + side + 1, corner + side])
    return points.astype(np.float32), np.concatenate([upper, lower]), share


def head_share(rest_face: Array, x: Array, y: Array) -> Array:
    """1 beside and above the chin, falling smoothly to 0 at the shoulders, 0.7 face heights further down."""
    top, chin = rest_face[landmarks.FACE_OVAL[0], 1], rest_face[landmarks.CHIN, 1]
    below = np.clip((y - (chin - 0.1 * (chin - top))) / (0.8 * (chin - top)), 0, 1)
    return np.asarray(1 - below * below * (3 - 2 * below), np.float32)


def shell_depth(rest_face: Array, x: Array, y: Array, share: Array) -> Array:
    """Depth of the shell: a cap over the head that ends in the plane of the ears, and the body farther away."""
    oval = rest_face[list(landmarks.FACE_OVAL)]
    ears = float(rest_face[[234, 454], 2].mean())
    nearest = float(oval[:, 2].min())
    half_width = 0.62 * float(np.ptp(oval[:, 0]))
    height = float(np.ptp(oval[:, 1]))
    centre_y = float(oval[:, 1].min()) + 0.42 * height
    radius2 = (x / half_width) ** 2 + ((y - centre_y) / (0.78 * height)) ** 2
    bulge = np.sqrt(np.clip(1 - radius2, 0, 1))
    # The cap stays behind the face's own points, which cover it.
    return np.asarray(ears + 0.15 * height - bulge * 0.6 * (ears - nearest) + (1 - share) * 0.5 * height)
