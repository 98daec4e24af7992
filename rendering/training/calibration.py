"""What a replica may be asked for: its lip opening, and how far each emotion stays near what the footage shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.face_space import FEATURE_SHAPES, FaceSpace
from rendering.engine.mesh import Mesh
from rendering.engine.motion import controls, expression
from rendering.training import canonical

Array = np.ndarray[Any, np.dtype[Any]]
JAW_GAP_BOUNDS = (0.10, 0.34)  # outer eye distances
STEP_MILLI = 50
UNSEEN_LIMIT = 0.055  # mean movement of the strongest moving tenth beyond the seen shapes, in outer eye distances
HULL_SHARE = 0.99  # of the training frames lie within the radius that counts as seen
FOLD_LIMIT = 0.06  # share of face triangles that may turn over


def pose_coupling(vectors: Array) -> Array:
    """[3, 3] how place and size on the screen go with turning in the footage, per deviation of yaw, pitch, roll."""
    centred = vectors - vectors.mean(0)
    turns = centred[:, :3] / np.maximum(vectors[:, :3].std(0), 1e-3)
    normal = turns.T @ turns + 1e-2 * len(turns) * np.eye(3)
    return np.asarray(np.linalg.solve(normal, turns.T @ centred[:, 3:]), np.float32)


def jaw_gap(shapes: Array) -> float:
    """The person's wide but usual lip opening, in outer eye distances."""
    gaps = canonical.lip_gaps(shapes)
    return float(np.clip(np.quantile(gaps, 0.97), *JAW_GAP_BOUNDS))


def seen_radius(space: FaceSpace, coefficients: Array) -> float:
    """How far from the mean the shapes went that colours were learnt on, in deviations over the leading coefficients.

    Args:
        coefficients: [T, K] of the training frames.
    """
    return float(np.quantile(_radius(space, coefficients), HULL_SHARE))


def _radius(space: FaceSpace, coefficients: Array) -> Array:
    scaled = coefficients[..., :FEATURE_SHAPES] / space.deviations[:FEATURE_SHAPES]
    return np.asarray(np.linalg.norm(scaled, axis=-1))


def emotion_caps_milli(space: FaceSpace, mesh: Mesh, face_triangles: int, gap: float, radius: float) -> dict[str, int]:
    """Highest intensity of each emotion, in thousandths, whose face the footage supports.

    A face is supported while it stays within the seen `radius`, beyond which the splats' colours would extrapolate,
    while little of its movement lies outside the seen shapes, and while no part of the mesh folds over.
    """
    basis = controls.build(space, gap)
    # Neutral is the person at rest, which needs no support.
    caps = {name: _cap(name, space, basis, mesh, face_triangles, radius) for name in expression.EMOTIONS[1:]}
    return {expression.EMOTIONS[0]: expression.FULL_MILLI, **caps}


def _cap(
    name: str, space: FaceSpace, basis: controls.ControlBasis, mesh: Mesh, face_triangles: int, radius: float
) -> int:
    cap = 0
    for milli in range(STEP_MILLI, expression.FULL_MILLI + 1, STEP_MILLI):
        amounts = expression.amounts(name, milli)
        wanted = space.neutral + amounts @ basis.coefficients
        held = space.hold(wanted)
        lost = np.tensordot(wanted - held, space.basis, 1)
        beyond = np.tensordot(amounts, basis.residuals, 1)
        face = space.mean + np.tensordot(held, space.basis, 1) + beyond
        is_supported = (
            float(_radius(space, held)) <= radius
            and _unseen(lost, beyond, space.inter_ocular) <= UNSEEN_LIMIT
            and _folded(face, mesh, face_triangles) <= FOLD_LIMIT
        )
        if not is_supported:
            break
        cap = milli
    return cap


def _unseen(lost: Array, beyond: Array, inter_ocular: float) -> float:
    moved = np.linalg.norm(lost, axis=1) + np.linalg.norm(beyond, axis=1)
    strongest = np.sort(moved)[-landmarks.COUNT // 10 :]
    return float(strongest.mean() / inter_ocular)


def _folded(face: Array, mesh: Mesh, face_triangles: int) -> float:
    corners = face[mesh.triangles[:face_triangles]][:, :, :2]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    rest = mesh.rest[mesh.triangles[:face_triangles]][:, :, :2]
    a, b = rest[:, 1] - rest[:, 0], rest[:, 2] - rest[:, 0]
    rest_areas = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return float((areas * rest_areas < 0).mean())
