"""The head of nobody: as many points, shapes and splats as a trained replica, so that drawing it costs the same.

For measuring a machine and for compiling kernels before any person's replica is at hand. It is no likeness and no test
of quality.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import gaussians as g
from rendering.engine import landmarks
from rendering.engine.body import still
from rendering.engine.face_space import FACE, FEATURES, POSE_TERMS, FaceSpace
from rendering.engine.face_space import HEAD as HEAD_LAYER
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.engine.replica import Replica

Array = np.ndarray[Any, np.dtype[Any]]
COLUMNS, ROWS = 44, 40  # of mesh points
SHAPES = 40
HEAD = 0.42  # half the head's height and width as a share of the picture
SPLATS, SIZE_PX = 20_000, 256


def replica(splats: int = SPLATS, size_px: int = SIZE_PX, seed: int = 0) -> Replica:
    """A replica of nobody with so many splats, made for pictures of `size_px`."""
    random = np.random.default_rng(seed)
    points, triangles = _sheet(HEAD * size_px)
    shell = len(points) - landmarks.COUNT
    layers = np.where(triangles.min(axis=1) >= landmarks.COUNT, HEAD_LAYER, FACE).astype(np.int32)
    none = np.zeros(0, np.float32)
    mesh = Mesh(points, triangles, layers, np.ones(shell, np.float32), none, np.full(2, size_px / 2, np.float32))
    plate = np.full((size_px, size_px, 3), 90, np.uint8)
    coupling = np.zeros((3, 3), np.float32)
    facts = {"calibration": {"jaw_gap": 0.1, "emotion_caps_milli": {}}}
    space = _space(points[: landmarks.COUNT], size_px, random)
    bound = _splats(len(triangles), splats, size_px, random)
    return Replica(size_px, space, mesh, still(), bound, plate, coupling, facts)


def _sheet(reach_px: float) -> tuple[Array, Array]:
    """Points [V, 3] of a bulging sheet and its triangles [T, 3]."""
    across, down = np.meshgrid(np.linspace(-1, 1, COLUMNS), np.linspace(-1, 1, ROWS))
    towards = -np.sqrt(np.maximum(0.0, 1 - 0.45 * (across**2 + down**2)))
    points = reach_px * np.stack([across, down, towards], axis=2).reshape(-1, 3)
    corner = (np.arange(ROWS - 1)[:, None] * COLUMNS + np.arange(COLUMNS - 1)).ravel()
    upper = np.stack([corner, corner + 1, corner + COLUMNS], axis=1)
    lower = np.stack([corner + 1, corner + COLUMNS + 1, corner + COLUMNS], axis=1)
    return points.astype(np.float32), np.concatenate([upper, lower]).astype(np.int32)


def _space(face: Array, size_px: int, random: np.random.Generator) -> FaceSpace:
    vector, pose = np.ones(SHAPES, np.float32), np.zeros(6, np.float32)
    pose[3:5] = size_px / 2
    spread = np.array([0.1, 0.1, 0.05, 2.0, 2.0, 0.02], np.float32)
    return FaceSpace(
        mean=face, basis=random.normal(0, 0.003 * size_px, (SHAPES, landmarks.COUNT, 3)).astype(np.float32),
        deviations=vector, lows=-2 * vector, highs=2 * vector,
        pose_shapes=np.zeros((POSE_TERMS, landmarks.COUNT, 3), np.float32), pose_mean=pose, pose_deviations=spread,
        pose_lows=pose - 2 * spread, pose_highs=pose + 2 * spread, neutral=0 * vector,
    )  # fmt: skip


def _splats(triangles: int, count: int, size_px: int, random: np.random.Generator) -> Gaussians:
    values = random.normal(0, 0.02, (count, g.VALUES)).astype(np.float32)
    # As large as it takes to cover the head a few times over, as a fit leaves them.
    values[:, g.LOG_AXES : g.ANGLE] += np.log(1.3 * size_px / 256 * np.sqrt(20_000 / count)) + 0.45 * random.normal(
        size=(count, 2)
    )
    values[:, g.ANGLE] = random.uniform(0, np.pi, count)
    values[:, g.LOGIT] = random.normal(0.0, 1.5, count)
    values[:, g.COLOUR : g.MOVE] = random.uniform(0.2, 0.9, (count, 3))
    assert values.shape[1] == g.MOVE + 5 * FEATURES
    owners = np.sort(random.integers(0, triangles, count)).astype(np.int32)
    return Gaussians(owners, random.dirichlet([1, 1, 1], count).astype(np.float32), values)
