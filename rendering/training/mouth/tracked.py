"""The mouth's controls as footage shows them: tracked lips taken apart into the movements that are authored."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.face_space import FaceSpace, pose_terms
from rendering.engine.motion import controls
from rendering.engine.motion.visemes import CLOSURE, MOUTH
from rendering.training import canonical

Array = np.ndarray[Any, np.dtype[Any]]

# Feelings move the mouth as well; what is theirs must not be taken for speech.
_BESIDE = ("smile_right", "smile_left", "corner_down", "chin_raise")
_NAMES = (*(name for name in MOUTH if name != "closure"), *_BESIDE)
_RIDGE = 0.02  # pulls towards no movement where two controls look alike
_ROUNDS = 200
_POINTS = np.array(landmarks.LIPS)
FULLY_SHUT = 0.02  # of the usual opening: lips that touch


def mouth_controls(points: Array, space: FaceSpace, jaw_gap: float) -> Array:
    """[T, MOUTH] amounts that explain tracked landmarks [T, 478, 3], each zero or more.

    Args:
        jaw_gap: the person's wide but usual lip opening, in outer eye distances.
    """
    poses = canonical.align(points, space.mean)
    terms = np.stack([pose_terms(v, space.pose_mean, space.pose_deviations) for v in poses.vectors])
    rest = space.mean + np.tensordot(space.neutral, space.basis, 1)
    moved = (poses.shapes - np.tensordot(terms, space.pose_shapes, 1) - rest)[:, _POINTS] / space.inter_ocular
    amounts = _non_negative(_fields(space, jaw_gap), moved.reshape(len(points), -1))
    gaps = np.maximum(canonical.lip_gaps(poses.shapes) - _resting_gap(poses.shapes), 0.0) / jaw_gap
    out = np.zeros((len(points), len(MOUTH)), np.float32)
    out[:, : len(MOUTH) - 1] = amounts[:, : len(MOUTH) - 1]
    jaw = np.maximum(out[:, MOUTH.index("jaw")], 1e-3)
    out[:, CLOSURE] = np.where(gaps < FULLY_SHUT, 1.0, np.clip(1 - gaps / jaw, 0.0, 1.0))
    return out


def _fields(space: FaceSpace, jaw_gap: float) -> Array:
    """[C, 3 L] how each control moves the lips of this person, in outer eye distances."""
    basis = controls.build(space, jaw_gap)
    columns = [controls.INDEX[name] for name in _NAMES]
    whole = np.tensordot(basis.coefficients[columns], space.basis, 1) + basis.residuals[columns]
    return np.asarray(whole[:, _POINTS].reshape(len(columns), -1) / space.inter_ocular)


def _resting_gap(shapes: Array) -> float:
    return float(np.quantile(canonical.lip_gaps(shapes), 0.05))


def _non_negative(fields: Array, moved: Array) -> Array:
    """[T, C] least squares with a ridge and no negative amounts, by projected gradient (Nesterov's) for all frames."""
    normal = fields @ fields.T
    normal += _RIDGE * np.trace(normal) / len(normal) * np.eye(len(normal))
    wanted = moved @ fields.T
    step = 1 / float(np.linalg.eigvalsh(normal)[-1])
    now = ahead = np.zeros_like(wanted)
    speed = 1.0
    for _ in range(_ROUNDS):
        then = np.maximum(ahead - step * (ahead @ normal - wanted), 0.0)
        faster = 0.5 * (1 + np.sqrt(1 + 4 * speed**2))
        ahead = then + (speed - 1) / faster * (then - now)
        now, speed = then, faster
    return np.asarray(now, np.float32)
