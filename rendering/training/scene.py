"""Everything a fit works on, made once from the footage: face space, mesh, splats at their start, frame geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks
from rendering.engine.contact import tuck_irises
from rendering.engine.face_space import FaceSpace
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.engine.pose import HeadPose
from rendering.training import canonical, initialise, surface
from rendering.training.config import TrainingConfig
from rendering.training.dataset import Dataset

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Scene:
    """The parts of a replica that the fit changes (`gaussians.values`, `plate`) and those it does not."""

    space: FaceSpace
    mesh: Mesh
    face_triangles: int  # the first ones belong to the face, the rest to the shell
    gaussians: Gaussians
    plate: Array  # [S, S, 3] float32


@dataclass(frozen=True)
class Geometry:
    """Tracked motion of T frames in terms of a scene."""

    coefficients: Array  # [T, K]
    poses: Array  # [T, 6]
    vertices: Array  # [T, V, 3] screen points
    features: Array  # [T, 2, FEATURES]


def build(dataset: Dataset, config: TrainingConfig) -> Scene:
    """The scene at the start of a fit, from the training frames alone."""
    mean = canonical.canonicalise(dataset.landmarks[dataset.train])
    around = dataset.around[dataset.train]
    poses = canonical.steady(around, mean, canonical.blink_bias(around, mean))
    space = canonical.fit_space(mean, poses, config.shapes)
    anchor = np.median(poses.vectors[:, 3:5], axis=0)
    mesh, face_triangles = surface.build(rest_face(poses.shapes), anchor, config.size_px)
    some = initialise_frames(dataset)
    placed = geometry(space, mesh, dataset, some).vertices
    masks = None if dataset.masks is None else dataset.masks[some]
    splats = initialise.sample(mesh, face_triangles, placed, dataset.frames[some], masks, config.splats, config.seed)
    train_masks = None if dataset.masks is None else dataset.masks[dataset.train]
    return Scene(space, mesh, face_triangles, splats, initialise.plate(dataset.frames[dataset.train], train_masks))


def initialise_frames(dataset: Dataset) -> Array:
    """Training frames that colours start from, evenly spread."""
    count = min(len(dataset.train), initialise.SAMPLED_FRAMES)
    return np.asarray(dataset.train[np.linspace(0, len(dataset.train) - 1, count).astype(int)])


def rest_face(shapes: Array) -> Array:
    """The shape [478, 3] that triangles are measured against: eyes and mouth open, so that none is a sliver."""
    gaps, apertures = canonical.lip_gaps(shapes), canonical.eye_apertures(shapes)
    wide = (gaps >= np.quantile(gaps, 0.8)) & (apertures >= np.quantile(apertures, 0.3))
    chosen = wide if wide.sum() >= 3 else gaps >= np.quantile(gaps, 0.8)
    return tuck_irises(np.mean(shapes[chosen], axis=0).astype(np.float32))


def geometry(space: FaceSpace, mesh: Mesh, dataset: Dataset, chosen: Array | None = None) -> Geometry:
    """Coefficients, poses and mesh points of the footage's frames, or of the chosen ones.

    The mesh is placed by the coefficients and not by the raw landmarks: that is how a live face is drawn.
    """
    bias = canonical.blink_bias(dataset.around[dataset.train], space.mean)
    around = dataset.around if chosen is None else dataset.around[chosen]
    poses = canonical.steady(around, space.mean, bias)
    coefficients = canonical.project(space, poses)
    vertices, features = [], []
    for row, vector in zip(coefficients, poses.vectors, strict=True):
        vertices.append(mesh.place(space.shape(row, vector), HeadPose.from_vector(vector)))
        features.append(space.features(row, vector))
    return Geometry(coefficients, poses.vectors, np.stack(vertices), np.stack(features))


def part_boxes(points: Array, size_px: int) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """Face box and mouth box (left, top, right, bottom) of one frame's landmarks [478, 3]."""
    face = _box(points[: landmarks.IRIS_FIRST], (0, 0, 0, 0), size_px)
    mouth = _box(points[list(landmarks.MOUTH_BOX)], (4, 4, 4, 6), size_px)
    return face, mouth


def _box(points: Array, margin: tuple[int, int, int, int], size_px: int) -> tuple[int, int, int, int]:
    left, top = np.floor(points[:, :2].min(0)).astype(int) - margin[:2]
    right, bottom = np.ceil(points[:, :2].max(0)).astype(int) + margin[2:]
    return max(0, int(left)), max(0, int(top)), min(size_px, int(right)), min(size_px, int(bottom))
