"""Adam on splats and plate. One parallel pass finds each splat's gradient, updates its moments and its values."""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from rendering.engine import gaussians as g

Array = np.ndarray[Any, np.dtype[Any]]
BETA_1, BETA_2 = 0.9, 0.99
EPSILON = np.float32(1e-8)
CHUNK = 64  # splats that share one scratch row
UNHURRIED, MOST_HASTE = 5000, 3.0  # iterations that need no larger steps; at most so many times larger
FINAL_SHARE = 0.05  # learning rates fall to this share over the run
PLATE_RATE = 0.004
PLATE_SHOWN = np.float32(0.5)  # share of the plate that must show in a pixel before the frame teaches it anything there
OFFSET_PENALTY = np.float32(0.02)
MOVE_PENALTY = np.float32(0.02)
TINT_PENALTY = np.float32(0.05)
AXES_LOW, AXES_HIGH = np.float32(-1.6), np.float32(2.6)  # log canonical px at 256


def learning_rates(iterations: int) -> Array:
    """[VALUES] start rate of each column for a run of so many iterations. Short runs take larger steps."""
    rates = np.empty(g.VALUES, np.float32)
    rates[g.OFFSET : g.LOG_AXES] = 0.02
    rates[g.LOG_AXES : g.ANGLE] = 0.01
    rates[g.ANGLE] = 0.005
    rates[g.LOGIT] = 0.03
    rates[g.COLOUR : g.MOVE] = 0.015
    rates[g.MOVE : g.TINT] = 0.006
    rates[g.TINT :] = 0.004
    return rates * np.float32(min(MOST_HASTE, max(1.0, (UNHURRIED / iterations) ** 0.5)))


def decay(share: float) -> float:
    """Factor on the rates when `share` (0..1) of the run is done."""
    return float(FINAL_SHARE ** min(1.0, max(0.0, share)))


@njit(cache=True, nogil=True, fastmath=True)
def gradient_row(
    i, stretches, normals, seen, unit, features, layers, owner, values, d_mean, d_cov, d_colour, d_opacity, row
):  # fmt: skip
    """Derivative of the loss by one splat's values, written to row [VALUES]; depth order is held fixed."""
    t = owner[i]
    j00, j01, j10, j11 = stretches[t, 0, 0], stretches[t, 0, 1], stretches[t, 1, 0], stretches[t, 1, 1]
    gx, gy = d_mean[i, 0], d_mean[i, 1]
    gu, gw = j00 * gx + j10 * gy, j01 * gx + j11 * gy
    row[g.OFFSET], row[g.OFFSET + 1] = gu, gw
    row[g.OFFSET + 2] = unit * (normals[t, 0] * gx + normals[t, 1] * gy)
    c, s = math.cos(values[i, g.ANGLE]), math.sin(values[i, g.ANGLE])
    long, short = math.exp(values[i, g.LOG_AXES]), math.exp(values[i, g.LOG_AXES + 1])
    a0, a1 = j00 * c + j01 * s, j10 * c + j11 * s  # the first axis on the screen, per unit of length
    b0, b1 = j01 * c - j00 * s, j11 * c - j10 * s  # the second
    p, q, r = np.float32(2.0) * d_cov[i, 0], d_cov[i, 1], np.float32(2.0) * d_cov[i, 2]
    da0, da1 = (p * a0 + q * a1) * long * long, (q * a0 + r * a1) * long * long
    db0, db1 = (p * b0 + q * b1) * short * short, (q * b0 + r * b1) * short * short
    row[g.LOG_AXES] = da0 * a0 + da1 * a1
    row[g.LOG_AXES + 1] = db0 * b0 + db1 * b1
    row[g.ANGLE] = da0 * b0 + da1 * b1 - db0 * a0 - db1 * a1
    opacity = np.float32(1.0) / (np.float32(1.0) + math.exp(-values[i, g.LOGIT]))
    row[g.LOGIT] = d_opacity[i] * seen[i] * opacity * (np.float32(1.0) - opacity)
    for channel in range(3):
        row[g.COLOUR + channel] = d_colour[i, channel]
    for k in range(features.shape[1]):
        f = features[layers[t], k]
        row[g.MOVE + 2 * k], row[g.MOVE + 2 * k + 1] = gu * f, gw * f
        for channel in range(3):
            row[g.TINT + 3 * k + channel] = d_colour[i, channel] * f


@njit(cache=True, nogil=True, fastmath=True, parallel=True)
def step(
    stretches, normals, seen, unit, features, layers, owner, values, first, second,
    d_mean, d_cov, d_colour, d_opacity, rates, correction_1, correction_2,
):  # fmt: skip
    """One Adam step on every splat, in place.

    Args:
        first, second: [N, VALUES] moments. d_*: gradients by the screen Gaussians.
        rates: [VALUES] learning rates now. correction_1, correction_2: 1 - beta ** step.
    """
    count = owner.size
    for chunk in prange((count + CHUNK - 1) // CHUNK):
        row = np.empty(values.shape[1], np.float32)
        for i in range(chunk * CHUNK, min(count, (chunk + 1) * CHUNK)):
            gradient_row(
                i, stretches, normals, seen, unit, features, layers, owner, values,
                d_mean, d_cov, d_colour, d_opacity, row,
            )  # fmt: skip
            for k in range(g.OFFSET, g.LOG_AXES):
                row[k] += OFFSET_PENALTY * values[i, k]
            for k in range(g.MOVE, g.TINT):
                row[k] += MOVE_PENALTY * values[i, k]
            for k in range(g.TINT, values.shape[1]):
                row[k] += TINT_PENALTY * values[i, k]
            for k in range(values.shape[1]):
                first[i, k] = np.float32(BETA_1) * first[i, k] + np.float32(1 - BETA_1) * row[k]
                second[i, k] = np.float32(BETA_2) * second[i, k] + np.float32(1 - BETA_2) * row[k] * row[k]
                size = np.sqrt(second[i, k] / correction_2) + EPSILON
                values[i, k] -= rates[k] * (first[i, k] / correction_1) / size
            for k in range(g.LOG_AXES, g.ANGLE):
                values[i, k] = min(max(values[i, k], AXES_LOW), AXES_HIGH)


@njit(cache=True, nogil=True, fastmath=True, parallel=True)
def plate_step(plate, first, second, gradient, shown, rate, correction_1, correction_2):
    """One Adam step on the plate [H, W, 3], in place, where `shown` [H, W] of it is PLATE_SHOWN at least.

    Adam makes the faintest gradient a whole step: what shines through hair would drive the plate behind it to any
    colour, which shows when the head moves away from there.
    """
    for y in prange(plate.shape[0]):
        for x in range(plate.shape[1]):
            if shown[y, x] < PLATE_SHOWN:
                continue
            for channel in range(3):
                d = gradient[y, x, channel]
                first[y, x, channel] = np.float32(BETA_1) * first[y, x, channel] + np.float32(1 - BETA_1) * d
                second[y, x, channel] = np.float32(BETA_2) * second[y, x, channel] + np.float32(1 - BETA_2) * d * d
                size = np.sqrt(second[y, x, channel] / correction_2) + np.float32(1e-4)
                value = plate[y, x, channel] - rate * (first[y, x, channel] / correction_1) / size
                plate[y, x, channel] = min(max(value, np.float32(0.0)), np.float32(1.0))


def plain_step(
    values: Array, first: Array, second: Array, gradient: Array, rate: float, correction_1: float, correction_2: float
) -> None:
    """One Adam step on a small array, in place."""
    first += (1 - BETA_1) * (gradient - first)
    second += (1 - BETA_2) * (gradient * gradient - second)
    values -= rate * (first / correction_1) / (np.sqrt(second / correction_2) + EPSILON)
