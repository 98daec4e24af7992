"""How skull and torso go with the tracked face: what the footage taught about hair, neck and shoulders.

A pose fitted to facial landmarks is not quite the pose of the skull behind them, and the shoulders follow neither. Both
are read off the pose by a linear map of its terms, which the fit learns from the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.face_space import FEATURE_LIMIT, FaceSpace

Array = np.ndarray[Any, np.dtype[Any]]
PRODUCTS = 11
TERMS = 1 + PRODUCTS + 6  # a constant, products of pose numbers, the pose numbers
SKULL, TORSO = slice(0, 6), slice(6, 9)
PLACES = 9  # change of the skull's pose vector; the torso's x and y (px) and log scale
BREATH = 7  # the torso's y


@dataclass(frozen=True)
class Body:
    """One person's skull and torso. All float32."""

    by_pose: Array  # [PLACES, TERMS]
    breath_px: Array  # [1] how far the shoulders rise and fall with a breath, half of the whole way

    def places(self, pose_vector: Array, terms: Array, extra: Array) -> tuple[Array, Array]:
        """Pose vector of the skull [6] and place of the torso [3] for pose terms [TERMS] and `extra` [PLACES]."""
        moved = self.by_pose @ terms + extra
        return pose_vector + moved[SKULL], moved[TORSO]

    def breathing(self, breath: float) -> Array:
        """[PLACES] what a breath adds; `breath`: -1 (out) .. 1 (in)."""
        extra = np.zeros(PLACES, np.float32)
        extra[BREATH] = -breath * self.breath_px[0]
        return extra


def still() -> Body:
    """Skull and torso that follow the pose as it is: where a fit starts."""
    return Body(np.zeros((PLACES, TERMS), np.float32), np.zeros(1, np.float32))


def terms(space: FaceSpace, pose_vector: Array) -> Array:
    """[TERMS] of a pose [6], in deviations of the footage, held at the edge of what was seen."""
    pose = held_pose(space, pose_vector)
    return np.concatenate([np.ones(1, np.float32), products(pose), pose])


def held_pose(space: FaceSpace, pose_vector: Array) -> Array:
    """[6] the pose in deviations, held within FEATURE_LIMIT."""
    pose = (pose_vector - space.pose_mean) / space.pose_deviations
    return np.asarray(np.clip(pose, -FEATURE_LIMIT, FEATURE_LIMIT), np.float32)


def products(pose: Array) -> Array:
    """[PRODUCTS] second- and third-order terms of a pose in deviations, held likewise."""
    yaw, pitch, roll, x, y, size = pose
    values = np.array([
        yaw * yaw - 1, pitch * pitch - 1, roll * roll - 1, yaw * pitch, yaw * roll, yaw * x, yaw * size,
        0.4 * yaw * (yaw * yaw - 3), pitch * roll, x * y, yaw * y,
    ], np.float32)  # fmt: skip
    return np.asarray(np.clip(values, -FEATURE_LIMIT, FEATURE_LIMIT))
