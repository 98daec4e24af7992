"""Everything a fit works on, made once from the footage: face space, mesh, splats at their start, frame geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import body, features, landmarks
from rendering.engine.contact import tuck_irises
from rendering.engine.face_space import FACE, FaceSpace
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.training import canonical, following, initialise, surface
from rendering.training.canonical import Poses
from rendering.training.config import TrainingConfig
from rendering.training.dataset import Dataset

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Scene:
    """The parts of a replica that the fit changes (`gaussians.values`, `plate`) and those it does not."""

    space: FaceSpace
    mesh: Mesh
    gaussians: Gaussians
    plate: Array  # [S, S, 3] float32

    @property
    def face_triangles(self) -> int:
        """How many triangles, the first ones, belong to the face's skin."""
        return int((self.mesh.layers == FACE).sum())


@dataclass(frozen=True)
class Geometry:
    """Tracked motion of n frames in terms of a scene."""

    coefficients: Array  # [n, K]
    poses: Array  # [n, 6]
    faces: Array  # [n, 478, 3] canonical face points
    features: Array  # [n, LAYERS, FEATURES]
    terms: Array  # [n, body.TERMS]
    signals: Array  # [n, P] what neighbouring frames say beyond a frame's own pose

    def unit(self, index: int) -> float:
        """Screen pixels per canonical pixel in one frame."""
        return float(np.exp(self.poses[index, 5]))


def build(dataset: Dataset, config: TrainingConfig) -> Scene:
    """The scene at the start of a fit, from the training frames alone."""
    some = dataset.train[np.linspace(0, len(dataset.train) - 1, min(len(dataset.train), 600)).astype(int)]
    mean = canonical.canonicalise(dataset.landmarks[some])
    poses = steady_poses(dataset, mean, dataset.places[dataset.train])
    space = canonical.fit_space(mean, poses, config.shapes)
    anchor = np.median(poses.vectors[:, 3:5], axis=0)
    mesh = surface.build(rest_face(poses.shapes), anchor, config.size_px)
    sampled = initialise_frames(dataset)
    placed = start_points(mesh, geometry(space, dataset, dataset.places[sampled]))
    masks = None if dataset.masks is None else dataset.masks[sampled]
    splats = initialise.sample(mesh, placed, dataset.frames[sampled], masks, config.splats, config.seed)
    return Scene(space, mesh, splats, initialise.plate(dataset.frames, dataset.masks, dataset.train))


def start_points(mesh: Mesh, motion: Geometry) -> Array:
    """[n, V, 3] screen points before anything is known of skull and torso."""
    still = np.zeros(3, np.float32)
    return np.stack([
        mesh.place(face, vector, vector, still) for face, vector in zip(motion.faces, motion.poses, strict=True)
    ])  # fmt: skip


def steady_poses(dataset: Dataset, mean: Array, places: Array) -> Poses:
    """Poses of the frames at these places of the tracks against a mean shape, steadied by their neighbours."""
    raw = canonical.align(dataset.tracks, mean)
    bias = canonical.blink_bias(raw, dataset.near(dataset.places[dataset.train], canonical.NEIGHBOURS))
    return canonical.steady(dataset.tracks, raw, dataset.near(places, canonical.NEIGHBOURS), bias)


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


def geometry(space: FaceSpace, dataset: Dataset, places: Array) -> Geometry:
    """Coefficients, poses and face points of the frames at these places of the tracks.

    The mesh is placed by the coefficients and not by the raw landmarks: that is how a live face is drawn.
    """
    poses = steady_poses(dataset, space.mean, places)
    coefficients = canonical.project(space, poses)
    pairs = list(zip(coefficients, poses.vectors, strict=True))
    terms = np.stack([body.terms(space, vector) for vector in poses.vectors])
    return Geometry(
        coefficients,
        poses.vectors,
        np.stack([space.shape(row, vector) for row, vector in pairs]),
        np.stack([features.rows(space, row, vector) for row, vector in pairs]),
        terms,
        following.signals(space, dataset, places),
    )


@dataclass(frozen=True)
class Placed:
    """The mesh of one frame on the screen."""

    vertices: Array  # [V, 3]
    skull: Array  # [6] where what is fixed to the skull stands
    torso: Array  # [3] how far the torso has moved
    said: Array  # [TERMS + P] what skull and torso were placed by


def place(mesh: Mesh, follow: Array, motion: Geometry, index: int, size_px: int) -> Placed:
    """The mesh of one frame, skull and torso placed by the learned map `follow` [PLACES, TERMS + P]."""
    pose, said = motion.poses[index], np.concatenate([motion.terms[index], motion.signals[index]])
    moved = following.units(size_px) * (follow @ said)
    skull, torso = pose + moved[body.SKULL], moved[body.TORSO]
    return Placed(mesh.place(motion.faces[index], pose, skull, torso), skull, torso, said)


def part_boxes(points: Array, size_px: int) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """Face box and mouth box (left, top, right, bottom) of one frame's landmarks [478, 3]."""
    face = _box(points[: landmarks.IRIS_FIRST], (0, 0, 0, 0), size_px)
    mouth = _box(points[list(landmarks.MOUTH_BOX)], (4, 4, 4, 6), size_px)
    return face, mouth


def _box(points: Array, margin: tuple[int, int, int, int], size_px: int) -> tuple[int, int, int, int]:
    left, top = np.floor(points[:, :2].min(0)).astype(int) - margin[:2]
    right, bottom = np.ceil(points[:, :2].max(0)).astype(int) + margin[2:]
    return max(0, int(left)), max(0, int(top)), min(size_px, int(right)), min(size_px, int(bottom))
