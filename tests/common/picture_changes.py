"""What happens to a picture before somebody asks where it is from: cut, scaled, mirrored, put on a page, compressed."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks.planes import Planes, planes_of

Picture = NDArray[np.uint8]


def planes(bgr: Picture) -> Planes:
    height, width = (side // 2 * 2 for side in bgr.shape[:2])
    even = np.ascontiguousarray(bgr[:height, :width])
    return planes_of(np.ascontiguousarray(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420)))


def scaled(bgr: Picture, factor: float) -> Picture:
    return np.asarray(cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def jpeg(bgr: Picture, quality: int) -> Picture:
    encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


def quarter_cut_away(bgr: Picture) -> Picture:
    """Three quarters of the area, from off the middle."""
    return bgr[40 : 40 + 443, 30 : 30 + 443]


def screenshot(bgr: Picture) -> Picture:
    """The player at 0.9 of its size on a page, compressed."""
    page = np.full((800, 1280, 3), 240, dtype=np.uint8)
    player = scaled(bgr, 0.9)
    page[120 : 120 + player.shape[0], 300 : 300 + player.shape[1]] = player
    return jpeg(page, 85)


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "crop25_unknown_scale": lambda bgr: scaled(quarter_cut_away(bgr), 0.83),
    "mirrored_crop": lambda bgr: np.ascontiguousarray(quarter_cut_away(bgr)[:, ::-1]),
    "screenshot": screenshot,
    "jpeg50_crop": lambda bgr: jpeg(quarter_cut_away(bgr), 50),
    "grey_crop": lambda bgr: np.repeat(bgr[64:480, 64:480].mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
}
