"""One frame of the demo person: march a ray per pixel, shade what it meets, smooth the edges."""

import math

import numba
import numpy as np
import numpy.typing as npt
from numba import njit, prange

from rendering.demo.looks import Look
from rendering.demo.paint import backdrop
from rendering.demo.rig import Face, build_rig
from rendering.demo.scene import distance
from rendering.demo.shade import lit
from rendering.demo.shapes import SPEED

TILE = 8
CAMERA_Y, CAMERA_Z, FOCAL = -3.6, 72.0, 3.75
NEAREST, FARTHEST = 52.0, 92.0
EDGE = 0.055  # jump of displayed brightness above which a pixel gets more rays
NOTHING = -1
SUBPIXELS = ((-0.25, -0.125), (0.25, 0.125), (-0.125, 0.25), (0.125, -0.25))


def render_frame(
    look: Look, face: Face, size: int, *, smooth: bool = True, shadow_steps: int = 23, threads: int = 2
) -> npt.NDArray[np.uint8]:
    """Draw one frame.

    Args:
        look: who.
        face: what the face does.
        size: side in pixels, a multiple of 8.
        smooth: four rays instead of one where colour or material jumps.
        shadow_steps: rays towards the light stop after this many steps.
        threads: rows of tiles are shared among this many threads.

    Returns:
        [size, size, 3] RGB. The same arguments give the same frame on one machine.
    """
    if size % TILE:
        raise ValueError(f"size must be a multiple of {TILE}")
    rig = build_rig(look, face)
    palette = np.array([*look.skin, *look.lip_colour, *look.hair_colour, *look.iris, *look.cloth])
    colour = np.empty((size, size, 3))
    what = np.empty((size, size), np.int8)
    start = np.empty((size // TILE, size // TILE))
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(threads, numba.config.NUMBA_NUM_THREADS)))
    try:
        _first_rays(rig, palette, colour, what, start, shadow_steps)
        display = _displayed(colour)
        if smooth:
            _more_rays(rig, palette, display, what, start, colour, shadow_steps)
            display = _displayed(colour)
    finally:
        numba.set_num_threads(before)
    return np.asarray((display * 255.0 + 0.5).astype(np.uint8))


def _displayed(colour: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Linear light to 0..1 for the screen: a gentle shoulder, then gamma."""
    bent = colour * (1.0 + 0.12 * colour) / (1.0 + 0.62 * colour) * 1.12
    return np.asarray(np.clip(bent, 0.0, 1.0) ** (1.0 / 2.2))


@njit(**SPEED)
def _ray(px, py, size):
    """Unit direction of a pixel position, and its place in -1..1."""
    u, v = 2.0 * px / size - 1.0, 1.0 - 2.0 * py / size
    x, y = u / FOCAL, v / FOCAL
    n = math.sqrt(x * x + y * y + 1.0)
    return x / n, y / n, -1.0 / n, u, v


@njit(**SPEED)
def _tile_start(r, row, column, size):
    """How far every ray of a tile may go without meeting anything: one wide cone for all."""
    dx, dy, dz, _u, _v = _ray((column + 0.5) * TILE, (row + 0.5) * TILE, size)
    widening = 0.72 * 2.0 * TILE / size / FOCAL
    t = NEAREST
    while t < FARTHEST:
        d, _what = distance(r, dx * t, CAMERA_Y + dy * t, CAMERA_Z + dz * t)
        free = d - widening * t
        if free < 0.15:
            return t - 0.2
        t += 0.85 * free
    return FARTHEST


@njit(**SPEED)
def _trace(r, p, px, py, size, t, steps):
    """Linear colour along one ray, and what it met."""
    dx, dy, dz, u, v = _ray(px, py, size)
    what = NOTHING
    for _ in range(90):
        if t >= FARTHEST:
            cr, cg, cb = backdrop(u, v)
            return cr, cg, cb, NOTHING
        d, what = distance(r, dx * t, CAMERA_Y + dy * t, CAMERA_Z + dz * t)
        if d < 0.005:
            break
        t += 0.85 * d
    # Out of steps means a grazing ray: the surface is the better answer, the background would draw a pale rim.
    cr, cg, cb = lit(r, p, what, dx * t, CAMERA_Y + dy * t, CAMERA_Z + dz * t, dx, dy, dz, steps)
    return cr, cg, cb, what


@njit(parallel=True, **SPEED)
def _first_rays(rig, palette, colour, what, start, steps):
    size = colour.shape[0]
    tiles = size // TILE
    for row in prange(tiles):
        r = rig[0]
        for column in range(tiles):
            t = _tile_start(r, row, column, size)
            start[row, column] = t
            for y in range(row * TILE, row * TILE + TILE):
                for x in range(column * TILE, column * TILE + TILE):
                    cr, cg, cb, met = _trace(r, palette, x + 0.5, y + 0.5, size, t, steps)
                    colour[y, x, 0], colour[y, x, 1], colour[y, x, 2] = cr, cg, cb
                    what[y, x] = met


@njit(parallel=True, **SPEED)
def _more_rays(rig, palette, display, what, start, colour, steps):
    size = colour.shape[0]
    for y in prange(size):
        r = rig[0]
        for x in range(size):
            if _is_edge(display, what, x, y):
                t = start[y // TILE, x // TILE]
                sr, sg, sb = 0.0, 0.0, 0.0
                for ox, oy in SUBPIXELS:
                    cr, cg, cb, _met = _trace(r, palette, x + 0.5 + ox, y + 0.5 + oy, size, t, steps)
                    sr, sg, sb = sr + cr, sg + cg, sb + cb
                colour[y, x, 0], colour[y, x, 1], colour[y, x, 2] = sr / 4.0, sg / 4.0, sb / 4.0


@njit(**SPEED)
def _is_edge(display, what, x, y):
    """True where a direct neighbour is another material or clearly lighter or darker."""
    size = display.shape[0]
    here = display[y, x, 0] + display[y, x, 1] + display[y, x, 2]
    for ox, oy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        nx, ny = x + ox, y + oy
        if 0 <= nx < size and 0 <= ny < size:
            there = display[ny, nx, 0] + display[ny, nx, 1] + display[ny, nx, 2]
            if what[ny, nx] != what[y, x] or abs(there - here) > 3.0 * EDGE:
                return True
    return False
