"""Kernels of the processor rasteriser, compiled by numba. Shapes and meaning are those of `cpu.py`.

All kernels that call each other stand in this one file: numba's cache of compiled code notices a change in a kernel's
own file, not in a file it calls into.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

TILE_PX = 16
CELLS = TILE_PX * TILE_PX
ROW = 9  # one gradient row per (tile, splat) pair: mean 2, conic 3, colour 3, opacity 1
ALPHA_CUT = np.float32(1.0 / 255.0)
ALPHA_MAX = np.float32(0.99)
CLEAR = np.float32(0.004)  # a tile is finished when no pixel lets more than this through
CLEAR_TEST_EVERY = 32  # splats between two looks at the tile's transmittance
DEPTH_LEVELS = 65536
ONE = np.float32(1.0)
HALF = np.float32(0.5)


@njit(cache=True, nogil=True, fastmath=True)
def extents(means, covariances, opacities, height, width):
    """Inverse covariances, reach and tile boxes [N, 4] (first column, first row, one past last column, row)."""
    count = means.shape[0]
    conics = np.empty((count, 3), np.float32)
    reach2 = np.empty(count, np.float32)
    boxes = np.zeros((count, 4), np.int32)
    tile_columns = (width + TILE_PX - 1) // TILE_PX
    tile_rows = (height + TILE_PX - 1) // TILE_PX
    for i in range(count):
        xx, xy, yy = covariances[i, 0], covariances[i, 1], covariances[i, 2]
        inverse = ONE / max(xx * yy - xy * xy, np.float32(1e-8))
        conics[i, 0] = yy * inverse
        conics[i, 1] = -xy * inverse
        conics[i, 2] = xx * inverse
        reach2[i] = 0.0
        if opacities[i] <= ALPHA_CUT:
            continue
        reach2[i] = np.float32(2.0) * math.log(opacities[i] / ALPHA_CUT)
        half_x = math.sqrt(reach2[i] * xx)
        half_y = math.sqrt(reach2[i] * yy)
        boxes[i, 0] = max(0, int(math.floor((means[i, 0] - half_x) / TILE_PX)))
        boxes[i, 1] = max(0, int(math.floor((means[i, 1] - half_y) / TILE_PX)))
        boxes[i, 2] = min(tile_columns, int(math.floor((means[i, 0] + half_x) / TILE_PX)) + 1)
        boxes[i, 3] = min(tile_rows, int(math.floor((means[i, 1] + half_y) / TILE_PX)) + 1)
    return conics, reach2, boxes


@njit(cache=True, nogil=True)
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
        levels[i] = int((nearest - depths[i]) * scale)
        starts[levels[i] + 1] += 1
    for level in range(DEPTH_LEVELS):
        starts[level + 1] += starts[level]
    order = np.empty(count, np.int32)
    for i in range(count):
        order[starts[levels[i]]] = i
        starts[levels[i]] += 1
    return order


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _exp(x):
    # A bounded power form of the exponential: eight multiplications, no call, so the pixel loop vectorises.
    value = max(ONE + x * np.float32(1.0 / 256.0), np.float32(0.0))
    value = value * value
    value = value * value
    value = value * value
    value = value * value
    value = value * value
    value = value * value
    value = value * value
    return value * value


@njit(cache=True, nogil=True, fastmath=True)
def composite_tile(
    tile, means, conics, reach2, colours, opacities, pairs, starts, backdrop, picture, transmittance
):
    """Draw one tile; return one past the last pair composited."""
    height, width = transmittance.shape
    tile_columns = (width + TILE_PX - 1) // TILE_PX
    x0 = (tile % tile_columns) * TILE_PX
    y0 = (tile // tile_columns) * TILE_PX
    x1, y1 = min(x0 + TILE_PX, width), min(y0 + TILE_PX, height)
    # Red, green, blue and transmittance lie in one array: the compiler can then prove that they do not overlap.
    cells = np.zeros(4 * CELLS, np.float32)
    cells[3 * CELLS :] = 1.0
    stop = starts[tile + 1]
    for pair in range(starts[tile], starts[tile + 1]):
        if (pair - starts[tile]) % CLEAR_TEST_EVERY == CLEAR_TEST_EVERY - 1:
            most = np.float32(0.0)
            for y in range(y1 - y0):
                for x in range(x1 - x0):
                    most = max(most, cells[3 * CELLS + y * TILE_PX + x])
            if most < CLEAR:
                stop = pair
                break
        i = pairs[pair]
        a, b, c = conics[i, 0], conics[i, 1], conics[i, 2]
        mean_x, mean_y = means[i, 0], means[i, 1]
        half_y = math.sqrt(reach2[i] * a / max(a * c - b * b, np.float32(1e-12)))
        r, g, bl, opacity = colours[i, 0], colours[i, 1], colours[i, 2], opacities[i]
        y_first = max(y0, int(math.ceil(mean_y - half_y - HALF)))
        y_last = min(y1, int(math.floor(mean_y + half_y - HALF)) + 1)
        for y in range(y_first, y_last):
            dy = np.float32(y) + HALF - mean_y
            base = ((y - y0) & (TILE_PX - 1)) * TILE_PX  # the mask proves to the compiler that it is not negative
            level = -HALF * c * dy * dy
            slope = b * dy
            start = np.float32(x0) + HALF - mean_x
            # Whole tile rows of constant length, so that the compiler uses the widest vectors; what the ellipse does
            # not reach falls below the cut.
            for x in range(TILE_PX):
                dx = start + np.float32(x)
                alpha = min(opacity * _exp(level - dx * (HALF * a * dx + slope)), ALPHA_MAX)
                alpha = alpha if alpha >= ALPHA_CUT else np.float32(0.0)
                weight = alpha * cells[3 * CELLS + base + x]
                cells[base + x] += weight * r
                cells[CELLS + base + x] += weight * g
                cells[2 * CELLS + base + x] += weight * bl
                cells[3 * CELLS + base + x] -= weight
    for y in range(y0, y1):
        for x in range(x0, x1):
            cell = (y - y0) * TILE_PX + x - x0
            through = cells[3 * CELLS + cell]
            picture[y, x, 0] = cells[cell] + through * backdrop[y, x, 0]
            picture[y, x, 1] = cells[CELLS + cell] + through * backdrop[y, x, 1]
            picture[y, x, 2] = cells[2 * CELLS + cell] + through * backdrop[y, x, 2]
            transmittance[y, x] = through
    return stop


@njit(cache=True, nogil=True, fastmath=True)
def replay_tile(
    tile, means, conics, reach2, colours, opacities, pairs, starts, stops, picture, picture_gradient, rows
):
    """Walk one tile again from near to far and fill one gradient row per pair.

    What lies behind a splat is the final picture less what was composited so far, so no second pass is needed.
    """
    height, width = picture.shape[:2]
    tile_columns = (width + TILE_PX - 1) // TILE_PX
    x0 = (tile % tile_columns) * TILE_PX
    y0 = (tile // tile_columns) * TILE_PX
    x1, y1 = min(x0 + TILE_PX, width), min(y0 + TILE_PX, height)
    # Picture gradient (three planes), transmittance, and the gradient-weighted colour of everything not yet
    # composited; then one row of sums per derivative. One array, for the reason given in `composite_tile`.
    cells = np.zeros(5 * CELLS + ROW * TILE_PX, np.float32)
    cells[3 * CELLS : 4 * CELLS] = 1.0
    for y in range(y0, y1):
        for x in range(x0, x1):
            cell = (y - y0) * TILE_PX + x - x0
            for channel in range(3):
                cells[channel * CELLS + cell] = picture_gradient[y, x, channel]
                cells[4 * CELLS + cell] += picture[y, x, channel] * picture_gradient[y, x, channel]
    for pair in range(starts[tile], stops[tile]):
        i = pairs[pair]
        a, b, c = conics[i, 0], conics[i, 1], conics[i, 2]
        mean_x, mean_y = means[i, 0], means[i, 1]
        half_y = math.sqrt(reach2[i] * a / max(a * c - b * b, np.float32(1e-12)))
        r, g, bl, opacity = colours[i, 0], colours[i, 1], colours[i, 2], opacities[i]
        y_first = max(y0, int(math.ceil(mean_y - half_y - HALF)))
        y_last = min(y1, int(math.floor(mean_y + half_y - HALF)) + 1)
        cells[5 * CELLS :] = 0.0
        for y in range(y_first, y_last):
            dy = np.float32(y) + HALF - mean_y
            base = ((y - y0) & (TILE_PX - 1)) * TILE_PX  # the mask proves to the compiler that it is not negative
            level = -HALF * c * dy * dy
            slope = b * dy
            start = np.float32(x0) + HALF - mean_x
            for x in range(TILE_PX):
                dx = start + np.float32(x)
                density = _exp(level - dx * (HALF * a * dx + slope))
                raw = opacity * density
                alpha = min(raw, ALPHA_MAX)
                alpha = alpha if raw >= ALPHA_CUT else np.float32(0.0)
                through = cells[3 * CELLS + base + x]
                weight = alpha * through
                d_r, d_g = cells[base + x], cells[CELLS + base + x]
                d_b = cells[2 * CELLS + base + x]
                own = r * d_r + g * d_g + bl * d_b
                rest = cells[4 * CELLS + base + x] - weight * own
                cells[4 * CELLS + base + x] = rest
                cells[3 * CELLS + base + x] = through - weight
                d_alpha = own * through - rest / (ONE - alpha)
                d_alpha = d_alpha if raw >= ALPHA_CUT else np.float32(0.0)
                d_alpha = d_alpha if raw < ALPHA_MAX else np.float32(0.0)
                d_power = d_alpha * raw
                cells[5 * CELLS + x] += d_power * (a * dx + slope)
                cells[5 * CELLS + TILE_PX + x] += d_power * (c * dy + b * dx)
                cells[5 * CELLS + 2 * TILE_PX + x] -= HALF * d_power * dx * dx
                cells[5 * CELLS + 3 * TILE_PX + x] -= d_power * dx * dy
                cells[5 * CELLS + 4 * TILE_PX + x] -= HALF * d_power * dy * dy
                cells[5 * CELLS + 5 * TILE_PX + x] += weight * d_r
                cells[5 * CELLS + 6 * TILE_PX + x] += weight * d_g
                cells[5 * CELLS + 7 * TILE_PX + x] += weight * d_b
                cells[5 * CELLS + 8 * TILE_PX + x] += d_alpha * density
        for column in range(ROW):
            total = np.float32(0.0)
            for x in range(TILE_PX):
                total += cells[5 * CELLS + column * TILE_PX + x]
            rows[pair, column] = total


@njit(cache=True, nogil=True)
def reduce_rows(rows, pairs, count):
    """Sum the gradient rows of each splat: [count, ROW]."""
    sums = np.zeros((count, ROW), np.float32)
    for pair in range(pairs.size):
        for column in range(ROW):
            sums[pairs[pair], column] += rows[pair, column]
    return sums


@njit(cache=True, nogil=True, fastmath=True)
def conic_to_covariance(conics, conic_gradients):
    """Turn gradients by the inverse covariance into gradients by the covariance: dV = -Q dQ Q."""
    out = np.empty_like(conics)
    for i in range(conics.shape[0]):
        a, b, c = conics[i, 0], conics[i, 1], conics[i, 2]
        p, q, r = conic_gradients[i, 0], conic_gradients[i, 1] * HALF, conic_gradients[i, 2]
        left_00, left_01 = a * p + b * q, a * q + b * r
        left_10, left_11 = b * p + c * q, b * q + c * r
        out[i, 0] = -(left_00 * a + left_01 * b)
        out[i, 1] = -(left_00 * b + left_01 * c + left_10 * a + left_11 * b)
        out[i, 2] = -(left_10 * b + left_11 * c)
    return out


@njit(cache=True, nogil=True, fastmath=True)
def composite_serial(
    means, conics, reach2, colours, opacities, pairs, starts, stops, backdrop, picture, transmittance
):
    for tile in range(stops.size):
        stops[tile] = composite_tile(
            tile, means, conics, reach2, colours, opacities, pairs, starts, backdrop, picture, transmittance
        )


@njit(cache=True, nogil=True, fastmath=True, parallel=True)
def composite_parallel(
    means, conics, reach2, colours, opacities, pairs, starts, stops, backdrop, picture, transmittance
):
    for tile in prange(stops.size):
        stops[tile] = composite_tile(
            tile, means, conics, reach2, colours, opacities, pairs, starts, backdrop, picture, transmittance
        )


@njit(cache=True, nogil=True, fastmath=True, parallel=True)
def replay_parallel(
    means, conics, reach2, colours, opacities, pairs, starts, stops, picture, picture_gradient, rows
):
    for tile in prange(stops.size):
        replay_tile(
            tile, means, conics, reach2, colours, opacities, pairs, starts, stops, picture, picture_gradient, rows
        )
