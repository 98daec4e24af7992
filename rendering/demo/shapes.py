"""Signed distances of simple solids and smooth ways to join them. Unit: cm. Formulas after I. Quilez's public notes.

numba keeps the compiled frame loop beside draw.py and does not notice a change in a file that draw.py uses: after
editing any of them remove `rendering/demo/__pycache__`.
"""

import math

from numba import njit

SPEED = {"fastmath": True, "cache": True, "nogil": True, "error_model": "numpy"}


@njit(**SPEED)
def smin(a, b, k):
    """Union with a fillet of size k."""
    h = max(k - abs(a - b), 0.0)
    return min(a, b) - h * h / (4.0 * k)


@njit(**SPEED)
def smax(a, b, k):
    """Intersection with a fillet of size k; smax(d, -tool, k) cuts."""
    h = max(k - abs(a - b), 0.0)
    return max(a, b) + h * h / (4.0 * k)


@njit(**SPEED)
def clamp(x, low, high):
    return min(max(x, low), high)


@njit(**SPEED)
def step(low, high, x):
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = clamp((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(**SPEED)
def bump(x, width):
    """Bell of height 1 at 0."""
    return math.exp(-(x * x) / (width * width))


@njit(**SPEED)
def ellipsoid(x, y, z, rx, ry, rz):
    """Approximate distance to an axis-aligned ellipsoid at the origin."""
    ax, ay, az = x / rx, y / ry, z / rz
    k0 = math.sqrt(ax * ax + ay * ay + az * az)
    bx, by, bz = ax / rx, ay / ry, az / rz
    k1 = math.sqrt(bx * bx + by * by + bz * bz)
    return k0 * (k0 - 1.0) / max(k1, 1e-6)


@njit(**SPEED)
def cone(x, y, z, ax, ay, az, bx, by, bz, ra, rb):
    """Capsule from a to b whose radius runs from ra to rb."""
    px, py, pz = x - ax, y - ay, z - az
    ex, ey, ez = bx - ax, by - ay, bz - az
    h = clamp((px * ex + py * ey + pz * ez) / (ex * ex + ey * ey + ez * ez), 0.0, 1.0)
    px, py, pz = px - ex * h, py - ey * h, pz - ez * h
    return math.sqrt(px * px + py * py + pz * pz) - (ra + (rb - ra) * h)


@njit(**SPEED)
def hashed(i, j):
    """Repeatable value in 0..1 for a lattice point."""
    n = (i * 374761393 + j * 668265263) & 0xFFFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFF) / 65535.0


@njit(**SPEED)
def noise(x, y):
    """Smooth value noise in 0..1."""
    fx, fy = math.floor(x), math.floor(y)
    i, j = int(fx), int(fy)
    tx, ty = x - fx, y - fy
    tx, ty = tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty)
    low = hashed(i, j) * (1.0 - tx) + hashed(i + 1, j) * tx
    high = hashed(i, j + 1) * (1.0 - tx) + hashed(i + 1, j + 1) * tx
    return low * (1.0 - ty) + high * ty
