"""The whole scene as one distance, and what is met there."""

import math

from numba import njit

from rendering.demo.body import hair, neck_and_shoulders
from rendering.demo.face import REACH, eyeballs, mouth_inside, skin
from rendering.demo.shapes import SPEED, smin

SKIN, HAIR, CLOTH, EYE, TEETH, TONGUE, DARK = 0, 1, 2, 3, 4, 5, 6
PIVOT_Y, PIVOT_Z = -8.0, -1.5


@njit(**SPEED)
def to_head(r, x, y, z):
    """World to head space."""
    x, y, z = x - r.shift_x, y - PIVOT_Y - 0.45 * r.breath, z - PIVOT_Z
    return (
        r.m00 * x + r.m10 * y + r.m20 * z,
        r.m01 * x + r.m11 * y + r.m21 * z + PIVOT_Y,
        r.m02 * x + r.m12 * y + r.m22 * z + PIVOT_Z,
    )


@njit(**SPEED)
def distance(r, x, y, z, reach=REACH):
    """Distance to the nearest thing at a world point, and which thing. See `skin` for `reach`."""
    hx, hy, hz = to_head(r, x, y, z)
    head = skin(r, hx, hy, hz, reach)
    neck, cloth = neck_and_shoulders(x, y - 0.9 * r.breath, z)
    d = smin(head, neck, 1.8)
    what = SKIN
    if cloth < d:
        d, what = cloth, CLOTH
    locks = hair(r, hx, hy, hz)
    if locks < d:
        d, what = locks, HAIR
    if head < 3.0 and hz > 3.0:
        ax = math.sqrt(hx * hx + 0.0009)
        ball = eyeballs(r, ax, hy, hz)
        if ball < d:
            d, what = ball, EYE
        if r.gap > 0.04 and hy < -3.0:
            teeth, tongue, back = mouth_inside(r, hx, ax, hy, hz)
            if back < d:
                d, what = back, DARK
            if tongue < d:
                d, what = tongue, TONGUE
            if teeth < d:
                d, what = teeth, TEETH
    return d, what


@njit(**SPEED)
def shadow(r, x, y, z, lx, ly, lz, steps):
    """Share of the key light that arrives, with a soft edge."""
    # The same places along every ray: steps that follow the distance would draw rings in the soft edge.
    t, light = 0.32, 1.0
    for _ in range(steps):
        d, _what = distance(r, x + lx * t, y + ly * t, z + lz * t, 0.0)
        light = min(light, 5.0 * d / t)
        if light < 0.02:
            break
        t *= 1.18
    light = max(light, 0.0)
    return 0.15 + 0.85 * light * light * (3.0 - 2.0 * light)


@njit(**SPEED)
def occlusion(r, x, y, z, nx, ny, nz):
    """How open the place is to light from all around."""
    dark, weight = 0.0, 1.0
    for k in range(4):
        h = 0.12 + 0.83 * k
        d, _what = distance(r, x + nx * h, y + ny * h, z + nz * h)
        dark += weight * max(h - d, 0.0)
        weight *= 0.55
    return max(0.12, 1.0 - 0.42 * dark)


@njit(**SPEED)
def normal(r, x, y, z, e):
    """Outward unit normal from four nearby distances."""
    a, _a = distance(r, x + e, y - e, z - e)
    b, _b = distance(r, x - e, y - e, z + e)
    c, _c = distance(r, x - e, y + e, z - e)
    d, _d = distance(r, x + e, y + e, z + e)
    nx, ny, nz = a - b - c + d, -a - b + c + d, -a + b - c + d
    n = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
    return nx / n, ny / n, nz / n
