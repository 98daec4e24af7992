"""The surface that carries the splats: the face's own 478 points, and a shell for hair, neck and shoulders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.face_space import FACE_LAYER, SHELL_LAYER
from rendering.engine.pose import HeadPose, rotation

Array = np.ndarray[Any, np.dtype[Any]]
THINNEST_PX = 0.5  # rest triangles are treated as at least this high, so that stretching them stays bounded


@dataclass(frozen=True)
class Mesh:
    """V = 478 + S points. The first 478 move with the face; shell points move with the head by their share."""

    rest: Array  # [V, 3] canonical pixels
    triangles: Array  # [T, 3] int32
    head_share: Array  # [S] 1: fixed to the head; 0: stays with the room
    anchor_px: Array  # [2] where the canonical origin stands for points that stay

    def place(self, face: Array, pose: HeadPose) -> Array:
        """Screen points [V, 3] of the training size for canonical face points [478, 3] in a pose."""
        turned = rotation(pose.yaw_rad, pose.pitch_rad, pose.roll_rad) * np.float32(pose.scale)
        shift = np.array([pose.x_px, pose.y_px, 0], np.float32)
        still = self.rest[landmarks.COUNT :] + np.array([*self.anchor_px, 0], np.float32)
        share = self.head_share[:, None]
        carried = self.rest[landmarks.COUNT :] @ turned.T + shift
        placed = np.concatenate([face @ turned.T + shift, share * carried + (1 - share) * still])
        return np.asarray(placed, np.float32)

    def layers(self) -> Array:
        """[T] int32 layer of each triangle: the shell's touch shell points only."""
        shell = self.triangles.min(axis=1) >= landmarks.COUNT
        return np.where(shell, SHELL_LAYER, FACE_LAYER).astype(np.int32)

    def rest_inverses(self) -> Array:
        """[T, 2, 2] inverse of each rest triangle's edges, written in the triangle's own plane."""
        corners = self.rest[self.triangles]
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        length = np.maximum(np.linalg.norm(first, axis=1), THINNEST_PX)
        along = (second * first).sum(1) / length
        height = np.sqrt(np.maximum((second**2).sum(1) - along**2, THINNEST_PX**2))
        inverse = np.zeros((len(corners), 2, 2), np.float32)
        inverse[:, 0, 0] = 1 / length
        inverse[:, 0, 1] = -along / (length * height)
        inverse[:, 1, 1] = 1 / height
        return inverse


def triangle_frames(vertices: Array, triangles: Array, rest_inverses: Array) -> tuple[Array, Array]:
    """How each triangle stands on the screen.

    Returns:
        stretches [T, 2, 2]: from the triangle's own plane to the screen; normals [T, 3]: unit, towards the viewer.
    """
    corners = vertices[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    edges = np.stack([first[:, :2], second[:, :2]], axis=2)
    normals = np.cross(first, second)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    facing = np.where(normals[:, 2:] > 0, -1.0, 1.0)
    return np.ascontiguousarray(edges @ rest_inverses, np.float32), np.asarray(normals * facing, np.float32)
