"""Kernels of the GPU rasteriser, compiled by Triton: the formulas of `records.py` and `kernels.py`, a tile a program.

Without a GPU they run in Triton's interpreter (TRITON_INTERPRET=1), slowly, which is how they are tested.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import math

import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]

TILE_PX = tl.constexpr(16)
CELLS = tl.constexpr(256)
RECORD = tl.constexpr(12)
ROW = tl.constexpr(9)
ALPHA_CUT = tl.constexpr(1.0 / 255.0)
LOWEST = tl.constexpr(math.log(1.0 / 255.0) / 8)
ALPHA_MAX = tl.constexpr(0.99)
CLEAR = tl.constexpr(0.004)
CLEAR_TEST_EVERY = tl.constexpr(32)
SMALLEST_DETERMINANT = tl.constexpr(1e-8)
SHORTEST_NORMAL = tl.constexpr(1e-6)


@triton.jit
def _tile(place, last):
    held = tl.where(place >= 0.0, tl.minimum(place, last + 0.0), 0.0)  # what is no number counts as 0
    return tl.floor(held).to(tl.int32)


@triton.jit
def _write_record(
    records, boxes, i, shown, x, y, xx, xy, yy, opacity, reach2, r, g, b, columns, rows
):
    determinant = tl.maximum(xx * yy - xy * xy, SMALLEST_DETERMINANT)
    tall, root, reach = tl.sqrt(yy), tl.sqrt(determinant), tl.sqrt(reach2)
    half_x, half_y = reach * tl.sqrt(xx), reach * tall
    at = records + i * RECORD
    tl.store(at, x, mask=shown)
    tl.store(at + 1, y, mask=shown)
    tl.store(at + 2, half_x, mask=shown)
    tl.store(at + 3, half_y, mask=shown)
    tl.store(at + 4, 0.25 * tall / root, mask=shown)
    tl.store(at + 5, -0.25 * xy / (tall * root), mask=shown)
    tl.store(at + 6, 0.25 / tall, mask=shown)
    tl.store(at + 7, tl.log(tl.maximum(opacity, ALPHA_CUT)) / 8.0, mask=shown)
    tl.store(at + 8, r, mask=shown)
    tl.store(at + 9, g, mask=shown)
    tl.store(at + 10, b, mask=shown)
    tl.store(at + 11, opacity, mask=shown)
    # Held before they become whole numbers, on both sides: a place far off the picture would wrap around in 32 bits.
    left = _tile((x - half_x) / TILE_PX, columns)
    top = _tile((y - half_y) / TILE_PX, rows)
    right = _tile((x + half_x) / TILE_PX + 1.0, columns)
    bottom = _tile((y + half_y) / TILE_PX + 1.0, rows)
    drawn = reach2 > 0.0
    box = boxes + i * 4
    tl.store(box, left, mask=shown)
    tl.store(box + 1, top, mask=shown)
    tl.store(box + 2, tl.where(drawn, right, 0), mask=shown)
    tl.store(box + 3, tl.where(drawn, bottom, 0), mask=shown)


@triton.jit
def from_arrays(means, covariances, colours, opacities, records, boxes, count, columns, rows, BLOCK: tl.constexpr):
    """As `records.from_arrays`, BLOCK splats a program."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    shown = i < count
    opacity = tl.load(opacities + i, mask=shown, other=0.0)
    reach2 = 2.0 * tl.log(tl.maximum(opacity, ALPHA_CUT) / ALPHA_CUT)
    _write_record(
        records, boxes, i, shown,
        tl.load(means + 2 * i, mask=shown, other=0.0), tl.load(means + 2 * i + 1, mask=shown, other=0.0),
        tl.load(covariances + 3 * i, mask=shown, other=1.0), tl.load(covariances + 3 * i + 1, mask=shown, other=0.0),
        tl.load(covariances + 3 * i + 2, mask=shown, other=1.0), opacity, reach2,
        tl.load(colours + 3 * i, mask=shown, other=0.0), tl.load(colours + 3 * i + 1, mask=shown, other=0.0),
        tl.load(colours + 3 * i + 2, mask=shown, other=0.0), columns, rows,
    )  # fmt: skip


@triton.jit
def from_mesh(
    vertices, corners, rest_inverses, owners, layers, features, barycentrics, linear, base, axes, lifts, opacities,
    reaches2, records, boxes, depths, unit, blur, count, columns, rows, F: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """As `records.from_mesh`, BLOCK splats a program. `linear` [F, 5, N] and `base` [5, N]; `layers` [N]."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    shown = i < count
    u = tl.load(base + i, mask=shown, other=0.0)
    w = tl.load(base + count + i, mask=shown, other=0.0)
    r = tl.load(base + 2 * count + i, mask=shown, other=0.0)
    g = tl.load(base + 3 * count + i, mask=shown, other=0.0)
    b = tl.load(base + 4 * count + i, mask=shown, other=0.0)
    layer = tl.load(layers + i, mask=shown, other=0)
    for k in range(F):
        f = tl.load(features + layer * F + k)
        at = linear + (5 * k) * count + i
        u += f * tl.load(at, mask=shown, other=0.0)
        w += f * tl.load(at + count, mask=shown, other=0.0)
        r += f * tl.load(at + 2 * count, mask=shown, other=0.0)
        g += f * tl.load(at + 3 * count, mask=shown, other=0.0)
        b += f * tl.load(at + 4 * count, mask=shown, other=0.0)
    t = tl.load(owners + i, mask=shown, other=0)
    first = 3 * tl.load(corners + 3 * t)
    second = 3 * tl.load(corners + 3 * t + 1)
    third = 3 * tl.load(corners + 3 * t + 2)
    ax, ay, az = tl.load(vertices + first), tl.load(vertices + first + 1), tl.load(vertices + first + 2)
    bx, by, bz = tl.load(vertices + second), tl.load(vertices + second + 1), tl.load(vertices + second + 2)
    cx, cy, cz = tl.load(vertices + third), tl.load(vertices + third + 1), tl.load(vertices + third + 2)
    fx, fy, fz, sx, sy, sz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
    i00, i01 = tl.load(rest_inverses + 4 * t), tl.load(rest_inverses + 4 * t + 1)
    i10, i11 = tl.load(rest_inverses + 4 * t + 2), tl.load(rest_inverses + 4 * t + 3)
    j00, j01, j10, j11 = fx * i00 + sx * i10, fx * i01 + sx * i11, fy * i00 + sy * i10, fy * i01 + sy * i11
    nx, ny, nz = fy * sz - fz * sy, fz * sx - fx * sz, fx * sy - fy * sx
    length = tl.maximum(tl.sqrt(nx * nx + ny * ny + nz * nz), SHORTEST_NORMAL)
    lift = tl.load(lifts + i, mask=shown, other=0.0) * unit * tl.where(nz > 0, -1.0, 1.0) / length
    p = tl.load(barycentrics + 3 * i, mask=shown, other=0.0)
    q = tl.load(barycentrics + 3 * i + 1, mask=shown, other=0.0)
    o = tl.load(barycentrics + 3 * i + 2, mask=shown, other=0.0)
    x = p * ax + q * bx + o * cx + lift * nx + j00 * u + j01 * w
    y = p * ay + q * by + o * cy + lift * ny + j10 * u + j11 * w
    tl.store(depths + i, -(p * az + q * bz + o * cz + lift * nz), mask=shown)
    a00, a01 = tl.load(axes + 4 * i, mask=shown, other=0.0), tl.load(axes + 4 * i + 1, mask=shown, other=0.0)
    a10, a11 = tl.load(axes + 4 * i + 2, mask=shown, other=0.0), tl.load(axes + 4 * i + 3, mask=shown, other=0.0)
    m00, m01, m10, m11 = j00 * a00 + j01 * a10, j00 * a01 + j01 * a11, j10 * a00 + j11 * a10, j10 * a01 + j11 * a11
    _write_record(
        records, boxes, i, shown, x, y, m00 * m00 + m01 * m01 + blur, m00 * m10 + m01 * m11,
        m10 * m10 + m11 * m11 + blur, tl.load(opacities + i, mask=shown, other=0.0),
        tl.load(reaches2 + i, mask=shown, other=0.0), r, g, b, columns, rows,
    )  # fmt: skip


@triton.jit
def _alpha_at(record, column, row):
    """What one splat covers at pixel centres, before the cap; 0 below the cut."""
    s, q, t = tl.load(record + 4), tl.load(record + 5), tl.load(record + 6)
    dx, dy = column - tl.load(record), row - tl.load(record + 1)
    u, v = s * dx + q * dy, t * dy
    exponent = tl.load(record + 7) - u * u - v * v
    return tl.where(exponent >= LOWEST, tl.exp(8.0 * exponent), 0.0), dx, dy, u, v


@triton.jit
def composite(records, pairs, starts, stops, backdrop, picture, transmittance, height, width):
    """Draw one tile and note one past the last pair composited."""
    tile = tl.program_id(0)
    columns = (width + TILE_PX - 1) // TILE_PX
    cell = tl.arange(0, CELLS)
    x, y = (tile % columns) * TILE_PX + cell % TILE_PX, (tile // columns) * TILE_PX + cell // TILE_PX
    column, row = x.to(tl.float32) + 0.5, y.to(tl.float32) + 0.5
    r = tl.zeros((CELLS,), tl.float32)
    g = tl.zeros((CELLS,), tl.float32)
    b = tl.zeros((CELLS,), tl.float32)
    through = tl.full((CELLS,), 1.0, tl.float32)
    pair, end = tl.load(starts + tile).to(tl.int32), tl.load(starts + tile + 1).to(tl.int32)
    most = 1.0
    while (pair < end) & (most >= CLEAR):
        chunk_end = tl.minimum(pair + CLEAR_TEST_EVERY, end)
        while pair < chunk_end:
            record = records + tl.load(pairs + pair) * RECORD
            alpha, _dx, _dy, _u, _v = _alpha_at(record, column, row)
            weight = tl.minimum(alpha, ALPHA_MAX) * through
            r += weight * tl.load(record + 8)
            g += weight * tl.load(record + 9)
            b += weight * tl.load(record + 10)
            through -= weight
            pair += 1
        most = tl.max(through, 0)
    tl.store(stops + tile, pair)
    inside = (x < width) & (y < height)
    at = y * width + x
    tl.store(picture + 3 * at, r + through * tl.load(backdrop + 3 * at, mask=inside, other=0.0), mask=inside)
    tl.store(picture + 3 * at + 1, g + through * tl.load(backdrop + 3 * at + 1, mask=inside, other=0.0), mask=inside)
    tl.store(picture + 3 * at + 2, b + through * tl.load(backdrop + 3 * at + 2, mask=inside, other=0.0), mask=inside)
    tl.store(transmittance + at, through, mask=inside)


@triton.jit
def replay(records, pairs, starts, stops, picture, gradient, rows, height, width):
    """As `kernels.replay_tile`: one gradient row for each pair of a tile, no atomic additions."""
    tile = tl.program_id(0)
    columns = (width + TILE_PX - 1) // TILE_PX
    cell = tl.arange(0, CELLS)
    x, y = (tile % columns) * TILE_PX + cell % TILE_PX, (tile // columns) * TILE_PX + cell // TILE_PX
    column, row = x.to(tl.float32) + 0.5, y.to(tl.float32) + 0.5
    inside = (x < width) & (y < height)
    at = 3 * (y * width + x)
    d_r = tl.load(gradient + at, mask=inside, other=0.0)
    d_g = tl.load(gradient + at + 1, mask=inside, other=0.0)
    d_b = tl.load(gradient + at + 2, mask=inside, other=0.0)
    rest = d_r * tl.load(picture + at, mask=inside, other=0.0)
    rest += d_g * tl.load(picture + at + 1, mask=inside, other=0.0)
    rest += d_b * tl.load(picture + at + 2, mask=inside, other=0.0)
    through = tl.full((CELLS,), 1.0, tl.float32)
    pair, end = tl.load(starts + tile).to(tl.int32), tl.load(stops + tile)
    while pair < end:
        record = records + tl.load(pairs + pair) * RECORD
        raw, dx, dy, u, v = _alpha_at(record, column, row)
        alpha = tl.minimum(raw, ALPHA_MAX)
        weight = alpha * through
        own = tl.load(record + 8) * d_r + tl.load(record + 9) * d_g + tl.load(record + 10) * d_b
        rest -= weight * own
        by_level = tl.where(raw < ALPHA_MAX, (own * through - rest / (1.0 - alpha)) * raw, 0.0)
        through -= weight
        by_u, by_v = tl.sum(by_level * u, 0), tl.sum(by_level * v, 0)
        out = rows + pair * ROW
        s, q, t = tl.load(record + 4), tl.load(record + 5), tl.load(record + 6)
        tl.store(out, 16.0 * s * by_u)
        tl.store(out + 1, 16.0 * (q * by_u + t * by_v))
        tl.store(out + 2, -0.5 * tl.sum(by_level * dx * dx, 0))
        tl.store(out + 3, -tl.sum(by_level * dx * dy, 0))
        tl.store(out + 4, -0.5 * tl.sum(by_level * dy * dy, 0))
        tl.store(out + 5, tl.sum(weight * d_r, 0))
        tl.store(out + 6, tl.sum(weight * d_g, 0))
        tl.store(out + 7, tl.sum(weight * d_b, 0))
        tl.store(out + 8, tl.sum(by_level, 0) / tl.load(record + 11))
        pair += 1


@triton.jit
def _channel(picture, at, inside):
    """One colour of a pixel as a whole number 0..255, in float."""
    value = tl.load(picture + at, mask=inside, other=0.0) * 255.0 + 0.5
    return tl.floor(tl.minimum(tl.maximum(value, 0.0), 255.0))


@triton.jit
def to_i420(picture, y_plane, u_plane, v_plane, height, width, BLOCK: tl.constexpr):
    """A float RGB picture as I420 planes, limited range BT.601; chroma is that of each square's upper left pixel.

    A program writes BLOCK chroma pixels and the four luma pixels of each. The weights are those of OpenCV's
    COLOR_RGB2YUV_I420, which takes the same pixel for chroma.
    """
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    half = width // 2
    inside = place < half * (height // 2)
    row, column = 2 * (place // half), 2 * (place % half)
    for down in tl.static_range(2):
        for across in tl.static_range(2):
            at = (row + down) * width + column + across
            r, g, b = _channel(picture, 3 * at, inside), _channel(picture, 3 * at + 1, inside), _channel(
                picture, 3 * at + 2, inside
            )
            luma = 0.25678824 * r + 0.50412941 * g + 0.09790588 * b + 16.5
            tl.store(y_plane + at, luma.to(tl.uint8), mask=inside)
            if down == 0 and across == 0:
                u = -0.14822290 * r - 0.29099279 * g + 0.43921569 * b + 128.5
                v = 0.43921569 * r - 0.36778831 * g - 0.07142737 * b + 128.5
                tl.store(u_plane + place, u.to(tl.uint8), mask=inside)
                tl.store(v_plane + place, v.to(tl.uint8), mask=inside)
