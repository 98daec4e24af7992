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
FACE, HEAD, TORSO, MOUTH = range(4)  # layers of the mesh: the face's skin; hair, ears and neck; shoulders; inner mouth
LAYERS = 4
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

    def hold(self, coefficients: Array) -> Array:
        """Coefficients brought back inside the range seen in the footage."""
        return np.clip(coefficients, self.lows, self.highs)


def pose_terms(pose_vector: Array, mean: Array, deviations: Array) -> Array:
    """[POSE_TERMS] yaw, pitch, roll in deviations and the second-order terms, held at 2.5 deviations."""
    yaw, pitch, roll = np.clip((pose_vector[:3] - mean[:3]) / deviations[:3], -FEATURE_LIMIT, FEATURE_LIMIT)
    return np.array([yaw, pitch, roll, yaw * yaw - 1, pitch * pitch - 1, yaw * pitch], np.float32)
