"""How skull and torso go with the tracked face, learned from the pictures while the splats are fitted.

A landmark tracker sees a face; hair and shoulders hang on a skull and a torso whose places it only hints at. The fit
learns a linear map from the pose's terms, and from what the frames around say, to those places, by the same picture
loss as everything else. Frames never trained on are placed by the same map from their landmarks alone.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from rendering.engine import body, landmarks
from rendering.engine.face_space import HEAD, TORSO, FaceSpace
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.engine.pose import rotation
from rendering.training import canonical
from rendering.training.dataset import Dataset

Array = np.ndarray[Any, np.dtype[Any]]
OFFSETS = (-12, -9, -6, -4, -2, -1, 0, 1, 2, 4, 6, 9, 12)  # frames around one whose poses are looked at
NEXT = (-1, 0, 1)  # and whose shapes are
SHAPES = 40  # leading coefficients of a shape that are looked at
SIGNALS, FRAMES_EACH = 128, 18  # at most so many, and at least so many training frames for each
NOISE = 0.02  # variance, of 1 for each number looked at, below which a direction is noise and is not blown up
RATE = 0.01  # of a pixel per step, at the start
RIDGE = 1e-3
ARM_PX = 0.25  # of the picture's side: a turn is measured by what it moves at this distance
TURN = 1e-3  # rad, step of the differences that give a turn's derivative


def units(size_px: int) -> Array:
    """[PLACES] what one unit of the learned map is: about a pixel at the edge of the head."""
    per_px = 1 / (ARM_PX * size_px)
    return np.array([per_px, per_px, per_px, 1, 1, per_px, 1, 1, per_px], np.float32)


def signals(space: FaceSpace, dataset: Dataset, places: Array) -> Array:
    """[c, P] what the tracks around each of `places` say beyond its own pose's terms; mean 0 and deviation at most 1.

    All statistics are of the training frames.
    """
    raw = canonical.align(dataset.tracks, space.mean)
    shapes = canonical.project(space, raw)[:, :SHAPES]
    seen = _standard(np.concatenate([raw.vectors, shapes], axis=1), slice(0, dataset.split))
    terms = np.stack([body.terms(space, vector) for vector in raw.vectors])
    known = dataset.places[dataset.train]
    window, design = _window(dataset, seen, known), terms[known].astype(np.float64)
    ridge = 1e-3 * len(design) * np.eye(body.TERMS)
    explained = np.linalg.solve(design.T @ design + ridge, design.T @ window)
    rest = window - design @ explained
    values, directions = np.linalg.eigh(rest.T @ rest / len(known))
    kept = np.argsort(values)[::-1][: min(SIGNALS, len(known) // FRAMES_EACH)]
    scales = 1 / np.sqrt(np.maximum(values[kept], 0) + NOISE)
    asked = _window(dataset, seen, places) - terms[places] @ explained
    return np.asarray(asked @ directions[:, kept] * scales, np.float32)


def extras(follow: Array, said: Array, size_px: int) -> Array:
    """[n, PLACES] what signals [n, P] add to the places of skull and torso beyond a frame's own pose."""
    return np.asarray(said @ follow[:, body.TERMS :].T * units(size_px), np.float32)


def _standard(numbers: Array, known: slice) -> Array:
    return np.asarray((numbers - numbers[known].mean(0)) / np.maximum(numbers[known].std(0), 1e-6))


def _window(dataset: Dataset, seen: Array, places: Array) -> Array:
    poses = seen[dataset.near(places, OFFSETS)][..., :6].reshape(len(places), -1)
    shapes = seen[dataset.near(places, NEXT)][..., 6:].reshape(len(places), -1)
    return np.concatenate([poses, shapes], axis=1)


@njit(cache=True, nogil=True, fastmath=True)
def vertex_gradient(owner, barycentrics, triangles, layers, d_mean, count):
    """[count, 2] derivative of the loss by the screen points of the shell, from that by its splats' middles [N, 2]."""
    out = np.zeros((count, 2), np.float32)
    for i in range(owner.size):
        layer = layers[owner[i]]
        if layer != HEAD and layer != TORSO:
            continue
        for corner in range(3):
            v = triangles[owner[i], corner]
            out[v, 0] += barycentrics[i, corner] * d_mean[i, 0]
            out[v, 1] += barycentrics[i, corner] * d_mean[i, 1]
    return out


def place_gradient(mesh: Mesh, splats: Gaussians, d_mean: Array, skull: Array, torso: Array) -> Array:
    """[PLACES] derivative of the loss by the places of skull [6] and torso [3]; what splats do about it is left out."""
    first, last = landmarks.COUNT, landmarks.COUNT + len(mesh.head_share)
    by_points = vertex_gradient(
        splats.triangles, splats.barycentrics, mesh.triangles, mesh.layers, d_mean, len(mesh.rest)
    )[first:last]
    share, rest = mesh.head_share[:, None], mesh.rest[first:last]
    by_skull, by_torso = share * by_points, (1 - share) * by_points
    scale = np.float32(np.exp(skull[5]))
    moment = scale * by_skull.T @ rest  # [2, 3]
    angles = []
    for axis in range(3):
        step = TURN * np.eye(3)[axis]
        slope = (rotation(*(skull[:3] + step)) - rotation(*(skull[:3] - step))) / (2 * TURN)
        angles.append((moment * slope[:2]).sum())
    size = (moment * rotation(*skull[:3])[:2]).sum()
    torso_size = np.exp(torso[2]) * (by_torso * rest[:, :2]).sum()
    return np.array([*angles, *by_skull.sum(0), size, *by_torso.sum(0), torso_size], np.float32)
