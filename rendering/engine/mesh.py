"""The surface that carries the splats: the face's own 478 points, a shell of head and torso, and the inner mouth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.pose import rotation

Array = np.ndarray[Any, np.dtype[Any]]
THINNEST_PX = 0.5  # rest triangles are treated as at least this high, so that stretching them stays bounded


@dataclass(frozen=True)
class Mesh:
    """V = 478 + S + M points: the face's, the shell's (head and torso), the inner mouth's.

    The face's points move with the face. A shell point goes by its share with the skull and by the rest with the torso.
    An inner mouth point is fixed to the head and goes with the jaw by its share: teeth do not stretch.
    """

    rest: Array  # [V, 3] canonical pixels
    triangles: Array  # [T, 3] int32
    layers: Array  # [T] int32: FACE, HEAD, TORSO or MOUTH of `face_space`
    head_share: Array  # [S] 1: fixed to the skull; 0: to the torso
    jaw_share: Array  # [M] 0: upper teeth; 1: lower teeth
    anchor_px: Array  # [2] where the canonical origin stands for a torso that has not moved

    def place(self, face: Array, pose_vector: Array, skull_vector: Array, torso: Array) -> Array:
        """Screen points [V, 3] of the training size.

        Args:
            face: [478, 3] canonical face points. pose_vector: [6] of the face, as `HeadPose.vector`.
            skull_vector: [6] of what is fixed to the skull. torso: [3] shift right and down (px) and log scale.
        """
        first, last = landmarks.COUNT, landmarks.COUNT + len(self.head_share)
        shell = self.rest[first:last]
        share = self.head_share[:, None]
        upright = shell * np.float32(np.exp(torso[2]))
        upright[:, :2] += self.anchor_px + torso[:2]
        inside = self.rest[last:] + self.jaw_share[:, None] * self.jaw_move(face)
        placed = [
            turned(face, pose_vector),
            share * turned(shell, skull_vector) + (1 - share) * upright,
            turned(inside, pose_vector),
        ]
        return np.asarray(np.concatenate(placed), np.float32)

    def jaw_move(self, face: Array) -> Array:
        """[3] how far the lower jaw has moved from rest, canonical pixels."""
        jaw = list(landmarks.JAW)
        return np.asarray((face[jaw] - self.rest[jaw]).mean(0), np.float32)

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


def turned(points: Array, pose_vector: Array) -> Array:
    """Canonical points [N, 3] on the screen in a pose [6]."""
    yaw, pitch, roll, x, y, log_scale = (float(value) for value in pose_vector)
    matrix = rotation(yaw, pitch, roll) * np.float32(np.exp(log_scale))
    return np.asarray(points @ matrix.T + np.array([x, y, 0], np.float32), np.float32)


def lip_lines(vertices: Array) -> Array:
    """[2, 11, 2] edge of the upper and of the lower lip on the screen, corner to corner, left to right."""
    lines = np.stack([vertices[list(landmarks.UPPER_OPENING), :2], vertices[list(landmarks.LOWER_OPENING), :2]])
    return np.ascontiguousarray(lines, np.float32)


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
