"""The test vectors of every rasteriser: splats on the screen, and splats bound to a mesh of all layers."""

from __future__ import annotations

import numpy as np

from rendering.engine import gaussians as g
from rendering.engine import landmarks as lm
from rendering.engine.face_space import FEATURES, LAYERS
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.engine.rasterize.splats import Splats2D

SIZE = 48


def scene(seed: int = 5, count: int = 300) -> tuple[Splats2D, np.ndarray]:
    random = np.random.default_rng(seed)
    angle = random.uniform(0, np.pi, count)
    axes = random.uniform(0.8, 5.0, (count, 2)) ** 2
    xx = axes[:, 0] * np.cos(angle) ** 2 + axes[:, 1] * np.sin(angle) ** 2
    yy = axes[:, 0] * np.sin(angle) ** 2 + axes[:, 1] * np.cos(angle) ** 2
    xy = (axes[:, 0] - axes[:, 1]) * np.cos(angle) * np.sin(angle)
    splats = Splats2D(
        random.uniform(-4, SIZE + 4, (count, 2)).astype(np.float32),
        np.stack([xx, xy, yy], 1).astype(np.float32),
        random.uniform(0, 1, (count, 3)).astype(np.float32),
        random.uniform(0.05, 0.98, count).astype(np.float32),
        random.permutation(count).astype(np.float32),
    )
    return splats, random.uniform(0, 1, (SIZE, SIZE, 3)).astype(np.float32)


BOUND_SIZE = 96
GRID = 24  # 576 points: the face's 478 and some of the shell's
COUNT = 700  # fills no block of either layer exactly


def bound_splats(seed: int = 3) -> tuple[Mesh, Gaussians, np.ndarray, np.ndarray]:
    """A bulging sheet with splats all over it, its points on the screen, and features of all layers."""
    random = np.random.default_rng(seed)
    across, down = np.meshgrid(np.linspace(8, BOUND_SIZE - 8, GRID), np.linspace(8, BOUND_SIZE - 8, GRID))
    points = np.stack([across, down, 0.01 * (across - BOUND_SIZE / 2) ** 2], axis=2).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(GRID - 1)[:, None] * GRID + np.arange(GRID - 1)).ravel()
    triangles = np.concatenate([
        np.stack([corner, corner + 1, corner + GRID], 1), np.stack([corner + 1, corner + GRID + 1, corner + GRID], 1),
    ]).astype(np.int32)  # fmt: skip
    layers = random.integers(0, LAYERS, len(triangles)).astype(np.int32)
    # Lips wide open over half the sheet, so that some splats of the inner mouth show and some are hidden.
    across_mouth = np.linspace(20, BOUND_SIZE - 20, len(lm.UPPER_OPENING))
    points[list(lm.UPPER_OPENING), :2] = np.stack([across_mouth, np.full_like(across_mouth, 30)], 1)
    points[list(lm.LOWER_OPENING)[1:-1], :2] = np.stack([across_mouth, np.full_like(across_mouth, 60)], 1)[1:-1]
    shell = np.zeros(GRID * GRID - lm.COUNT, np.float32)
    mesh = Mesh(points, triangles, layers, shell, shell[:0], np.zeros(2, np.float32))
    values = random.normal(0, 0.3, (COUNT, g.VALUES)).astype(np.float32)
    values[:, g.LOGIT] = random.normal(0, 3, COUNT)  # some so faint that they are never drawn
    values[:, g.COLOUR : g.MOVE] = random.random((COUNT, 3))
    values[:, g.MOVE :] *= 0.2
    owners = random.integers(0, len(triangles), COUNT).astype(np.int32)
    splats = Gaussians(owners, random.dirichlet([1, 1, 1], COUNT).astype(np.float32), values)
    placed = points + random.normal(0, 0.7, points.shape).astype(np.float32)
    return mesh, splats, placed, random.normal(size=(LAYERS, FEATURES)).astype(np.float32)
