"""From tracked landmarks to the person's face space: iterated Procrustes, then a weighted PCA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.face_space import POSE_TERMS, FaceSpace, pose_terms
from rendering.engine.pose import angles, rotation

Array = np.ndarray[Any, np.dtype[Any]]
ROUNDS = 4
STEADY_FRAMES = 1.5  # deviation of the window over which poses are averaged
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
    target_stable = target[STABLE]
    vectors = np.empty((len(points), 6), np.float32)
    depths = np.empty(len(points))
    for index, frame in enumerate(points.astype(np.float64)):
        middle = frame[STABLE].mean(0)
        centred = frame[STABLE] - middle
        aim = target_stable - target_stable.mean(0)
        left, sizes, right = np.linalg.svd(centred.T @ aim)
        flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
        turn = left @ flip @ right  # canonical -> screen
        scale = (sizes * np.diag(flip)).sum() / (aim**2).sum()
        origin = middle - scale * turn @ target_stable.mean(0)
        yaw, pitch, roll = angles(turn)
        vectors[index] = yaw, pitch, roll, origin[0], origin[1], np.log(scale)
        depths[index] = origin[2]
    return unposed(points, vectors, depths)


def unposed(points: Array, vectors: Array, depths: Array) -> Poses:
    """Canonical shapes of landmarks [T, 478, 3] whose heads stand in known poses [T, 6] at known depths [T]."""
    shapes = np.empty(points.shape, np.float32)
    for index, (frame, vector) in enumerate(zip(points, vectors, strict=True)):
        origin = np.array([vector[3], vector[4], depths[index]])
        shapes[index] = (frame - origin) @ rotation(*vector[:3]) / np.exp(vector[5])
    return Poses(vectors, shapes, depths)


@dataclass(frozen=True)
class BlinkBias:
    """How a closing eye misleads the tracker about the pose."""

    open_aperture: float  # what counts as open
    by_closing: Array  # [6] false change of the pose vector from open to closed

    def closing(self, shapes: Array) -> Array:
        """[T] 0: open as usual, 1: closed."""
        return np.clip(1 - eye_apertures(shapes) / self.open_aperture, 0.0, 1.0)


def blink_bias(around: Array, target: Array) -> BlinkBias:
    """Learn the bias from pairs of frames a moment apart: the lids moved, a head hardly could.

    Args:
        around: [T, 2 n + 1, 478, 3] training frames with their neighbours.
    """
    frames, window = around.shape[:2]
    raw = align(around.reshape(-1, *around.shape[2:]), target)
    none = BlinkBias(float(np.median(eye_apertures(raw.shapes))), np.zeros(6))
    closing = none.closing(raw.shapes).reshape(frames, window)
    vectors = raw.vectors.reshape(frames, window, 6)
    lids = np.concatenate([closing[:, 0] - closing[:, window // 2], closing[:, -1] - closing[:, window // 2]])
    moved = np.concatenate([vectors[:, 0] - vectors[:, window // 2], vectors[:, -1] - vectors[:, window // 2]])
    return BlinkBias(none.open_aperture, lids @ moved / ((lids**2).sum() + 1.0))


def steady(around: Array, target: Array, bias: BlinkBias) -> Poses:
    """Poses and shapes of frames whose neighbours are known [T, 2 n + 1, 478, 3].

    A tracked pose trembles, most of all while the eyes are closed, and hair and shoulders would tremble with it. Heads
    are slow, so the pose is a mean over neighbours, less what blinks pretend; the face itself keeps every movement of
    its own frame.
    """
    frames, window = around.shape[:2]
    raw = align(around.reshape(-1, *around.shape[2:]), target)
    true_vectors = raw.vectors - bias.closing(raw.shapes)[:, None] * bias.by_closing
    weights = np.exp(-0.5 * ((np.arange(window) - window // 2) / STEADY_FRAMES) ** 2)
    weights /= weights.sum()
    vectors = np.einsum("w,twk->tk", weights, true_vectors.reshape(frames, window, 6)).astype(np.float32)
    depths = raw.depths.reshape(frames, window) @ weights
    return unposed(around[:, window // 2], vectors, depths)


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
    _, _, components = np.linalg.svd((flat - design @ bend) * root, full_matrices=False)
    basis = (components[:count] / root).reshape(-1, *mean.shape).astype(np.float32)
    empty = np.zeros(len(basis), np.float32)
    space = FaceSpace(
        mean, basis, empty + 1, empty, empty, pose_shapes,
        pose_mean.astype(np.float32), pose_deviations.astype(np.float32),
        np.quantile(poses.vectors, 0.01, axis=0).astype(np.float32),
        np.quantile(poses.vectors, 0.99, axis=0).astype(np.float32), empty,
    )  # fmt: skip
    return with_ranges(space, poses)


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
