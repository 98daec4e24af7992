"""What splats follow linearly: one row of numbers per layer of the mesh, from shape coefficients and pose."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import body
from rendering.engine.face_space import (
    FACE,
    FEATURE_LIMIT,
    FEATURE_SHAPES,
    FEATURES,
    HEAD,
    LAYERS,
    MOUTH,
    TORSO,
    FaceSpace,
)

Array = np.ndarray[Any, np.dtype[Any]]
# 1 for what the shell follows: products of the pose without x and y, the first shape, the pose without x and y.
TURNING = np.array([1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1], np.float32)


def rows(space: FaceSpace, coefficients: Array, pose_vector: Array) -> Array:
    """[LAYERS, FEATURES] in standard deviations, held within the seen range.

    The face's splats and the inner mouth's follow the face's shape and the pose. Those of the head's shell and of the
    torso follow how the head is turned and its products, which bend hair and collar as turning does, and of the shape
    only what the jaw does to the neck. Where the head stands is no matter of theirs: the mesh carries them there, and a
    head that stands where the footage never had it must not tear its hair.
    """
    shape = _held(coefficients[:FEATURE_SHAPES] / space.deviations[:FEATURE_SHAPES])
    pose = body.held_pose(space, pose_vector)
    out = np.empty((LAYERS, FEATURES), np.float32)
    out[FACE] = out[MOUTH] = np.concatenate([shape, pose])
    out[HEAD] = out[TORSO] = np.concatenate([body.products(pose), shape[:1], pose]) * TURNING
    return out


def _held(values: Array) -> Array:
    return np.clip(values, -FEATURE_LIMIT, FEATURE_LIMIT)
