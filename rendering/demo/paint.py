"""Colour of every material before light falls on it: linear red, green, blue, and how much it shines."""

import math

from numba import njit

from rendering.demo.body import strand
from rendering.demo.face import EYE_Z, lid_curves, lip_distances
from rendering.demo.shapes import SPEED, bump, clamp, noise, step

# Places in a palette row of five colours.
SKIN_AT, LIP_AT, HAIR_AT, IRIS_AT, CLOTH_AT = 0, 3, 6, 9, 12


@njit(**SPEED)
def mixed(a, b, t):
    return a + (b - a) * t


@njit(**SPEED)
def brow(r, ax, y, x):
    """0..1: how much of the painted brow covers the place."""
    u = (ax - r.brow_x) / 4.1
    if u < -0.05 or u > 1.05:
        return 0.0
    line = r.brow_in + (r.brow_out - r.brow_in) * u
    line += (r.brow_mid - 0.5 * (r.brow_in + r.brow_out)) * math.sin(2.5 * u) - 0.35 * max(0.0, u - 0.62)
    half = (0.43 - 0.20 * u) * r.brow_thick * step(-0.05, 0.06, u) * step(1.05, 0.80, u)
    ragged = noise(7.0 * ax + 3.0 * y, 1.2 * y) - 0.5
    return step(half + 0.13, half - 0.17, abs(y - line) + 0.13 * ragged)


@njit(**SPEED)
def skin_colour(r, p, x, y, z):
    """Skin with lips, brows, lash lines, blush and fine unevenness. Last value: wet gloss."""
    ax = math.sqrt(x * x + 0.0009)
    grain = 1.0 + 0.05 * (noise(2.6 * x + 40.0, 2.6 * y) - 0.5) + 0.03 * (noise(9.0 * x, 9.0 * y + 7.0) - 0.5)
    cr, cg, cb = p[0] * grain, p[1] * grain, p[2] * grain
    if z < 0.0 or y < -13.0:
        return cr, cg, cb, 0.0
    warm = 0.9 * bump(ax - 4.2, 1.9) * bump(y + 3.9, 1.7) * (1.0 + 0.5 * max(r.smile, 0.0))
    warm += 0.8 * bump(x, 1.1) * bump(y - r.tip_y, 0.9) * step(8.0, 9.6, z) + 0.5 * bump(x, 1.6) * bump(
        y - r.chin_y, 1.2
    )
    cg, cb = cg * (1.0 - 0.17 * warm), cb * (1.0 - 0.17 * warm)
    shade = 0.10 * bump(ax - r.eye_x, 1.9) * bump(y + 0.1, 1.1)  # thin skin around the eyes
    cr, cg, cb = cr * (1.0 - shade), cg * (1.0 - 1.2 * shade), cb * (1.0 - 0.9 * shade)
    nostril = bump(ax - 0.52 * r.nose_w, 0.30) * bump(y - r.wing_y + 0.42, 0.22) * step(8.0, 8.8, z)
    cr, cg, cb = cr * (1.0 - 0.5 * nostril), cg * (1.0 - 0.65 * nostril), cb * (1.0 - 0.65 * nostril)
    hairs = 0.92 * brow(r, ax, y, x) if y > 0.5 and z > 2.0 else 0.0
    dark = 0.62 if p[HAIR_AT] < 0.15 else 0.4
    cr, cg, cb = mixed(cr, dark * p[6], hairs), mixed(cg, dark * p[7], hairs), mixed(cb, dark * p[8], hairs)
    lash = lashes(r, ax, y, z)
    cr, cg, cb = mixed(cr, 0.012, lash), mixed(cg, 0.009, lash), mixed(cb, 0.008, lash)
    gloss = 0.0
    if ax < r.mouth_w + 0.5 and z > 5.0 and -13.0 < y < -4.0:
        upper, lower, seam, _half = lip_distances(r, ax, y, z)
        lip = step(0.16, -0.04, min(upper, lower)) * step(r.mouth_w + 0.12, r.mouth_w - 0.35, ax)
        creases = 1.0 - 0.14 * noise(11.0 * x, 1.3 * y)
        cr, cg, cb = mixed(cr, p[3] * creases, lip), mixed(cg, p[4] * creases, lip), mixed(cb, p[5] * creases, lip)
        line = (
            0.55
            * bump(y - seam, 0.08)
            * step(r.mouth_w - 0.05, r.mouth_w - 0.5, ax)
            * step(0.25, 0.05, min(upper, lower))
        )
        cr, cg, cb = cr * (1.0 - line), cg * (1.0 - line), cb * (1.0 - line)
        gloss = lip
    return cr, cg, cb, gloss


@njit(**SPEED)
def lashes(r, ax, y, z):
    """0..1: the dark line of the upper lashes, longer at the outer corner, and a faint lower one."""
    xe, ye = ax - r.eye_x, y - r.eye_y
    if abs(xe) > 1.95 or abs(ye) > 1.3 or z < 5.0:
        return 0.0
    upper, lower = lid_curves(r, clamp(xe, -1.6, 1.6))
    wing = step(0.8, 1.9, xe)
    thick = 0.15 + 0.05 * wing
    ends = step(-1.7, -1.3, xe) * step(2.0, 1.5, xe)
    top = step(thick, 0.3 * thick, abs(ye - upper - 0.05 - 0.12 * wing)) * ends
    bottom = 0.30 * step(0.12, 0.02, abs(ye - lower + 0.04)) * ends * step(-0.6, 0.8, xe)
    return max(0.93 * top, bottom)


@njit(**SPEED)
def eye_colour(r, p, x, y, z):
    """White, iris with rim and rays, pupil, and the shade of the lid. Last value: how much of a catch-light shows."""
    side = 1.0 if x > 0.0 else -1.0
    dx, dy, dz = x - side * r.eye_x, y - r.eye_y, z - EYE_Z
    # Turn the painted iris with the gaze, a little inwards because the viewer is near.
    gx, gy = r.gaze_x - 0.035 * side, r.gaze_y
    dx, dz = dx * math.cos(gx) - dz * math.sin(gx), dx * math.sin(gx) + dz * math.cos(gx)
    dy, dz = dy * math.cos(gy) - dz * math.sin(gy), dy * math.sin(gy) + dz * math.cos(gy)
    away = math.sqrt(dx * dx + dy * dy)
    if dz < 0.0:
        away = 9.0
    veins = 0.03 * noise(6.0 * dx, 6.0 * dy)
    cr, cg, cb = 0.66 - veins, 0.63 - 1.6 * veins, 0.61 - 1.6 * veins
    corner = step(0.9, 1.5, abs(dx))
    cr, cg, cb = cr * (1.0 - 0.12 * corner), cg * (1.0 - 0.24 * corner), cb * (1.0 - 0.24 * corner)
    in_iris = step(0.83, 0.75, away)
    angle = math.atan2(dy, dx)
    rays = 0.85 + 0.36 * noise(9.0 * abs(angle) + 20.0, 2.0 * away) + 0.50 * step(0.1, -0.6, dy)
    rim = 1.0 - 0.72 * step(0.58, 0.78, away)
    ring = 1.0 + 0.45 * bump(away - 0.40, 0.12)
    ir, ig, ib = p[9] * rays * rim * ring * 1.35, p[10] * rays * rim * ring * 1.3, p[11] * rays * rim * ring * 1.2
    pupil = step(0.33, 0.27, away)
    ir, ig, ib = mixed(ir, 0.004, pupil), mixed(ig, 0.004, pupil), mixed(ib, 0.004, pupil)
    cr, cg, cb = mixed(cr, ir, in_iris), mixed(cg, ig, in_iris), mixed(cb, ib, in_iris)
    xe = abs(x) - r.eye_x
    upper, lower = lid_curves(r, clamp(xe, -1.6, 1.6))
    under = 1.0 - 0.58 * step(0.42, -0.02, upper - (y - r.eye_y)) - 0.2 * step(0.2, 0.0, (y - r.eye_y) - lower)
    return cr * under, cg * under, cb * under, 0.35 + 0.65 * in_iris


@njit(**SPEED)
def hair_colour(r, p, x, y, z):
    """Strands of slightly different shade. Last value scales the highlight."""
    u, v = strand(r, x, y, z)
    fine = noise(60.0 * u, 0.30 * v) - 0.5
    broad = noise(17.0 * u + 9.0, 0.16 * v + 4.0) - 0.5
    shade = 1.0 + 0.60 * fine + 0.50 * broad
    return p[6] * shade, p[7] * shade, p[8] * shade, 0.7 + 0.9 * (fine + 0.5)


@njit(**SPEED)
def cloth_colour(p, x, y, z):
    """Knit with a faint weave and a darker collar."""
    weave = 1.0 + 0.06 * (noise(5.0 * x, 5.0 * y) - 0.5) + 0.05 * (noise(22.0 * x, 9.0 * y) - 0.5)
    edge = y + 14.9 + 0.24 * (z + 2.6)
    seam = 1.0 - 0.35 * bump(edge + 0.75, 0.10)
    return p[12] * weave * seam, p[13] * weave * seam, p[14] * weave * seam


@njit(**SPEED)
def backdrop(u, v):
    """A quiet room out of focus: window light from the left, a lamp, a plant."""
    base = 0.30 + 0.07 * v
    window = 0.46 * step(0.52, 0.05, abs(u + 0.86) - 0.06) * step(-0.75, 0.1, v)
    lamp = 0.42 * bump(u - 0.60, 0.20) * bump(v - 0.62, 0.20)
    plant = bump(u - 0.86, 0.34) * bump(v + 0.15, 0.42)
    low = 1.0 - 0.35 * step(-0.2, -0.75, v)
    cr = (base * 1.02 + window * 1.02 + lamp * 1.15 - 0.14 * plant) * low
    cg = (base * 0.99 + window * 1.02 + lamp * 0.88 + 0.00 * plant) * low
    cb = (base * 0.94 + window * 1.04 + lamp * 0.52 - 0.13 * plant) * low
    return max(cr, 0.0), max(cg, 0.0), max(cb, 0.0)
