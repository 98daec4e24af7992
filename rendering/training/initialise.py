"""Where a fit starts: the plate behind the person, splats sampled on the mesh, colours averaged from the footage."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import gaussians as g
from rendering.engine import landmarks
from rendering.engine.face_space import FACE, HEAD, MOUTH, TORSO
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.training.surface import inside

Array = np.ndarray[Any, np.dtype[Any]]
FACE_DENSITY, MOUTH_DENSITY = 5.0, 3.0  # splats per area against the shell's, and the mouth's against the face's
PERSON = 25  # mask level of 255 above which a pixel may show the person
SAMPLED_FRAMES = 24


def plate(frames: Array, masks: Array | None, train: Array) -> Array:
    """What stands behind the person [S, S, 3] float32: the median where seen, spread inwards where never seen."""
    chosen = train[np.linspace(0, len(train) - 1, min(len(train), 60)).astype(int)]
    pictures = frames[chosen].astype(np.float32) / 255
    if masks is None:
        return np.asarray(np.median(pictures, axis=0), np.float32)
    free = masks[chosen] < PERSON
    seen = free.sum(0) >= max(2, len(chosen) // 12)
    pictures[~free] = np.nan
    filled = np.zeros(pictures.shape[1:], np.float32)
    filled[seen] = np.nanmedian(pictures[:, seen], axis=0)
    return spread_inwards(filled, seen)


def spread_inwards(picture: Array, known: Array) -> Array:
    """Fill unknown pixels from known ones, coarse to fine (a pull-push pyramid)."""
    if known.all() or not known.any() or min(picture.shape[:2]) < 2:
        return picture
    height, width = (picture.shape[0] + 1) // 2, (picture.shape[1] + 1) // 2
    total = np.zeros((height, width, 3), np.float32)
    weight = np.zeros((height, width, 1), np.float32)
    rows, columns = np.arange(picture.shape[0]) // 2, np.arange(picture.shape[1]) // 2
    np.add.at(total, (rows[:, None], columns[None, :]), picture * known[..., None])
    np.add.at(weight, (rows[:, None], columns[None, :]), known[..., None].astype(np.float32))
    small = spread_inwards(total / np.maximum(weight, 1), weight[..., 0] > 0)
    return np.where(known[..., None], picture, _twice(small, *picture.shape[:2])).astype(np.float32)


def _twice(small: Array, height: int, width: int) -> Array:
    """A picture [h, w, C] at twice its size, cut to [height, width, C]; linear between its pixels' middles."""
    for axis, count in ((0, height), (1, width)):
        place = np.clip((np.arange(count) + 0.5) / 2 - 0.5, 0, small.shape[axis] - 1)
        low = place.astype(int)
        high = np.minimum(low + 1, small.shape[axis] - 1)
        share = np.expand_dims(place - low, (1, 2) if axis == 0 else (0, 2))
        small = (1 - share) * small.take(low, axis) + share * small.take(high, axis)
    return small


def sample(
    mesh: Mesh, placed: Array, frames: Array, masks: Array | None, count: int, seed: int
) -> Gaussians:
    """Draw `count` splats on the mesh, coloured by the mean of what the footage shows there.

    Args:
        placed: [T, V, 3] screen points of the mesh in the given frames [T, S, S, 3] uint8 (and masks [T, S, S]).
    """
    random = np.random.default_rng(seed)
    density = triangle_density(mesh, placed, frames, masks)
    area = rest_areas(mesh)
    mass = density * area
    owner = np.sort(random.choice(len(mass), count, p=mass / mass.sum())).astype(np.int32)
    root, split = np.sqrt(random.random(count)), random.random(count)
    barycentrics = np.stack([1 - root, root * (1 - split), root * split], axis=1).astype(np.float32)
    values = np.zeros((count, g.VALUES), np.float32)
    spacing = np.sqrt(mass.sum() / count / density[owner])
    values[:, g.LOG_AXES : g.ANGLE] = np.log(0.75 * spacing)[:, None] + random.normal(0, 0.05, (count, 2))
    values[:, g.ANGLE] = random.uniform(0, np.pi, count)
    values[:, g.LOGIT] = 1.0
    corners = mesh.triangles[owner]
    points = np.einsum("nc,tncd->tnd", barycentrics, placed[:, corners, :2])
    values[:, g.COLOUR : g.MOVE] = look_up(frames, points).mean(0) / 255
    return Gaussians(owner, barycentrics, values)


def triangle_density(mesh: Mesh, placed: Array, frames: Array, masks: Array | None) -> Array:
    """Splats wanted per unit of area on each triangle [T]; 0 where the person never is."""
    density = np.ones(len(mesh.triangles), np.float64)
    density[mesh.layers == FACE] = FACE_DENSITY
    lips = (mesh.layers == FACE) & np.isin(mesh.triangles, landmarks.LIPS).all(1)
    density[lips | (mesh.layers == MOUTH)] *= MOUTH_DENSITY
    middles = placed[:, mesh.triangles, :2].mean(2)
    shell = np.isin(mesh.layers, (HEAD, TORSO))
    if masks is not None:
        places = [middles[:, shell], *(placed[:, mesh.triangles[shell, k], :2] for k in range(3))]
        person = np.max([look_up(masks[..., None], place)[..., 0] for place in places], axis=0)
        density[shell] = np.where((person > PERSON).mean(0) > 0.03, density[shell], 0.0)
    grey = frames.astype(np.float32).mean(-1)
    edges = np.hypot(*np.gradient(grey, axis=(1, 2)))
    busy = look_up(edges[..., None], middles[:, shell])[..., 0].mean(0)
    density[shell] *= 0.6 + np.minimum(busy / 6.0, 2.0)
    covered = inside_oval(mesh, mesh.rest[mesh.triangles[shell]][:, :, :2])
    density[shell] = np.where(covered, 0.0, density[shell])
    return density


def inside_oval(mesh: Mesh, corners: Array) -> Array:
    """[U] whether all three corners [U, 3, 2] lie within the face's outline drawn in by an eighth."""
    oval = mesh.rest[list(landmarks.FACE_OVAL), :2]
    return np.asarray(inside(oval.mean(0) + (oval - oval.mean(0)) * 0.875, corners).all(1))


def rest_areas(mesh: Mesh) -> Array:
    """[T] area of each triangle at rest as seen from the front."""
    corners = mesh.rest[mesh.triangles][:, :, :2].astype(np.float64)
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))


def look_up(pictures: Array, points: Array) -> Array:
    """Nearest pixels of pictures [T, S, S, C] at points [T, N, 2]: [T, N, C] float32."""
    size = pictures.shape[1]
    columns = np.clip(points[..., 0], 0, size - 1).astype(np.int64)
    rows = np.clip(points[..., 1], 0, size - 1).astype(np.int64)
    return np.asarray(pictures[np.arange(len(pictures))[:, None], rows, columns], np.float32)
