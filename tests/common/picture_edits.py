"""Edits that keep the frame's size and every frame's place: turned, bent, blurred, recoloured, framed, covered.

All take and give BGR pictures, uint8 [H, W, 3], H and W even.
"""

from collections.abc import Callable

import cv2
import numpy as np

from tests.common.picture_changes import Picture, jpeg


def turned(bgr: Picture, degrees: float) -> Picture:
    height, width = bgr.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(bgr, turn, (width, height), borderMode=cv2.BORDER_REFLECT), dtype=np.uint8)


def in_perspective(bgr: Picture, share: float) -> Picture:
    """As seen from the side: the right edge shrinks by `share` of the height at both ends."""
    height, width = bgr.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    seen = np.array([[0, 0], [width, share * height], [width, (1 - share) * height], [0, height]], dtype=np.float32)
    return np.asarray(
        cv2.warpPerspective(bgr, cv2.getPerspectiveTransform(corners, seen), (width, height)), dtype=np.uint8
    )


def with_bars(bgr: Picture, share: float) -> Picture:
    """Scaled down in one direction only, black bars above and below: the picture loses its shape."""
    height, width = bgr.shape[:2]
    bar = int(height * share) // 2 * 2
    page = np.zeros_like(bgr)
    page[bar : height - bar] = cv2.resize(bgr, (width, height - 2 * bar), interpolation=cv2.INTER_AREA)
    return page


def framed(bgr: Picture, scale: float) -> Picture:
    """Scaled down in its shape, black on all sides (letterbox and pillarbox)."""
    height, width = (int(side * scale) // 2 * 2 for side in bgr.shape[:2])
    top, left = (bgr.shape[0] - height) // 2, (bgr.shape[1] - width) // 2
    page = np.zeros_like(bgr)
    page[top : top + height, left : left + width] = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
    return page


def covered_bars(bgr: Picture, share: float) -> Picture:
    """Black bars painted over the top and bottom; nothing moves."""
    bar = int(bgr.shape[0] * share)
    page = bgr.copy()
    page[:bar], page[-bar:] = 0, 0
    return page


def with_inset(bgr: Picture, share: float) -> Picture:
    """Another picture set into the lower right corner (picture in picture, this one being the large one)."""
    height, width = (int(side * share) for side in bgr.shape[:2])
    page = bgr.copy()
    page[-height:, -width:] = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return page


def as_inset(bgr: Picture, share: float) -> Picture:
    """Set small into another picture's corner (picture in picture, this one being the small one)."""
    height, width = (int(side * share) for side in bgr.shape[:2])
    other = cv2.GaussianBlur(np.random.default_rng(6).integers(0, 256, bgr.shape, dtype=np.uint8), (0, 0), 2)
    other[-height - 20 : -20, -width - 20 : -20] = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(other, dtype=np.uint8)


def contrast(bgr: Picture, factor: float, add: float = 0.0) -> Picture:
    return np.clip((bgr.astype(np.float32) - 128) * factor + 128 + add, 0, 255).astype(np.uint8)


def recoloured(bgr: Picture, hue_degrees: float, saturation: float) -> Picture:
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + hue_degrees / 2) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * saturation, 0, 255)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR), dtype=np.uint8)


def blurred(bgr: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(bgr, (0, 0), sigma), dtype=np.uint8)


def noisy(bgr: Picture, spread: float) -> Picture:
    return np.clip(bgr + spread * np.random.default_rng(7).standard_normal(bgr.shape), 0, 255).astype(np.uint8)


def halved_and_back(bgr: Picture, factor: float) -> Picture:
    height, width = bgr.shape[:2]
    small = cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


EDITS: dict[str, Callable[[Picture], Picture]] = {
    "brightness +60": lambda bgr: contrast(bgr, 1.0, 60),
    "contrast 0.3": lambda bgr: contrast(bgr, 0.3),
    "contrast 1.8": lambda bgr: contrast(bgr, 1.8),
    "saturation 0.3": lambda bgr: recoloured(bgr, 0, 0.3),
    "saturation 1.8": lambda bgr: recoloured(bgr, 0, 1.8),
    "hue 90 degrees": lambda bgr: recoloured(bgr, 90, 1.0),
    "hue 180 degrees": lambda bgr: recoloured(bgr, 180, 1.0),
    "colours inverted": lambda bgr: 255 - bgr,
    "JPEG 50": lambda bgr: jpeg(bgr, 50),
    "JPEG 20": lambda bgr: jpeg(bgr, 20),
    "JPEG 10": lambda bgr: jpeg(bgr, 10),
    "noise 10": lambda bgr: noisy(bgr, 10),
    "noise 40": lambda bgr: noisy(bgr, 40),
    "blur 2": lambda bgr: blurred(bgr, 2),
    "blur 4": lambda bgr: blurred(bgr, 4),
    "blur 8": lambda bgr: blurred(bgr, 8),
    "blur 16": lambda bgr: blurred(bgr, 16),
    "median 5": lambda bgr: np.asarray(cv2.medianBlur(bgr, 5), dtype=np.uint8),
    "median 9": lambda bgr: np.asarray(cv2.medianBlur(bgr, 9), dtype=np.uint8),
    "median 21": lambda bgr: np.asarray(cv2.medianBlur(bgr, 21), dtype=np.uint8),
    "scaled to a quarter and back": lambda bgr: halved_and_back(bgr, 0.25),
    "scaled to an eighth and back": lambda bgr: halved_and_back(bgr, 0.125),
    "bars painted over 15 %": lambda bgr: covered_bars(bgr, 0.15),
    "inset covers a quarter": lambda bgr: with_inset(bgr, 0.5),
    "squeezed between bars": lambda bgr: with_bars(bgr, 0.12),
    "in a black frame at 0.75": lambda bgr: framed(bgr, 0.75),
    "as an inset of 0.5": lambda bgr: as_inset(bgr, 0.5),
    "as an inset of 0.25": lambda bgr: as_inset(bgr, 0.25),
    "mirrored": lambda bgr: np.ascontiguousarray(bgr[:, ::-1]),
    "turned upside down": lambda bgr: np.ascontiguousarray(bgr[::-1, ::-1]),
    "turned 0.5 degrees": lambda bgr: turned(bgr, 0.5),
    "turned 1 degree": lambda bgr: turned(bgr, 1),
    "turned 2 degrees": lambda bgr: turned(bgr, 2),
    "turned 5 degrees": lambda bgr: turned(bgr, 5),
    "turned 10 degrees": lambda bgr: turned(bgr, 10),
    "perspective 2 %": lambda bgr: in_perspective(bgr, 0.02),
    "perspective 10 %": lambda bgr: in_perspective(bgr, 0.10),
}
