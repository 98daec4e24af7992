"""Light on a hit point: a soft key from the upper left, fill, sky, openness, gloss."""

import math

from numba import njit

from rendering.demo.paint import cloth_colour, eye_colour, hair_colour, mixed, skin_colour
from rendering.demo.scene import CLOTH, DARK, EYE, HAIR, SKIN, TEETH, TONGUE, normal, occlusion, shadow, to_head
from rendering.demo.shapes import SPEED, clamp

KEY_X, KEY_Y, KEY_Z = -0.525, 0.505, 0.685  # unit length
CATCH_X, CATCH_Y, CATCH_Z = -0.36, 0.40, 0.84


@njit(**SPEED)
def wrapped(nl, w):
    """Diffuse light that reaches a little round the edge, as it does through skin."""
    return max(0.0, (nl + w) / (1.0 + w))


@njit(**SPEED)
def lit(r, p, what, x, y, z, dx, dy, dz, steps):
    """Linear colour of the point (x, y, z) of material `what`, seen along (dx, dy, dz)."""
    if what == DARK:
        return 0.020, 0.007, 0.006
    nx, ny, nz = normal(r, x, y, z, 0.10 if what == HAIR else 0.03)
    hx, hy, hz = to_head(r, x, y, z)
    facing = nx * KEY_X + ny * KEY_Y + nz * KEY_Z
    key = shadow(r, x, y, z, KEY_X, KEY_Y, KEY_Z, steps) if facing > -0.35 else 0.15
    open_ = occlusion(r, x, y, z, nx, ny, nz)
    gloss, catch = 0.0, 0.0
    if what == SKIN:
        cr, cg, cb, gloss = skin_colour(r, p, hx, hy, hz)
    elif what == HAIR:
        cr, cg, cb, gloss = hair_colour(r, p, hx, hy, hz)
    elif what == CLOTH:
        cr, cg, cb = cloth_colour(p, x, y, z)
    elif what == EYE:
        cr, cg, cb, catch = eye_colour(r, p, hx, hy, hz)
    elif what == TEETH:
        cr, cg, cb = 0.60, 0.57, 0.51
        key, open_ = max(key, 0.55), max(open_, 0.55)  # light also enters through the lips
    else:
        cr, cg, cb = 0.42, 0.14, 0.13
        key, open_ = max(key, 0.4), max(open_, 0.5)
    soft = what in (SKIN, TONGUE)
    wr, wg, wb = (0.35, 0.22, 0.16) if soft else (0.3, 0.3, 0.3)
    fill = max(0.0, 0.72 * nx + 0.15 * ny + 0.68 * nz) + max(0.0, nz)
    up = 0.5 + 0.5 * ny
    lr = 1.36 * key * wrapped(facing, wr) + open_ * (0.17 * fill + 0.16 + 0.20 * up)
    lg = 1.28 * key * wrapped(facing, wg) + open_ * (0.175 * fill + 0.165 + 0.22 * up)
    lb = 1.18 * key * wrapped(facing, wb) + open_ * (0.19 * fill + 0.18 + 0.24 * up)
    cr, cg, cb = cr * lr, cg * lg, cb * lb
    if what == HAIR:
        return _hair_shine(p, cr, cg, cb, hx, hy, hz, nx, ny, nz, dx, dy, dz, key, open_, gloss)
    return _shine(what, cr, cg, cb, nx, ny, nz, dx, dy, dz, facing, key, gloss, catch)


@njit(**SPEED)
def _shine(what, cr, cg, cb, nx, ny, nz, dx, dy, dz, facing, key, gloss, catch):
    """Highlights of skin, lips, teeth, tongue and eyes; the faint veil at grazing angles."""
    bx, by, bz = KEY_X - dx, KEY_Y - dy, KEY_Z - dz
    b = math.sqrt(bx * bx + by * by + bz * bz)
    nh = max(0.0, (nx * bx + ny * by + nz * bz) / b)
    nv = clamp(-(nx * dx + ny * dy + nz * dz), 0.0, 1.0)
    if what == SKIN:
        s = key * max(0.0, facing) * (0.055 * nh**20 + 0.035 * nh**70 + gloss * 0.10 * nh**46)
        veil = 0.045 * (1.0 - nv) ** 4 * max(0.0, 0.4 + 0.6 * facing)
        return cr + s * 1.1 + veil, cg + s + veil, cb + s * 0.95 + veil
    if what == EYE:
        k = 2.0 * (nx * dx + ny * dy + nz * dz)
        rx, ry, rz = dx - k * nx, dy - k * ny, dz - k * nz
        mirror = rx * CATCH_X + ry * CATCH_Y + rz * CATCH_Z
        light = catch * clamp((mirror - 0.93) / 0.045, 0.0, 1.0) * (0.4 + 0.6 * key)
        return mixed(cr, 0.95, light), mixed(cg, 0.95, light), mixed(cb, 0.97, light)
    if what in (TEETH, TONGUE):
        s = 0.12 * key * nh**40
        return cr + s, cg + s, cb + s
    return cr, cg, cb


@njit(**SPEED)
def _hair_shine(p, cr, cg, cb, x, y, z, nx, ny, nz, dx, dy, dz, key, open_, gloss):
    """Two highlights along the strands (after Kajiya and Kay 1989), tinted by the hair so that dark hair stays dark."""
    # The strand runs down the surface: the part of "down" that lies in the tangent plane.
    tx, ty, tz = ny * nx, ny * ny - 1.0, ny * nz
    t = math.sqrt(tx * tx + ty * ty + tz * tz)
    if t < 0.15:
        tx, ty, tz, t = 0.0, 0.0, 1.0, 1.0
    bx, by, bz = KEY_X - dx, KEY_Y - dy, KEY_Z - dz
    b = math.sqrt(bx * bx + by * by + bz * bz)
    along = (tx * bx + ty * by + tz * bz) / (t * b)
    s = math.sqrt(max(0.0, 1.0 - along * along))
    shine = (0.34 * s**90 + 0.15 * s**16) * key * gloss * (0.35 + 0.65 * open_)
    return (
        cr + shine * (0.10 + 2.2 * p[6]),
        cg + shine * (0.09 + 2.2 * p[7]),
        cb + shine * (0.08 + 2.2 * p[8]),
    )
