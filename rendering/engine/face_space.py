"""The space a person's face moves in: a mean shape, the shapes seen in their footage, and how pose bends them.

A face is `mean + pose terms + coefficients x basis`, in canonical coordinates: pixels of the training size at the
person's mean scale, origin at the middle of the stable points, frontal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.contact import tuck_irises

Array = np.ndarray[Any, np.dtype[Any]]

FEATURE_SHAPES = 12  # leading coefficients that colours and positions of the face's splats follow
FEATURES = FEATURE_SHAPES + 6  # and the six numbers of the pose
FACE_LAYER, SHELL_LAYER = 0, 1  # rows of `features`
FEATURE_LIMIT = 2.5  # standard deviations; beyond what was seen, linear offsets are held at the edge
POSE_TERMS = 6


@dataclass(frozen=True)
class FaceSpace:
    """One person's shape space. K coefficients; all arrays float32."""

    mean: Array  # [478, 3]
    basis: Array  # [K, 478, 3]
    deviations: Array  # [K] standard deviation of each coefficient in the footage
    lows: Array  # [K] 0.5 % quantile of each coefficient
    highs: Array  # [K] 99.5 % quantile
    pose_shapes: Array  # [POSE_TERMS, 478, 3] apparent change of shape with pose
    pose_mean: Array  # [6] as HeadPose.vector
    pose_deviations: Array  # [6]
    pose_lows: Array  # [6] 1 % quantile
    pose_highs: Array  # [6] 99 % quantile
    neutral: Array  # [K] the person at rest: lips together, eyes open

    @property
    def inter_ocular(self) -> float:
        """Distance of the outer eye corners in canonical pixels."""
        corners = self.mean[[landmarks.RIGHT_OUTER_EYE, landmarks.LEFT_OUTER_EYE]]
        return float(np.linalg.norm(corners[1] - corners[0]))

    def shape(self, coefficients: Array, pose_vector: Array) -> Array:
        """Canonical points [478, 3] of a face with these coefficients [K] seen in this pose [6]."""
        bent = np.tensordot(pose_terms(pose_vector, self.pose_mean, self.pose_deviations), self.pose_shapes, 1)
        return tuck_irises(np.asarray(self.mean + bent + np.tensordot(coefficients, self.basis, 1), np.float32))

    def features(self, coefficients: Array, pose_vector: Array) -> Array:
        """What splats follow linearly [2, FEATURES], in standard deviations, held within the seen range.

        The face's splats follow its shape and the pose. The shell's follow the pose and its products, which bend hair
        and shoulders as turning does, and of the shape only what the jaw does to the neck.
        """
        shape = _held(coefficients[:FEATURE_SHAPES] / self.deviations[:FEATURE_SHAPES])
        pose = _held((pose_vector - self.pose_mean) / self.pose_deviations)
        yaw, pitch, roll, x, y, size = pose
        products = np.array([
            yaw * yaw - 1, pitch * pitch - 1, roll * roll - 1, yaw * pitch, yaw * roll, yaw * x, yaw * size,
            0.4 * yaw * (yaw * yaw - 3), pitch * roll, x * y, yaw * y,
        ], np.float32)  # fmt: skip
        rows = (np.concatenate([shape, pose]), np.concatenate([_held(products), shape[:1], pose]))
        return np.stack(rows).astype(np.float32)

    def hold(self, coefficients: Array) -> Array:
        """Coefficients brought back inside the range seen in the footage."""
        return np.clip(coefficients, self.lows, self.highs)


def _held(values: Array) -> Array:
    return np.clip(values, -FEATURE_LIMIT, FEATURE_LIMIT)


def pose_terms(pose_vector: Array, mean: Array, deviations: Array) -> Array:
    """[POSE_TERMS] yaw, pitch, roll in deviations and the second-order terms, held at 2.5 deviations."""
    yaw, pitch, roll = np.clip((pose_vector[:3] - mean[:3]) / deviations[:3], -FEATURE_LIMIT, FEATURE_LIMIT)
    return np.array([yaw, pitch, roll, yaw * yaw - 1, pitch * pitch - 1, yaw * pitch], np.float32)
