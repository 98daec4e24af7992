"""From splats to records: one row per splat, laid out as the compositing loop reads it. Compiled by numba.

A record holds ln(alpha) as a sum of squares, `8 * (level - u * u - v * v)` with `u = s * dx + q * dy` and `v = t * dy`
(the Cholesky factor of the inverse covariance), so that a pixel costs five multiplications until its exponential.

`from_arrays` makes records of screen Gaussians. `from_mesh` makes them of mesh-bound splats in one pass, for a live
frame: what does not change from frame to frame is worked out once (`prepare`), and the linear offsets are summed over
blocks of splats that follow the same features, which the compiler turns into vector code. It is tested against
`gaussians.set_up` followed by `from_arrays`.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from rendering.engine import gaussians as g
from rendering.engine.gaussians import Gaussians

Array = np.ndarray[Any, np.dtype[Any]]

TILE_PX = 16
X, Y, HALF_X, HALF_Y, S, Q, T, LEVEL, RED, GREEN, BLUE, OPACITY = range(12)
RECORD = 12
BLOCK = 64  # splats whose offsets are summed together
MOVES = 5  # numbers of a splat that follow the features: two of position, three of colour
ALPHA_CUT = np.float32(1.0 / 255.0)
ONE, TWO, QUARTER = np.float32(1.0), np.float32(2.0), np.float32(0.25)
SMALLEST_DETERMINANT = np.float32(1e-8)
SHORTEST_NORMAL = np.float32(1e-6)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _write(record, box, x, y, xx, xy, yy, opacity, reach2, columns, rows):
    """Geometry of one record, and its tiles: first column, first row, one past the last column, row."""
    determinant = max(xx * yy - xy * xy, SMALLEST_DETERMINANT)
    tall = math.sqrt(yy)
    half_x, half_y = math.sqrt(reach2 * xx), math.sqrt(reach2) * tall
    record[X], record[Y], record[HALF_X], record[HALF_Y] = x, y, half_x, half_y
    root = math.sqrt(determinant)
    record[S] = QUARTER * tall / root
    record[Q] = -QUARTER * xy / (tall * root)
    record[T] = QUARTER / tall
    record[OPACITY] = opacity
    # Held on both sides: tiles are indexed unchecked, and a place far off the picture would wrap around in 32 bits.
    box[0] = min(columns, max(0, int(math.floor((x - half_x) / TILE_PX))))
    box[1] = min(rows, max(0, int(math.floor((y - half_y) / TILE_PX))))
    box[2] = max(0, min(columns, int(math.floor((x + half_x) / TILE_PX)) + 1)) if reach2 > 0 else 0
    box[3] = max(0, min(rows, int(math.floor((y + half_y) / TILE_PX)) + 1)) if reach2 > 0 else 0


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def from_arrays(means, covariances, colours, opacities, height, width):
    """Records [N, RECORD] and tile boxes [N, 4] of screen Gaussians shaped as in `Splats2D`."""
    count = means.shape[0]
    records = np.empty((count, RECORD), np.float32)
    boxes = np.zeros((count, 4), np.int32)
    columns, rows = (width + TILE_PX - 1) // TILE_PX, (height + TILE_PX - 1) // TILE_PX
    for i in range(count):
        shown = max(opacities[i], ALPHA_CUT)
        _write(
            records[i], boxes[i], means[i, 0], means[i, 1], covariances[i, 0], covariances[i, 1], covariances[i, 2],
            opacities[i], TWO * math.log(shown / ALPHA_CUT), columns, rows,
        )  # fmt: skip
        records[i, LEVEL] = math.log(shown) / np.float32(8.0)
        records[i, RED], records[i, GREEN], records[i, BLUE] = colours[i, 0], colours[i, 1], colours[i, 2]
    return records, boxes


@dataclass(frozen=True)
class Prepared:
    """Mesh-bound splats arranged for `from_mesh`. B blocks of BLOCK places; a place beyond its layer's end is empty."""

    owners: Array  # [B, BLOCK] int32 the splat at each place, -1: none
    layers: Array  # [B] int32 row of the features that the block follows
    linear: Array  # [B, F, MOVES, BLOCK] float32 linear offsets
    base: Array  # [B, MOVES, BLOCK] float32 position in the triangle's plane and colour without offsets
    axes: Array  # [N, 4] float32 the two axes, turned and scaled, in the triangle's plane (row by row)
    lifts: Array  # [N] float32 along the normal
    opacities: Array  # [N] float32
    reaches2: Array  # [N] float32 squared Mahalanobis distance at which alpha falls to the cut; 0: never drawn


def prepare(splats: Gaussians, layers: Array) -> Prepared:
    """Arrange splats once for all frames. `layers` [T]: the features row of each triangle."""
    values, features = splats.values, (splats.values.shape[1] - g.MOVE) // MOVES
    tint = g.MOVE + 2 * features
    layer_of = layers[splats.triangles]
    chosen, block_layers = [], []
    for layer in np.unique(layer_of):
        members = np.flatnonzero(layer_of == layer).astype(np.int32)
        padded = np.full(-(-members.size // BLOCK) * BLOCK, -1, np.int32)
        padded[: members.size] = members
        chosen.append(padded.reshape(-1, BLOCK))
        block_layers += [layer] * len(chosen[-1])
    owners = np.concatenate(chosen)
    moves = values[:, g.MOVE : tint].reshape(-1, features, 2)
    tints = values[:, tint:].reshape(-1, features, 3)
    linear = np.concatenate([moves, tints], axis=2)[owners]  # [B, BLOCK, F, MOVES]
    base = np.concatenate([values[:, g.OFFSET : g.OFFSET + 2], values[:, g.COLOUR : g.MOVE]], axis=1)[owners]
    cosine, sine = np.cos(values[:, g.ANGLE]), np.sin(values[:, g.ANGLE])
    long, short = np.exp(values[:, g.LOG_AXES]), np.exp(values[:, g.LOG_AXES + 1])
    opacities = (1 / (1 + np.exp(-values[:, g.LOGIT]))).astype(np.float32)
    return Prepared(
        owners, np.array(block_layers, np.int32), np.ascontiguousarray(linear.transpose(0, 2, 3, 1), np.float32),
        np.ascontiguousarray(base.transpose(0, 2, 1), np.float32),
        np.stack([cosine * long, -sine * short, sine * long, cosine * short], axis=1).astype(np.float32),
        np.ascontiguousarray(values[:, g.OFFSET + 2], np.float32), opacities,
        (2 * np.log(np.maximum(opacities, ALPHA_CUT) / ALPHA_CUT)).astype(np.float32),
    )  # fmt: skip


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _triangle_frames(vertices, mesh_triangles, rest_inverses):
    """As `mesh.triangle_frames`, one row per triangle [T, 7]: the stretch row by row, then the normal."""
    frames = np.empty((mesh_triangles.shape[0], 7), np.float32)
    for t in range(mesh_triangles.shape[0]):
        a, b, c = mesh_triangles[t, 0], mesh_triangles[t, 1], mesh_triangles[t, 2]
        fx, fy, fz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        sx, sy, sz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        frames[t, 0] = fx * rest_inverses[t, 0, 0] + sx * rest_inverses[t, 1, 0]
        frames[t, 1] = fx * rest_inverses[t, 0, 1] + sx * rest_inverses[t, 1, 1]
        frames[t, 2] = fy * rest_inverses[t, 0, 0] + sy * rest_inverses[t, 1, 0]
        frames[t, 3] = fy * rest_inverses[t, 0, 1] + sy * rest_inverses[t, 1, 1]
        nx, ny, nz = fy * sz - fz * sy, fz * sx - fx * sz, fx * sy - fy * sx
        length = max(math.sqrt(nx * nx + ny * ny + nz * nz), SHORTEST_NORMAL)
        towards = -ONE / length if nz > 0 else ONE / length
        frames[t, 4], frames[t, 5], frames[t, 6] = nx * towards, ny * towards, nz * towards
    return frames


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def from_mesh(
    vertices, mesh_triangles, rest_inverses, unit, features, owner, barycentrics,
    block_owners, block_layers, linear, base, axes, lifts, opacities, reaches2, height, width,
    records, boxes, depths,
):  # fmt: skip
    """Fill records [N, RECORD], boxes [N, 4] and depths [N] of one frame.

    Arguments as `gaussians.set_up`, `Mesh.rest_inverses` and `Prepared` name them. The records hold their level.
    """
    frames = _triangle_frames(vertices, mesh_triangles, rest_inverses)
    columns, rows = (width + TILE_PX - 1) // TILE_PX, (height + TILE_PX - 1) // TILE_PX
    sums = np.empty((MOVES, BLOCK), np.float32)
    for block in range(block_owners.shape[0]):
        sums[:] = base[block]
        for k in range(features.shape[1]):
            f = features[block_layers[block], k]
            for move in range(MOVES):
                row, out = linear[block, k, move], sums[move]
                for lane in range(BLOCK):
                    out[lane] += row[lane] * f
        for lane in range(BLOCK):
            i = block_owners[block, lane]
            if i < 0:
                break
            t = owner[i]
            a, b, c = mesh_triangles[t, 0], mesh_triangles[t, 1], mesh_triangles[t, 2]
            p, q, r = barycentrics[i, 0], barycentrics[i, 1], barycentrics[i, 2]
            lift, u, w = lifts[i] * unit, sums[0, lane], sums[1, lane]
            frame = frames[t]
            j00, j01, j10, j11 = frame[0], frame[1], frame[2], frame[3]
            x = p * vertices[a, 0] + q * vertices[b, 0] + r * vertices[c, 0] + lift * frame[4]
            y = p * vertices[a, 1] + q * vertices[b, 1] + r * vertices[c, 1] + lift * frame[5]
            z = p * vertices[a, 2] + q * vertices[b, 2] + r * vertices[c, 2] + lift * frame[6]
            depths[i] = -z
            m00, m01 = j00 * axes[i, 0] + j01 * axes[i, 2], j00 * axes[i, 1] + j01 * axes[i, 3]
            m10, m11 = j10 * axes[i, 0] + j11 * axes[i, 2], j10 * axes[i, 1] + j11 * axes[i, 3]
            _write(
                records[i], boxes[i], x + j00 * u + j01 * w, y + j10 * u + j11 * w,
                m00 * m00 + m01 * m01 + g.BLUR_PX2, m00 * m10 + m01 * m11, m10 * m10 + m11 * m11 + g.BLUR_PX2,
                opacities[i], reaches2[i], columns, rows,
            )  # fmt: skip
            records[i, RED], records[i, GREEN], records[i, BLUE] = sums[2, lane], sums[3, lane], sums[4, lane]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def hide_behind_lips(inside, opacities, lips, unit, records, boxes):
    """Weaken the records of inner mouth splats (`inside`: their indices) by what the lips hide of them.

    Arguments as `gaussians.seen_between` names them. A record keeps its reach: weaker, it touches no more tiles.
    """
    for k in range(inside.size):
        i = inside[k]
        seen = g.seen_between(records[i, X], records[i, Y], lips, g.LIP_SOFTNESS * unit)
        shown = opacities[i] * seen
        records[i, OPACITY] = shown
        records[i, LEVEL] = math.log(max(shown, ALPHA_CUT)) / np.float32(8.0)
        if shown <= ALPHA_CUT:
            boxes[i, 2] = boxes[i, 0]
