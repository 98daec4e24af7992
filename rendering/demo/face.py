"""Distance to the face in head space: bones, nose, lids, lips, and the openings of eyes and mouth."""

import math

from numba import njit

from rendering.demo.shapes import SPEED, bump, clamp, cone, ellipsoid, smax, smin, step

FAR = 4.2  # beyond this distance the fine parts cannot matter
REACH = 3.2  # nose, lips and ears stand out from the coarse head by less than this
EYE_Z, EYE_R = 6.36, 1.66


@njit(**SPEED)
def bones(r, x, y, z):
    """Skull, mask and jaw: the coarse head."""
    am = math.sqrt(x * x + 0.5)  # rounded at the middle, else a crease runs down chin and forehead
    d = ellipsoid(x, y - 3.0, z + 0.7, r.skull_rx, r.skull_ry, 9.1)
    d = smin(d, ellipsoid(x, y + 1.6, z - 1.9, r.mask_rx, r.mask_ry, r.mask_rz), 2.2)
    return smin(
        d, cone(am, y, z, r.gonion_x, r.gonion_y, r.gonion_z, 1.05, r.chin_y + 0.1, r.chin_z - 0.45, r.jaw_r, 1.4), 3.2
    )


@njit(**SPEED)
def flesh(r, d, x, ax, y, z):
    """Cheeks, chin, muzzle, brow ridge and eye sockets on the coarse head."""
    d = smin(d, ellipsoid(ax - 2.2, y - r.fill_y, z - r.fill_z, 1.8, 2.0, 2.1), 2.2)
    d = smin(d, ellipsoid(x, y - r.chin_y, z - r.chin_z + 0.25, r.chin_rx, 1.4, 1.5), 2.0)
    d = smin(d, ellipsoid(ax - r.bone_x, y - r.bone_y, z - r.bone_z, 1.9, 1.5, 1.9), 2.0)
    d = smin(d, ellipsoid(ax - r.apple_x, y - r.apple_y, z - r.apple_z, 1.9, 1.9, 1.9), 1.8)
    d = smin(d, ellipsoid(x, y - r.muzzle_y, z - r.muzzle_z, 3.0, r.muzzle_ry, 3.1), 2.2)
    am = math.sqrt(x * x + 0.5)
    ridge = cone(am, y, z, 0.4, 1.9 + r.ridge_in, 7.7, 4.4, 2.05 + r.ridge_out, 5.95, 0.75 * r.ridge_r, 0.9 * r.ridge_r)
    d = smin(d, ridge, 2.0)
    socket = ellipsoid(ax - r.eye_x + 0.15, y - r.eye_y + 0.25, z - 9.1, 1.95, 1.25, 1.55)
    return smax(d, -socket, 1.5)


@njit(**SPEED)
def nose(r, d, x, ax, y, z):
    """Bridge, tip and wings, with nostrils cut from below."""
    bridge = cone(x, y, z, 0.0, 0.7, r.bridge_z, 0.0, r.tip_y + 0.45, r.tip_z - 0.25, 0.46 * r.nose_w, 0.56 * r.nose_w)
    n = smin(bridge, ellipsoid(x, y - r.tip_y, z - r.tip_z, 0.74 * r.tip_r, 0.66 * r.tip_r, 0.78 * r.tip_r), 0.8)
    n = smin(n, ellipsoid(ax - r.wing_x, y - r.wing_y, z - r.tip_z + 1.0, r.wing_r, 0.96 * r.wing_r, 0.74), 0.6)
    n = smin(n, ellipsoid(x, y - r.tip_y + 0.75, z - r.tip_z + 0.55, 0.26, 0.40, 0.55), 0.4)  # the wall between
    d = smin(d, n, 1.1)
    nostril = ellipsoid(ax - 0.52 * r.nose_w, y - r.wing_y + 0.50, z - r.tip_z + 0.55, 0.27, 0.26, 0.46)
    return smax(d, -nostril, 0.25)


@njit(**SPEED)
def lid_curves(r, xe):
    """Upper and lower edge of the eye opening at xe cm from the eye's middle (positive: outwards)."""
    t = xe / 1.62
    q = max(0.0, 1.0 - t * t)
    upper = 1.16 * r.upper * q**0.7 * (1.0 - 0.16 * t) + 0.10 * t - 0.04
    lower = -r.lower * q**0.8 * (1.0 + 0.25 * t) + 0.10 * t - 0.04
    shut = -0.55 * r.lower * (1.0 - xe * xe / 2.62) - 0.04 + 0.07 * xe
    w = r.blink
    return upper + (shut - 0.12 - upper) * w, lower + (shut - lower) * w


@njit(**SPEED)
def lids(r, d, ax, y, z):
    """Lid shell over the eyeball, the crease above it, and the opening."""
    xe, ye = ax - r.eye_x, y - r.eye_y
    if abs(xe) > 3.2 or abs(ye) > 3.0 or z < 4.0:
        return d
    shell = math.sqrt(xe * xe + ye * ye + (z - EYE_Z) ** 2) - (EYE_R + 0.13)
    d = smin(d, shell, 0.55)
    upper, lower = lid_curves(r, clamp(xe, -1.6, 1.6))
    crease = 0.55 * upper + 0.80
    d += 0.07 * bump(ye - crease, 0.13) * step(1.85, 1.3, abs(xe))
    opening = min(min(upper - ye, ye - lower), (1.57 - abs(xe)) * 0.7)
    return smax(d, min(opening, z - EYE_Z), 0.09)


@njit(**SPEED)
def lip_lines(r, ax):
    """At ax from the middle: height, depth and radius of the upper lip tube, then of the lower."""
    s = min(ax / r.mouth_w, 1.0)
    q = 1.0 - s * s
    q75, q8 = q**0.75, q**0.8
    up_y = r.corner_y + (r.up_y - r.corner_y) * q75 + (0.03 - 0.10 * bump(ax, 0.38)) * min(1.0, 3.0 * q)
    up_z = r.corner_z + (r.up_z - r.corner_z) * q8
    up_r = 0.16 + (r.up_r - 0.16) * q**0.6
    low_y = r.corner_y + (r.low_y - r.corner_y) * q75
    low_z = r.corner_z + (r.low_z - r.corner_z) * q8
    low_r = 0.15 + (r.low_r - 0.15) * q75
    return up_y, up_z, up_r, low_y, low_z, low_r


@njit(**SPEED)
def lip_distances(r, ax, y, z):
    """Distance to the upper and to the lower lip, to the seam's height, and half the opening between them."""
    up_y, up_z, up_r, low_y, low_z, low_r = lip_lines(r, ax)
    beyond = max(0.0, ax - r.mouth_w)
    upper = math.sqrt((y - up_y) ** 2 + 0.72 * (z - up_z) ** 2 + beyond * beyond) - up_r
    lower = math.sqrt((y - low_y) ** 2 + 0.72 * (z - low_z) ** 2 + beyond * beyond) - low_r
    top, bottom = up_y - up_r, low_y + low_r
    return upper, lower, 0.5 * (top + bottom), 0.5 * (top - bottom)


@njit(**SPEED)
def lips(r, d, ax, y, z):
    """Both lips joined to the face, with the groove below the nose, the smile's fold, the seam and the opening."""
    if ax > 5.2 or y > -2.2 or y < -14.5 or z < 3.5:
        return d
    if r.smile > 0.0:
        ex, ey = r.mouth_w + 0.55 - r.wing_x - 0.35, r.corner_y + 0.1 - r.wing_y
        h = clamp(((ax - r.wing_x - 0.35) * ex + (y - r.wing_y) * ey) / (ex * ex + ey * ey), 0.0, 1.0)
        away = math.sqrt((ax - r.wing_x - 0.35 - ex * h) ** 2 + (y - r.wing_y - ey * h) ** 2)
        d += 0.09 * r.smile * bump(away, 0.26)
    top = r.up_y + r.up_r
    d += 0.09 * bump(ax, 0.30) * step(r.wing_y - 0.3, r.wing_y - 0.7, y) * step(top - 0.1, top + 0.2, y)
    upper, lower, seam, half = lip_distances(r, ax, y, z)
    d = smin(d, min(upper, lower), 0.42)
    if ax < r.mouth_w:
        d += 0.13 * bump(y - seam, 0.075) * step(r.mouth_w, r.mouth_w - 0.5, ax)
        if half > 0.02:
            d = smax(d, min(min(half - abs(y - seam), 0.97 * r.mouth_w - ax), z - 4.5), 0.10)
    return d


@njit(**SPEED)
def ears(r, d, ax, y, z):
    """A shell with a bowl, a rim and a lobe."""
    if ax < 5.0 or abs(y + 1.5) > 4.0:
        return d
    e = r.ear
    lean, out = 0.30 * (z + 1.2), 6.75 * r.skull_rx / 7.15
    shell = ellipsoid(ax - out - 0.25 + lean, y + 1.5 - 0.12 * (z + 1.0), z + 1.2, 0.48, 2.35 * e, 1.5 * e)
    bowl = ellipsoid(ax - out - 0.78 + lean, y + 1.2, z + 0.95, 0.50, 1.65 * e, 0.95 * e)
    inner = ellipsoid(ax - out - 0.42 + lean, y + 1.5, z + 0.55, 0.32, 0.8 * e, 0.4 * e)
    shell = smax(shell, -bowl, 0.30)
    return smin(d, smin(shell, inner, 0.3), 0.5)


@njit(**SPEED)
def skin(r, x, y, z, reach):
    """Distance to the skin of the head in head space.

    Far away it is the distance to the coarse head less `reach`: REACH keeps a marching ray from jumping over the nose;
    a shadow, which walks in fixed steps, takes 0 and sees no jump.
    """
    d = bones(r, x, y, z)
    if d > FAR:
        return d - reach
    ax = math.sqrt(x * x + 0.0009)
    d = flesh(r, d, x, ax, y, z)
    if ax < 3.2 and -6.5 < y < 2.5 and z > 4.0:
        d = nose(r, d, x, ax, y, z)
    d = lids(r, d, ax, y, z)
    d = lips(r, d, ax, y, z)
    return ears(r, d, ax, y, z)


@njit(**SPEED)
def eyeballs(r, ax, y, z):
    """Distance to the eyeball."""
    return math.sqrt((ax - r.eye_x) ** 2 + (y - r.eye_y) ** 2 + (z - EYE_Z) ** 2) - EYE_R


@njit(**SPEED)
def mouth_inside(r, x, ax, y, z):
    """Distance to teeth, tongue and the dark behind, clipped to the opening. Only asked when the lips are apart."""
    _, _, seam, half = lip_distances(r, min(ax, 0.98 * r.mouth_w), y, z)
    clip = max(abs(y - seam) - half - 0.1, ax - r.mouth_w)
    wall = abs(math.sqrt(1.35 * x * x + (z - 5.3) ** 2) - 2.75) - 0.2
    tooth = abs(math.sin(3.6 * x)) ** 8 * 0.03  # the gaps between
    teeth = min(max(wall + tooth, abs(y - r.teeth_y) - 0.62), max(wall + 0.08 + tooth, abs(y - r.low_teeth_y) - 0.45))
    tongue = ellipsoid(x, y - r.tongue_y, z - 6.1, 1.7, 0.55, 2.2)
    back = abs(z - 4.35) - 0.35
    return max(teeth, clip), max(tongue, clip), max(back, clip)
