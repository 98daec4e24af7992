"""Distance to hair (head space) and to neck, shoulders and garment (world space)."""

import math

from numba import njit

from rendering.demo.shapes import SPEED, bump, clamp, cone, ellipsoid, noise, smax, smin, step


@njit(**SPEED)
def strand(r, x, y, z):
    """Place across the strands (they fall from the parting to both sides) and along them."""
    return math.atan2(z + 1.3, abs(x - r.part_x * step(-2.0, 8.0, y)) + 2.5), y


@njit(**SPEED)
def hair(r, x, y, z):
    """Cap with a parting; a bob adds sides and back, short hair is cut above the ears."""
    far = ellipsoid(x, y + 1.0, z + 2.0, 9.2 * r.hair_full, 15.0 + r.hair_len, 11.0)
    if far > 3.5:
        return far
    around = math.atan2(x, -z - 1.3)
    locks = (
        0.5 * math.sin(9.0 * around + 0.25 * y)
        + 0.35 * math.sin(23.0 * around - 0.31 * y)
        + 0.2 * math.sin(51.0 * around + 0.5 * y)
    )
    wide = r.skull_rx / 7.15 * r.hair_full
    d = ellipsoid(x, y - 3.2, z + 1.3, 8.05 * wide, 9.0 * r.skull_ry / 8.1, 9.8)
    d += 0.22 * bump(x - r.part_x, 0.5) * step(6.0, 9.0, y)
    side = 1.0 if r.part_x > 0.0 else -1.0
    sweep = 0.28 * clamp((x - r.part_x) * side, -3.0, 3.0) * step(3.0, 7.0, y)
    face = ellipsoid(
        x - side * 0.55 * step(1.0, 8.0, y), y + 1.9 - r.hair_line, z - 9.6, 6.5, 9.15 + sweep + 0.12 * locks, 8.2
    )
    d = smax(d, -face, 0.7)
    if r.style < 0.5:
        d = bob(r, d, x, y, z, locks, wide)
    else:
        d = smax(d, -(y + 2.6 + 0.55 * (z + 3.0)) + 0.15 * locks, 1.0)
        ax = math.sqrt(x * x + 0.0009)
        d = smax(d, -ellipsoid(ax - 8.2, y + 1.0, z + 0.8, 2.4, 3.2, 2.6), 0.5)
    return d + 0.05 * locks * step(9.5, 3.0, y)


@njit(**SPEED)
def bob(r, d, x, y, z, locks, wide):
    """Side and back locks down to the chin or longer, turned in at the ends."""
    ax = math.sqrt(x * x + 0.0009)
    end = -11.6 - r.hair_len - 0.12 * z
    curl = step(end + 4.5, end, y)  # 0 above, 1 at the ends
    side = ellipsoid(
        ax - (6.15 + 0.05 * (2.0 - y)) * wide + 0.75 * curl, y + 2.8, z + 1.5 - 0.4 * curl,
        2.3 - 0.35 * curl, 11.5 + 0.9 * r.hair_len, 5.2,
    )  # fmt: skip
    back = ellipsoid(x, y + 3.5, z + 5.5, 7.6 * wide, 15.0 + 0.9 * r.hair_len, 4.6)
    locks_down = smin(side, back, 2.0)
    locks_down = smax(locks_down, -ellipsoid(x, y + 3.0, z - 9.6, 6.15, 12.0 + r.hair_len, 8.9), 0.9)
    locks_down = smax(locks_down, end - y + 0.45 * locks, 0.9)
    ripple = 0.07 * math.sin(26.0 * math.atan2(x, -z) + 0.35 * y) * step(3.0, 0.0, y)
    return smin(d, locks_down + ripple, 3.4)


@njit(**SPEED)
def neck_and_shoulders(x, y, z):
    """Distance to the skin below the head, and to the garment. y already without breath."""
    if y > -2.5:
        return math.sqrt(x * x + (y + 7.0) ** 2 + (z + 2.2) ** 2) - 4.75, 30.0  # only the neck's round top is near
    neck = cone(x, y, z, 0.0, -7.0, -2.2, 0.0, -18.0, -3.4, 4.75, 5.3)
    ax = math.sqrt(x * x + 0.0009)
    shoulder = cone(ax, y, z, 0.0, -17.2, -3.6, 14.6, -21.0, -3.8, 3.2, 4.2)
    trunk = smin(shoulder, ellipsoid(x, y + 28.8, z + 2.5, 18.0, 12.0, 8.0), 3.5)
    body = smin(neck, trunk, 3.2)
    edge = y + 14.9 + 0.24 * (z + 2.6)
    fold = 0.10 * noise(0.35 * x + 3.0, 0.22 * y) * step(-16.0, -22.0, y)
    cloth = smax(smin(trunk, neck, 2.4) - 0.28 - fold, edge, 0.25)
    return body, cloth
