"""Builds the mesh: Delaunay triangles on the face, sheets for head, torso and inner mouth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.face_space import FACE, HEAD, MOUTH, TORSO
from rendering.engine.mesh import Mesh

Array = np.ndarray[Any, np.dtype[Any]]
SHELL_STEP = 1 / 16  # of the picture's side
SHELL_MARGIN = 2  # grid steps beyond the picture, so that turning the head uncovers no edge
HANGING = 0.3  # how far what hangs down before the chest still goes with the skull
MOUTH_COLUMNS, MOUTH_ROWS = 9, 4


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


def build(rest_face: Array, anchor_px: Array, size_px: int) -> Mesh:
    """The whole mesh for a rest face [478, 3] whose origin stands at `anchor_px`: face, head, torso, inner mouth."""
    skin = outside_mouth(delaunay(rest_face[:, :2]), rest_face)
    sheets = [head(rest_face, anchor_px, size_px), torso(rest_face, anchor_px, size_px)]
    inside = [upper_teeth(rest_face), lower_teeth(rest_face), throat(rest_face)]
    points, triangles, layers = [rest_face], [skin], [np.full(len(skin), FACE)]
    first = landmarks.COUNT
    for layer, sheet in zip((HEAD, TORSO, MOUTH, MOUTH, MOUTH), sheets + inside, strict=True):
        points.append(sheet.points)
        triangles.append(sheet.triangles + first)
        layers.append(np.full(len(sheet.triangles), layer))
        first += len(sheet.points)
    return Mesh(
        np.concatenate(points).astype(np.float32), np.concatenate(triangles).astype(np.int32),
        np.concatenate(layers).astype(np.int32), np.concatenate([sheet.share for sheet in sheets]),
        np.concatenate([sheet.share for sheet in inside]), anchor_px.astype(np.float32),
    )  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """A grid of points: [P, 3], triangles [U, 3], and how far each point goes with the skull or jaw [P]."""

    points: Array
    triangles: Array
    share: Array


def outside_mouth(triangles: Array, rest_face: Array) -> Array:
    """The triangles that do not span the opening of the lips: there the inner mouth shows instead."""
    ring = np.array([*landmarks.UPPER_OPENING, *landmarks.LOWER_OPENING[-2:0:-1]])
    spans = np.isin(triangles, ring).all(1) & inside(rest_face[ring, :2], rest_face[triangles, :2].mean(1))
    return np.asarray(triangles[~spans])


def inside(outline: Array, points: Array) -> Array:
    """[...] whether points [..., 2] lie within a closed outline [P, 2] (even-odd rule)."""
    x, y = points[..., 0, None], points[..., 1, None]
    ends = np.roll(outline, -1, axis=0)
    crosses = (outline[:, 1] > y) != (ends[:, 1] > y)
    slope = (ends[:, 0] - outline[:, 0]) / np.where(ends[:, 1] == outline[:, 1], 1e-9, ends[:, 1] - outline[:, 1])
    hits = crosses & (x < outline[:, 0] + slope * (y - outline[:, 1]))
    return np.asarray(hits.sum(-1) % 2 == 1)


def head(rest_face: Array, anchor_px: Array, size_px: int) -> Sheet:
    """Hair, ears and neck: a cap over the skull that ends in the plane of the ears and hangs down to the chest."""
    step = size_px * SHELL_STEP
    x, y = _grid(size_px, anchor_px, step)
    face_height = rest_face[landmarks.CHIN, 1] - rest_face[landmarks.FACE_OVAL[0], 1]
    y = y[y <= rest_face[landmarks.CHIN, 1] + 1.1 * face_height + step]
    columns, rows = (plane.ravel() for plane in np.meshgrid(x, y))
    share = head_share(rest_face, rows)
    depth = shell_depth(rest_face, columns, rows)
    return Sheet(np.column_stack([columns, rows, depth]), _cells(len(x), len(y)), share)


def torso(rest_face: Array, anchor_px: Array, size_px: int) -> Sheet:
    """Shoulders and chest, behind the head: a plane from the mouth's height down."""
    step = size_px * SHELL_STEP
    x, y = _grid(size_px, anchor_px, step)
    y = y[y >= rest_face[landmarks.UPPER_OPENING[5], 1] - step]
    if len(y) < 2:  # so near that no shoulder is in the picture
        y = np.array([y.max(initial=rest_face[landmarks.CHIN, 1]), y.max(initial=rest_face[landmarks.CHIN, 1]) + step])
    columns, rows = (plane.ravel() for plane in np.meshgrid(x, y))
    behind = shell_depth(rest_face, np.array([1e6]), np.array([1e6]))[0] + 0.5 * _height(rest_face)
    points = np.column_stack([columns, rows, np.full(len(columns), behind)])
    return Sheet(points, _cells(len(x), len(y)), np.zeros(len(columns), np.float32))


def _grid(size_px: int, anchor_px: Array, step: float) -> tuple[Array, Array]:
    """Columns and rows of a grid over the picture and a margin, canonical pixels."""
    lines = np.arange(-SHELL_MARGIN, round(size_px / step) + SHELL_MARGIN + 1) * step
    return lines - anchor_px[0], lines - anchor_px[1]


def _cells(columns: int, rows: int) -> Array:
    """Two triangles for each cell of a grid whose points are listed row by row."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.column_stack([corner, corner + 1, corner + columns])
    lower = np.column_stack([corner + 1, corner + columns + 1, corner + columns])
    return np.concatenate([upper, lower])


def _inner(rest_face: Array, top: float, bottom: float, behind: float, shares: tuple[float, float]) -> Sheet:
    """A sheet across the opening of the lips at rest; heights in openings from the upper lip's edge downwards."""
    upper, lower = rest_face[list(landmarks.UPPER_OPENING)], rest_face[list(landmarks.LOWER_OPENING)]
    gap = float((lower[1:-1, 1] - upper[1:-1, 1]).mean())
    across = np.linspace(-0.08, 1.08, MOUTH_COLUMNS)
    left, right = upper[0], upper[-1]
    middle = left + across[:, None] * (right - left)
    heights = np.linspace(top, bottom, MOUTH_ROWS)
    lip = np.interp(middle[:, 0], upper[:, 0], upper[:, 1])
    y = lip[None] + gap * heights[:, None]
    depth = upper[1:-1, 2].mean() + behind * np.linalg.norm(right - left) + 0 * y
    points = np.column_stack([np.tile(middle[:, 0], MOUTH_ROWS), y.ravel(), depth.ravel()])
    share = np.repeat(np.linspace(*shares, MOUTH_ROWS), MOUTH_COLUMNS).astype(np.float32)
    return Sheet(points, _cells(MOUTH_COLUMNS, MOUTH_ROWS), share)


def upper_teeth(rest_face: Array) -> Sheet:
    """Behind the upper lip; fixed to the skull."""
    return _inner(rest_face, -0.5, 0.9, 0.1, (0.0, 0.0))


def lower_teeth(rest_face: Array) -> Sheet:
    """Behind the lower lip, with the tongue on them; goes with the jaw."""
    return _inner(rest_face, 0.1, 1.5, 0.14, (1.0, 1.0))


def throat(rest_face: Array) -> Sheet:
    """The dark behind both; stretches as the jaw opens."""
    return _inner(rest_face, -0.3, 1.3, 0.25, (0.0, 1.0))


def head_share(rest_face: Array, y: Array) -> Array:
    """1 beside and above the chin, falling smoothly to HANGING at the shoulders, 0.7 face heights further down."""
    top, chin = rest_face[landmarks.FACE_OVAL[0], 1], rest_face[landmarks.CHIN, 1]
    below = np.clip((y - (chin - 0.1 * (chin - top))) / (0.8 * (chin - top)), 0, 1)
    return np.asarray(1 - (1 - HANGING) * below * below * (3 - 2 * below), np.float32)


def _height(rest_face: Array) -> float:
    return float(np.ptp(rest_face[list(landmarks.FACE_OVAL), 1]))


def shell_depth(rest_face: Array, x: Array, y: Array) -> Array:
    """Depth of the head's shell: a cap over the skull that ends just behind the plane of the ears."""
    oval = rest_face[list(landmarks.FACE_OVAL)]
    ears = float(rest_face[[234, 454], 2].mean())
    nearest = float(oval[:, 2].min())
    half_width = 0.62 * float(np.ptp(oval[:, 0]))
    height = _height(rest_face)
    centre_y = float(oval[:, 1].min()) + 0.42 * height
    radius2 = (x / half_width) ** 2 + ((y - centre_y) / (0.78 * height)) ** 2
    bulge = np.sqrt(np.clip(1 - radius2, 0, 1))
    # The cap stays behind the face's own points, which cover it.
    return np.asarray(ears + 0.15 * height - bulge * 0.6 * (ears - nearest))
