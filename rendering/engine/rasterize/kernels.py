"""Kernels of the processor rasteriser, compiled by numba. Shapes and meaning are those of `splats.py`.

All kernels that call each other stand in one file: numba's cache of compiled code notices a change in a kernel's own
file, not in a file it calls into.

A tile's pixels stand in two halves of eight columns, each half row by row. So what a splat can reach of a half, some
whole rows of it, is one unbroken run of pixels, and one loop over vectors of eight draws it: no work per row, and none
in a half that the splat does not reach.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from rendering.engine.rasterize.records import (
    BLUE,
    GREEN,
    HALF_X,
    HALF_Y,
    LEVEL,
    OPACITY,
    RED,
    TILE_PX,
    Q,
    S,
    T,
    X,
    Y,
)

CELLS = TILE_PX * TILE_PX
LANES = TILE_PX // 2  # columns of half a tile
HALF_CELLS = CELLS // 2
ROW = 9  # one gradient row per (tile, splat) pair: mean 2, inverse covariance 3, colour 3, opacity 1
ALPHA_MAX = np.float32(0.99)
CLEAR = np.float32(0.004)  # a tile is finished when no pixel lets more than this through
CLEAR_TEST_EVERY = 32  # splats between two looks at the tile's transmittance
DEPTH_LEVELS = 65536
ONE = np.float32(1.0)
HALF = np.float32(0.5)
# exp(x) = cubic(x / 8) ** 8, the cubic fitted to exp on 0..ln(1/255)/8 with an even relative error of 8e-5.
EXP_0, EXP_1, EXP_2, EXP_3 = (np.float32(c) for c in (0.99992005, 0.99679075, 0.47828431, 0.11655246))
LOWEST = np.float32(math.log(1.0 / 255.0) / 8)  # of ln(alpha) / 8: a splat is not drawn where it would be less


@njit(cache=True, nogil=True, error_model="numpy")
def depth_order(depths):
    """Splat indices from the nearest to the farthest: a stable counting sort on 16-bit depth."""
    count = depths.size
    nearest, farthest = depths[0], depths[0]
    for i in range(count):
        nearest = max(nearest, depths[i])
        farthest = min(farthest, depths[i])
    scale = np.float32(DEPTH_LEVELS - 1) / max(nearest - farthest, np.float32(1e-12))
    levels = np.empty(count, np.int32)
    starts = np.zeros(DEPTH_LEVELS + 1, np.int32)
    for i in range(count):
        levels[i] = min(DEPTH_LEVELS - 1, max(0, int((nearest - depths[i]) * scale)))  # whatever a depth is
        starts[levels[i] + 1] += 1
    for level in range(DEPTH_LEVELS):
        starts[level + 1] += starts[level]
    order = np.empty(count, np.int32)
    for i in range(count):
        order[starts[levels[i]]] = i
        starts[levels[i]] += 1
    return order


@njit(cache=True, nogil=True, error_model="numpy")
def bin_tiles(boxes, order, height, width):
    """List the splats of each tile near to far: pairs [M] and the first pair of each tile [tiles + 1]."""
    tile_columns = (width + TILE_PX - 1) // TILE_PX
    tile_rows = (height + TILE_PX - 1) // TILE_PX
    starts = np.zeros(tile_columns * tile_rows + 1, np.int64)
    for i in range(boxes.shape[0]):
        for row in range(boxes[i, 1], boxes[i, 3]):
            for column in range(boxes[i, 0], boxes[i, 2]):
                starts[row * tile_columns + column + 1] += 1
    for tile in range(tile_columns * tile_rows):
        starts[tile + 1] += starts[tile]
    pairs = np.empty(starts[-1], np.int32)
    cursor = starts[:-1].copy()
    for position in range(order.size):
        i = order[position]
        for row in range(boxes[i, 1], boxes[i, 3]):
            for column in range(boxes[i, 0], boxes[i, 2]):
                tile = row * tile_columns + column
                pairs[cursor[tile]] = i
                cursor[tile] += 1
    return pairs, starts


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _alpha(exponent):
    # `exponent` is ln(alpha) / 8. Few operations and no call, so that the pixel loop becomes vector code.
    x = max(exponent, LOWEST)
    value = EXP_0 + x * (EXP_1 + x * (EXP_2 + x * EXP_3))
    value = value * value
    value = value * value
    return value * value if exponent >= LOWEST else np.float32(0.0)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def composite_tile(tile, records, pairs, starts, backdrop, picture, transmittance):
    """Draw one tile; return one past the last pair composited."""
    height, width = transmittance.shape
    tile_columns = (width + TILE_PX - 1) // TILE_PX
    x0 = (tile % tile_columns) * TILE_PX
    y0 = (tile // tile_columns) * TILE_PX
    # Red, green, blue, transmittance, and each pixel's own place in the tile lie in one array: the compiler can then
    # prove that they do not overlap.
    cells = np.zeros(6 * CELLS, np.float32)
    cells[3 * CELLS : 4 * CELLS] = 1.0
    for cell in range(CELLS):
        cells[4 * CELLS + cell] = np.float32(cell // HALF_CELLS * LANES + cell % LANES) + HALF
        cells[5 * CELLS + cell] = np.float32(cell // LANES % TILE_PX) + HALF
    stop = starts[tile + 1]
    for pair in range(starts[tile], starts[tile + 1]):
        if (pair - starts[tile]) % CLEAR_TEST_EVERY == CLEAR_TEST_EVERY - 1:
            most = np.float32(0.0)
            for cell in range(CELLS):
                most = max(most, cells[3 * CELLS + cell])
            if most < CLEAR:
                stop = pair
                break
        record = records[np.uint32(pairs[pair])]
        x, y = record[X] - np.float32(x0), record[Y] - np.float32(y0)
        half_x, half_y = record[HALF_X], record[HALF_Y]
        first_row = max(0, int(math.ceil(y - half_y - HALF)))
        last_row = min(TILE_PX, int(math.floor(y + half_y - HALF)) + 1)
        if last_row <= first_row:
            continue
        s, q, t, level = record[S], record[Q], record[T], record[LEVEL]
        r, g, b = record[RED], record[GREEN], record[BLUE]
        u0, v0 = -(s * x + q * y), -t * y
        run = ((last_row - first_row) * LANES) & (2 * HALF_CELLS - LANES)  # the mask proves that it is a multiple of 8
        first_half = 1 if x - half_x >= np.float32(LANES) else 0
        last_half = 1 if x + half_x <= np.float32(LANES) else 2
        for half in range(first_half, last_half):
            base = (half * HALF_CELLS + first_row * LANES) & (CELLS - 1)
            for k in range(run):
                row = cells[5 * CELLS + base + k]
                u = s * cells[4 * CELLS + base + k] + (q * row + u0)
                v = t * row + v0
                through = cells[3 * CELLS + base + k]
                weight = min(_alpha(level - u * u - v * v), ALPHA_MAX) * through
                cells[base + k] += weight * r
                cells[CELLS + base + k] += weight * g
                cells[2 * CELLS + base + k] += weight * b
                cells[3 * CELLS + base + k] = through - weight
    for y in range(y0, min(y0 + TILE_PX, height)):
        for x in range(x0, min(x0 + TILE_PX, width)):
            cell = (x - x0) // LANES * HALF_CELLS + (y - y0) * LANES + (x - x0) % LANES
            through = cells[3 * CELLS + cell]
            picture[y, x, 0] = cells[cell] + through * backdrop[y, x, 0]
            picture[y, x, 1] = cells[CELLS + cell] + through * backdrop[y, x, 1]
            picture[y, x, 2] = cells[2 * CELLS + cell] + through * backdrop[y, x, 2]
            transmittance[y, x] = through
    return stop


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def replay_tile(tile, records, pairs, starts, stops, picture, picture_gradient, rows):
    """Walk one tile again from near to far and fill one gradient row per pair.

    What lies behind a splat is the final picture less what was composited so far, so no second pass is needed.
    """
    height, width = picture.shape[:2]
    tile_columns = (width + TILE_PX - 1) // TILE_PX
    x0 = (tile % tile_columns) * TILE_PX
    y0 = (tile // tile_columns) * TILE_PX
    # Picture gradient (three planes), transmittance, the gradient-weighted colour of everything not yet composited,
    # and each pixel's place. One array, for the reason given in `composite_tile`.
    cells = np.zeros(7 * CELLS, np.float32)
    cells[3 * CELLS : 4 * CELLS] = 1.0
    for cell in range(CELLS):
        cells[5 * CELLS + cell] = np.float32(cell // HALF_CELLS * LANES + cell % LANES) + HALF
        cells[6 * CELLS + cell] = np.float32(cell // LANES % TILE_PX) + HALF
    for y in range(y0, min(y0 + TILE_PX, height)):
        for x in range(x0, min(x0 + TILE_PX, width)):
            cell = (x - x0) // LANES * HALF_CELLS + (y - y0) * LANES + (x - x0) % LANES
            for channel in range(3):
                cells[channel * CELLS + cell] = picture_gradient[y, x, channel]
                cells[4 * CELLS + cell] += picture[y, x, channel] * picture_gradient[y, x, channel]
    for pair in range(starts[tile], stops[tile]):
        record = records[np.uint32(pairs[pair])]
        x, y = record[X] - np.float32(x0), record[Y] - np.float32(y0)
        half_x, half_y = record[HALF_X], record[HALF_Y]
        first_row = max(0, int(math.ceil(y - half_y - HALF)))
        last_row = min(TILE_PX, int(math.floor(y + half_y - HALF)) + 1)
        if last_row <= first_row:
            continue
        s, q, t, level = record[S], record[Q], record[T], record[LEVEL]
        r, g, b = record[RED], record[GREEN], record[BLUE]
        run = ((last_row - first_row) * LANES) & (2 * HALF_CELLS - LANES)
        first_half = 1 if x - half_x >= np.float32(LANES) else 0
        last_half = 1 if x + half_x <= np.float32(LANES) else 2
        by_u = by_v = by_xx = by_xy = by_yy = by_r = by_g = by_b = by_level = np.float32(0.0)
        for half in range(first_half, last_half):
            base = (half * HALF_CELLS + first_row * LANES) & (CELLS - 1)
            for k in range(run):
                dx = cells[5 * CELLS + base + k] - x
                dy = cells[6 * CELLS + base + k] - y
                u = s * dx + q * dy
                v = t * dy
                raw = _alpha(level - u * u - v * v)
                alpha = min(raw, ALPHA_MAX)
                through = cells[3 * CELLS + base + k]
                weight = alpha * through
                d_r, d_g, d_b = cells[base + k], cells[CELLS + base + k], cells[2 * CELLS + base + k]
                own = r * d_r + g * d_g + b * d_b
                rest = cells[4 * CELLS + base + k] - weight * own
                cells[4 * CELLS + base + k] = rest
                cells[3 * CELLS + base + k] = through - weight
                d_level = (own * through - rest / (ONE - alpha)) * raw
                d_level = d_level if raw < ALPHA_MAX else np.float32(0.0)
                by_u += d_level * u
                by_v += d_level * v
                by_xx += d_level * dx * dx
                by_xy += d_level * dx * dy
                by_yy += d_level * dy * dy
                by_r += weight * d_r
                by_g += weight * d_g
                by_b += weight * d_b
                by_level += d_level
        # ln(alpha) = 8 (level - u u - v v), and half the inverse covariance is 8 times the factor's square.
        row = rows[pair]
        row[0], row[1] = np.float32(16.0) * s * by_u, np.float32(16.0) * (q * by_u + t * by_v)
        row[2], row[3], row[4] = -HALF * by_xx, -by_xy, -HALF * by_yy
        row[5], row[6], row[7] = by_r, by_g, by_b
        row[8] = by_level / record[OPACITY]


@njit(cache=True, nogil=True, error_model="numpy")
def reduce_rows(rows, pairs, count):
    """Sum the gradient rows of each splat: [count, ROW]."""
    sums = np.zeros((count, ROW), np.float32)
    for pair in range(pairs.size):
        for column in range(ROW):
            sums[pairs[pair], column] += rows[pair, column]
    return sums


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def conic_to_covariance(records, conic_gradients):
    """Turn gradients by the inverse covariance Q into gradients by the covariance: dV = -Q dQ Q."""
    out = np.empty_like(conic_gradients)
    for i in range(records.shape[0]):
        s, q, t = np.float32(4.0) * records[i, S], np.float32(4.0) * records[i, Q], np.float32(4.0) * records[i, T]
        a, b, c = s * s, s * q, q * q + t * t
        d_xx, d_xy, d_yy = conic_gradients[i, 0], conic_gradients[i, 1] * HALF, conic_gradients[i, 2]
        left_00, left_01 = a * d_xx + b * d_xy, a * d_xy + b * d_yy
        left_10, left_11 = b * d_xx + c * d_xy, b * d_xy + c * d_yy
        out[i, 0] = -(left_00 * a + left_01 * b)
        out[i, 1] = -(left_00 * b + left_01 * c + left_10 * a + left_11 * b)
        out[i, 2] = -(left_10 * b + left_11 * c)
    return out


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def composite_serial(records, pairs, starts, stops, backdrop, picture, transmittance):
    for tile in range(stops.size):
        stops[tile] = composite_tile(tile, records, pairs, starts, backdrop, picture, transmittance)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", parallel=True)
def composite_parallel(records, pairs, starts, stops, backdrop, picture, transmittance):
    for tile in prange(stops.size):
        stops[tile] = composite_tile(tile, records, pairs, starts, backdrop, picture, transmittance)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", parallel=True)
def replay_parallel(records, pairs, starts, stops, picture, picture_gradient, rows):
    for tile in prange(stops.size):
        replay_tile(tile, records, pairs, starts, stops, picture, picture_gradient, rows)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def to_bytes(picture):
    """A float picture [H, W, 3] as uint8, rounded and held within 0..255."""
    flat = picture.reshape(-1)
    out = np.empty(flat.size, np.uint8)
    for i in range(flat.size):
        value = flat[i] * np.float32(255.0) + HALF
        out[i] = np.uint8(np.int32(min(max(value, np.float32(0.0)), np.float32(255.0))))
    return out.reshape(picture.shape)
