"""Head pose: rotation matrices and angles, and where the head stands on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class HeadPose:
    """Placement of the canonical face on the screen of the training size (orthographic)."""

    yaw_rad: float  # positive: towards the person's own left, which is the right of the picture
    pitch_rad: float  # positive: nose down
    roll_rad: float  # positive: top of the head towards the left of the picture
    x_px: float  # where the face's origin stands
    y_px: float
    scale: float  # 1: the mean size in the footage

    def vector(self) -> Array:
        """[6] yaw, pitch, roll, x, y, log scale: the order used by every per-pose table."""
        return np.array(
            [self.yaw_rad, self.pitch_rad, self.roll_rad, self.x_px, self.y_px, np.log(self.scale)], np.float32
        )

    @staticmethod
    def from_vector(vector: Array) -> HeadPose:
        """The inverse of `vector`."""
        yaw, pitch, roll, x, y, log_scale = (float(value) for value in vector)
        return HeadPose(yaw, pitch, roll, x, y, float(np.exp(log_scale)))


def rotation(yaw_rad: float, pitch_rad: float, roll_rad: float) -> Array:
    """Matrix [3, 3] that turns canonical points (x right, y down, z away) into the screen's axes."""
    cy, sy = np.cos(yaw_rad), np.sin(yaw_rad)
    cp, sp = np.cos(pitch_rad), np.sin(pitch_rad)
    cr, sr = np.cos(roll_rad), np.sin(roll_rad)
    turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt, np.float32)


def angles(matrix: Array) -> tuple[float, float, float]:
    """Yaw, pitch and roll (radians) of a matrix made by `rotation`."""
    pitch = float(np.arcsin(np.clip(-matrix[1, 2], -1, 1)))
    yaw = float(np.arctan2(-matrix[0, 2], matrix[2, 2]))
    roll = float(np.arctan2(-matrix[1, 0], matrix[1, 1]))
    return yaw, pitch, roll
