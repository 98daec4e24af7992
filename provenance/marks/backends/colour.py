"""Frames as the pictures that other people's marks work on, and back."""

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks.planes import Planes, planes_of_rgb


def rgb_of(planes: Planes) -> NDArray[np.uint8]:
    """RGB uint8 [H, W, 3] of a frame."""
    height, width = planes.y.shape
    i420 = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420), dtype=np.uint8)


def write_rgb(planes: Planes, rgb: NDArray[np.uint8]) -> None:
    """Put a picture uint8 [H, W, 3] of the frame's own size into its planes."""
    for plane, written in zip(planes, planes_of_rgb(rgb), strict=True):
        plane[:] = written
