"""The three planes of an I420 picture."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Planes(NamedTuple):
    """Y at full size, U and V at half size in both directions. uint8, may be views into a video frame."""

    y: NDArray[np.uint8]  # [H, W]
    u: NDArray[np.uint8]  # [H/2, W/2]
    v: NDArray[np.uint8]  # [H/2, W/2]


def planes_of(i420: NDArray[np.uint8]) -> Planes:
    """Views into one array uint8 [H*3/2, W] as PyAV's `to_ndarray(format="yuv420p")` gives it. W must be even.

    Raises:
        ValueError: the array is not an I420 picture, or its rows are not contiguous.
    """
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    if i420.shape[0] % 3 or width % 2 or height % 2 or not i420.flags.c_contiguous:
        raise ValueError("Expected a contiguous I420 picture with even sides.")
    flat = i420.reshape(-1)
    quarter = width * height // 4
    u = flat[width * height : width * height + quarter].reshape(height // 2, width // 2)
    v = flat[width * height + quarter :].reshape(height // 2, width // 2)
    return Planes(flat[: width * height].reshape(height, width), u, v)


def planes_of_rgb(picture: NDArray[np.uint8]) -> Planes:
    """I420 planes (limited range BT.601) of an RGB picture uint8 [H, W, 3]. Both sides must be even."""
    i420 = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2YUV_I420)
    return planes_of(np.asarray(i420, dtype=np.uint8))


def resized(picture: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """A float32 picture at another size: averaged when it shrinks, cubic when it grows. The one way that embedder and
    detectors scale, because their patterns must fit each other.
    """
    interpolation = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=interpolation), dtype=np.float32)
