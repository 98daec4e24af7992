"""A small moving face whose landmarks are exact: coloured blobs painted on tracked points, on a plain wall.

It is no likeness; it is footage in which everything the fit must learn (turning, speaking, blinking) happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rendering.engine import landmarks as lm
from rendering.engine.pose import rotation
from rendering.engine.rasterize import cpu

Array = np.ndarray[Any, np.dtype[Any]]
POINTS = Path(__file__).parents[1] / "vectors/rendering/face_points.npy"


@dataclass(frozen=True)
class MovingFace:
    """The part of a tracked clip that training and its checks read."""

    frames: Array  # [T, S, S, 3] uint8
    landmarks: Array  # [T, 478, 3]
    mask: Array | None  # [T, S, S]
    face_count: Array  # [T]
    fps: float = 25.0
    pcm: Array = field(default_factory=lambda: np.zeros(0, np.int16))
    pcm_rate: int = 16_000


def face_points(size_px: int) -> Array:
    """[478, 3] points of a face at rest in a square picture."""
    return np.asarray(np.load(POINTS, allow_pickle=False) * (size_px / 256), np.float32)


def moved(points: Array, t: int) -> Array:
    """The face at frame `t`: it turns, nods, opens its mouth, raises its brows and blinks."""
    eye = np.linalg.norm(points[lm.LEFT_OUTER_EYE] - points[lm.RIGHT_OUTER_EYE])
    face = points - points.mean(0)
    jaw = 0.11 * eye * (1 - np.cos(0.7 * t))
    face[list(lm.LOWER_LIP), 1] += jaw
    face[[lm.CHIN, 148, 377, 176, 400, 175, 199]] += np.array([0, 0.5 * jaw, 0])
    face[list(lm.RIGHT_BROW + lm.LEFT_BROW), 1] -= 0.04 * eye * (1 + np.sin(0.31 * t))
    if t % 11 < 2:
        face[list(lm.RIGHT_UPPER_LID), 1] = face[list(lm.RIGHT_LOWER_LID), 1] - 0.2
        face[list(lm.LEFT_UPPER_LID), 1] = face[list(lm.LEFT_LOWER_LID), 1] - 0.2
    turn = rotation(0.25 * np.sin(0.09 * t), 0.10 * np.sin(0.13 * t + 1), 0.06 * np.sin(0.11 * t + 2))
    return np.asarray(face @ turn.T + points.mean(0) + [1.5 * np.sin(0.07 * t), np.sin(0.1 * t), 0], np.float32)


def record(frames: int = 90, size_px: int = 64, seed: int = 3) -> MovingFace:
    """A clip of so many frames."""
    random = np.random.default_rng(seed)
    points = face_points(size_px)
    blobs = random.choice(lm.COUNT, 160, replace=False)
    colours = random.uniform(0.1, 1.0, (len(blobs), 3))
    wall = np.full((size_px, size_px, 3), 0.5, np.float32)
    wall[:, : size_px // 2] = 0.35
    tracks = np.stack([moved(points, t) for t in range(frames)])
    pictures, masks = [], []
    for track in tracks:
        splats = cpu.Splats2D.empty(len(blobs))
        splats.means_px[:] = track[blobs, :2]
        splats.covariances_px2[:] = np.array([2.2, 0.0, 2.2]) * (size_px / 64) ** 2
        splats.colours[:] = colours
        splats.opacities[:] = 0.9
        splats.depths[:] = -track[blobs, 2]
        drawn = cpu.forward(splats, wall)
        pictures.append((drawn.picture.clip(0, 1) * 255).round().astype(np.uint8))
        masks.append(((drawn.transmittance < 0.9) * 255).astype(np.uint8))
    return MovingFace(np.stack(pictures), tracks, np.stack(masks), np.ones(frames, np.uint8))
