"""From tracked landmarks to the person's face space: iterated Procrustes, then a weighted PCA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.face_space import POSE_TERMS, FaceSpace, pose_terms
from rendering.engine.pose import rotation

Array = np.ndarray[Any, np.dtype[Any]]
ROUNDS = 4
STEADY_FRAMES = 1.5  # deviation of the window over which poses are averaged
NEIGHBOURS = (-3, -2, -1, 0, 1, 2, 3)  # frames that steady the head's pose
STABLE = np.array(landmarks.STABLE)
# Least spread that yaw, pitch, roll (rad), x, y (outer eye distances) and log scale are measured in. Someone who sat
# stiller shows too little to learn what larger movements look like, so that theirs must not be blown up.
STILLEST = np.array([0.14, 0.09, 0.07, 0.12, 0.09, 0.03])


@dataclass(frozen=True)
class Poses:
    """Head poses of T frames: vectors [T, 6] as HeadPose.vector and canonical shapes [T, 478, 3]."""

    vectors: Array
    shapes: Array
    depths: Array  # [T] z of the origin, which an orthographic picture does not show


def point_weights() -> Array:
    """[478] weight of each point in the PCA: lids, irises and lips are small but are what people look at."""
    weights = np.ones(landmarks.COUNT, np.float32)
    weights[list(landmarks.LIPS)] = 3.0
    weights[list(landmarks.EYES)] = 5.0
    weights[list(landmarks.RIGHT_BROW + landmarks.LEFT_BROW)] = 2.0
    return weights


def align(points: Array, target: Array) -> Poses:
    """Fit rotation, scale and translation of each frame [T, 478, 3] to `target` [478, 3] on the stable points."""
    stable = points[:, STABLE].astype(np.float64)
    middles = stable.mean(1)
    target_middle = target[STABLE].astype(np.float64).mean(0)
    aim = target[STABLE] - target_middle
    left, sizes, right = np.linalg.svd(np.einsum("tni,nj->tij", stable - middles[:, None], aim))
    flip = np.ones((len(points), 3))
    flip[:, 2] = np.sign(np.linalg.det(left @ right))
    turns = (left * flip[:, None]) @ right  # canonical -> screen
    scales = (sizes * flip).sum(1) / (aim**2).sum()
    origins = middles - scales[:, None] * (turns @ target_middle)
    vectors = np.empty((len(points), 6), np.float32)
    vectors[:, 0] = np.arctan2(-turns[:, 0, 2], turns[:, 2, 2])
    vectors[:, 1] = np.arcsin(np.clip(-turns[:, 1, 2], -1, 1))
    vectors[:, 2] = np.arctan2(-turns[:, 1, 0], turns[:, 1, 1])
    vectors[:, 3:5] = origins[:, :2]
    vectors[:, 5] = np.log(scales)
    return unposed(points, vectors, origins[:, 2])


def unposed(points: Array, vectors: Array, depths: Array) -> Poses:
    """Canonical shapes of landmarks [T, 478, 3] whose heads stand in known poses [T, 6] at known depths [T]."""
    origins = np.column_stack([vectors[:, 3:5], depths])
    turns = np.stack([rotation(*vector[:3]) for vector in vectors])
    shapes = (points - origins[:, None]).astype(np.float32) @ turns / np.exp(vectors[:, 5])[:, None, None]
    return Poses(vectors, np.asarray(shapes, np.float32), depths)


@dataclass(frozen=True)
class BlinkBias:
    """How a closing eye misleads the tracker about the pose."""

    open_aperture: float  # what counts as open
    by_closing: Array  # [6] false change of the pose vector from open to closed

    def closing(self, shapes: Array) -> Array:
        """[T] 0: open as usual, 1: closed."""
        return np.clip(1 - eye_apertures(shapes) / self.open_aperture, 0.0, 1.0)


def blink_bias(raw: Poses, near: Array) -> BlinkBias:
    """Learn the bias from pairs of frames a moment apart: the lids moved, a head hardly could.

    Args:
        raw: poses of every tracked frame. near: [c, W] training frames in the middle of their neighbours.
    """
    none = BlinkBias(float(np.median(eye_apertures(raw.shapes))), np.zeros(6))
    closing, vectors = none.closing(raw.shapes)[near], raw.vectors[near]
    window = near.shape[1]
    lids = np.concatenate([closing[:, 0] - closing[:, window // 2], closing[:, -1] - closing[:, window // 2]])
    moved = np.concatenate([vectors[:, 0] - vectors[:, window // 2], vectors[:, -1] - vectors[:, window // 2]])
    return BlinkBias(none.open_aperture, lids @ moved / ((lids**2).sum() + 1.0))


def steady(points: Array, raw: Poses, near: Array, bias: BlinkBias) -> Poses:
    """Poses and shapes of the frames in the middle of `near` [c, W], from tracks [F, 478, 3] and their raw poses.

    A tracked pose trembles, most of all while the eyes are closed, and hair and shoulders would tremble with it. Heads
    are slow, so the pose is a mean over neighbours, less what blinks pretend; the face itself keeps every movement of
    its own frame.
    """
    window = near.shape[1]
    true_vectors = raw.vectors - bias.closing(raw.shapes)[:, None] * bias.by_closing
    weights = np.exp(-0.5 * ((np.arange(window) - window // 2) / STEADY_FRAMES) ** 2)
    weights /= weights.sum()
    vectors = np.einsum("w,twk->tk", weights, true_vectors[near]).astype(np.float32)
    return unposed(points[near[:, window // 2]], vectors, raw.depths[near] @ weights)


def canonicalise(points: Array) -> Array:
    """Mean shape [478, 3] of tracked frames, from iterated Procrustes started at the most frontal one."""
    nose = points[:, landmarks.NOSE_TIP, 0]
    sides = points[:, [landmarks.RIGHT_OUTER_EYE, landmarks.LEFT_OUTER_EYE], 0]
    offset = np.abs(nose - sides.mean(1)) / np.maximum(sides[:, 1] - sides[:, 0], 1e-3)
    mean = upright(points[int(np.argmin(offset))].astype(np.float64))
    scale = 1.0
    for _ in range(ROUNDS):
        poses = align(points, mean)
        mean = upright(np.median(poses.shapes, axis=0).astype(np.float64))
        scale = float(np.exp(np.median(poses.vectors[:, 5])))
        mean *= scale
    return mean.astype(np.float32)


def upright(shape: Array) -> Array:
    """Centre a shape on its stable points and turn it so that the outer eye corners lie level and equally far."""
    shape = shape - shape[STABLE].mean(0)
    across = shape[landmarks.LEFT_OUTER_EYE] - shape[landmarks.RIGHT_OUTER_EYE]
    across /= np.linalg.norm(across)
    # Turning and tilting are settled here; nodding is left as the footage has it.
    away = np.array([0.0, 0.0, 1.0])
    down = np.cross(away - across * (away @ across), across)
    down /= np.linalg.norm(down)
    away = np.cross(across, down)
    return np.asarray(shape @ np.stack([across, down, away], axis=1))


def fit_space(mean: Array, poses: Poses, count: int) -> FaceSpace:
    """Pose terms by regression, then a PCA of what remains; `count` coefficients at most."""
    pose_mean = poses.vectors.mean(0)
    pose_deviations = np.maximum(poses.vectors.std(0), STILLEST * eye_scale(mean))
    terms = np.stack([pose_terms(v, pose_mean, pose_deviations) for v in poses.vectors])
    flat = (poses.shapes - mean).reshape(len(terms), -1).astype(np.float64)
    design = np.concatenate([np.ones((len(terms), 1)), terms], axis=1)
    ridge = 1e-2 * len(terms) * np.diag([0.0] + [1.0] * POSE_TERMS)
    bend = np.linalg.solve(design.T @ design + ridge, design.T @ flat)
    mean = mean + bend[0].reshape(mean.shape).astype(np.float32)
    pose_shapes = bend[1:].reshape(POSE_TERMS, *mean.shape).astype(np.float32)
    root = np.sqrt(np.repeat(point_weights(), 3))
    basis = (_principal((flat - design @ bend) * root, count) / root).reshape(-1, *mean.shape).astype(np.float32)
    empty = np.zeros(len(basis), np.float32)
    space = FaceSpace(
        mean, basis, empty + 1, empty, empty, pose_shapes,
        pose_mean.astype(np.float32), pose_deviations.astype(np.float32),
        np.quantile(poses.vectors, 0.01, axis=0).astype(np.float32),
        np.quantile(poses.vectors, 0.99, axis=0).astype(np.float32), empty,
    )  # fmt: skip
    return with_ranges(space, poses)


def _principal(rows: Array, count: int) -> Array:
    """[count, D] directions of greatest variance of rows [T, D], the greatest first; never more than rows."""
    _, directions = np.linalg.eigh(rows.T @ rows)
    return np.ascontiguousarray(directions[:, ::-1][:, : min(count, len(rows))].T)


def eye_scale(mean: Array) -> Array:
    """[6] factors that turn outer eye distances into pixels for x and y and leave the other pose numbers."""
    eyes = float(np.linalg.norm(mean[landmarks.LEFT_OUTER_EYE] - mean[landmarks.RIGHT_OUTER_EYE]))
    return np.array([1, 1, 1, eyes, eyes, 1])


def with_ranges(space: FaceSpace, poses: Poses) -> FaceSpace:
    """The space with the ranges of its coefficients and the person's neutral face."""
    coefficients = project(space, poses)
    return FaceSpace(
        space.mean, space.basis, np.maximum(coefficients.std(0), 1e-3),
        np.quantile(coefficients, 0.005, axis=0).astype(np.float32),
        np.quantile(coefficients, 0.995, axis=0).astype(np.float32),
        space.pose_shapes, space.pose_mean, space.pose_deviations, space.pose_lows, space.pose_highs,
        neutral(poses.shapes, coefficients),
    )  # fmt: skip


def project(space: FaceSpace, poses: Poses) -> Array:
    """Coefficients [T, K] of canonical shapes, after the pose terms are taken out."""
    weights = point_weights()[None, :, None]
    terms = np.stack([pose_terms(v, space.pose_mean, space.pose_deviations) for v in poses.vectors])
    bent = space.mean + np.tensordot(terms, space.pose_shapes, 1)
    weighted = ((poses.shapes - bent) * weights).reshape(len(bent), -1)
    return np.asarray(weighted @ space.basis.reshape(len(space.basis), -1).T, np.float32)


def lip_gaps(shapes: Array) -> Array:
    """[T] mean distance of the inner lips over three pairs, in units of the outer eye distance."""
    pairs = ((82, 87), (13, 14), (312, 317))
    gap = np.mean([np.linalg.norm(shapes[:, a] - shapes[:, b], axis=1) for a, b in pairs], axis=0)
    return np.asarray(gap / eye_distance(shapes))


def eye_apertures(shapes: Array) -> Array:
    """[T] mean opening of the lids over the outer eye distance."""
    pairs = ((159, 145), (386, 374), (158, 153), (385, 380))
    gap = np.mean([np.linalg.norm(shapes[:, a] - shapes[:, b], axis=1) for a, b in pairs], axis=0)
    return np.asarray(gap / eye_distance(shapes))


def eye_distance(shapes: Array) -> Array:
    """[T] distance of the outer eye corners."""
    return np.asarray(
        np.linalg.norm(shapes[:, landmarks.LEFT_OUTER_EYE] - shapes[:, landmarks.RIGHT_OUTER_EYE], axis=1)
    )


def neutral(shapes: Array, coefficients: Array) -> Array:
    """Coefficients of the person at rest: the median over frames with closed lips and open eyes."""
    gaps, apertures = lip_gaps(shapes), eye_apertures(shapes)
    rest = (gaps <= np.quantile(gaps, 0.25)) & (apertures >= np.quantile(apertures, 0.3))
    if rest.sum() < 5:
        rest = gaps <= np.quantile(gaps, 0.25)
    return np.asarray(np.median(coefficients[rest], axis=0), np.float32)
