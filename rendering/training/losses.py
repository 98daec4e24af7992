"""The picture loss of the fit and its derivative: absolute and squared errors, and structural similarity of luma."""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

Array = np.ndarray[Any, np.dtype[Any]]
WINDOW = 11
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2
SQUARE = np.float32(4.0)  # how much large errors count beyond their size: edges that are a pixel off, closed eyes
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def gaussian_window(size: int = WINDOW, sigma: float = SIGMA) -> Array:
    """[size] weights that sum to one."""
    steps = np.arange(size) - size // 2
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


KERNEL = gaussian_window()


@njit(cache=True, nogil=True, fastmath=True, parallel=True)
def blur(stack, kernel):
    """Separable blur of planes [P, H, W] with zeros outside the picture."""
    planes, height, width = stack.shape
    reach = kernel.size // 2
    across = np.zeros_like(stack)
    out = np.zeros_like(stack)
    for job in prange(planes * height):
        p, y = job // height, job % height
        for k in range(kernel.size):
            shift = k - reach
            weight = kernel[k]
            for x in range(max(0, -shift), min(width, width - shift)):
                across[p, y, x] += weight * stack[p, y, x + shift]
    for job in prange(planes * height):
        p, y = job // height, job % height
        for k in range(kernel.size):
            source = y + k - reach
            if 0 <= source < height:
                weight = kernel[k]
                for x in range(width):
                    out[p, y, x] += weight * across[p, source, x]
    return out


def similarity(drawn: Array, truth: Array) -> tuple[Array, tuple[Array, ...]]:
    """Map [H, W] of structural similarity of two planes, and the moments its derivative needs."""
    stack = np.stack([drawn, truth, drawn * drawn, truth * truth, drawn * truth])
    mean_x, mean_y, xx, yy, xy = blur(stack, KERNEL)
    top_1, top_2 = 2 * mean_x * mean_y + C1, 2 * (xy - mean_x * mean_y) + C2
    low_1 = mean_x**2 + mean_y**2 + C1
    low_2 = xx - mean_x**2 + yy - mean_y**2 + C2
    return top_1 * top_2 / (low_1 * low_2), (mean_x, mean_y, top_1, top_2, low_1, low_2)


def similarity_gradient(drawn: Array, truth: Array) -> tuple[float, Array]:
    """Mean similarity and the derivative [H, W] of its sum by `drawn`."""
    value, (mean_x, mean_y, top_1, top_2, low_1, low_2) = similarity(drawn, truth)
    by_xx = -value / low_2
    by_xy = 2 * top_1 / (low_1 * low_2)
    by_mean = 2 * mean_y * top_2 / (low_1 * low_2) - 2 * mean_x * value / low_1 - 2 * mean_x * by_xx - mean_y * by_xy
    spread = blur(np.stack([by_mean, by_xx, by_xy]).astype(np.float32), KERNEL)
    return float(value.mean()), spread[0] + 2 * drawn * spread[1] + truth * spread[2]


def picture_gradient(drawn: Array, truth: Array, weights: Array, *, with_similarity: bool) -> Array:
    """Derivative [H, W, 3] of `0.8 L + 0.2 (1 - SSIM)` (or of L alone), summed; L = |e| + SQUARE / 2 e² of an error e.

    Args:
        drawn, truth: [H, W, 3] float32, 0..1. weights: [H, W], importance of each pixel.
    """
    share = np.float32(0.8 if with_similarity else 1.0)
    difference = drawn - truth
    gradient = (np.sign(difference) + SQUARE * difference) * (share * weights)[..., None]
    if with_similarity:
        _, by_luma = similarity_gradient(drawn @ LUMA, truth @ LUMA)
        # 3: the L1 term sums three channels, the similarity one plane.
        gradient -= (np.float32(0.2 * 3.0) * by_luma * weights)[..., None] * LUMA
    return np.asarray(gradient, np.float32)
