"""Drawing for the report's pictures: text, lines and colour scales on an RGB canvas."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Array = np.ndarray[Any, np.dtype[Any]]
Colour = tuple[int, int, int]

PAPER: Colour = (255, 255, 255)
INK: Colour = (23, 32, 29)
QUIET: Colour = (90, 102, 97)
LINE: Colour = (216, 220, 213)
BAND: Colour = (150, 180, 222)
REPLICA: Colour = (169, 80, 26)
# Dark to light, so that it also reads in grey: no error is nearly black, much is pale yellow.
_HEAT = np.array([(13, 11, 42), (87, 22, 110), (168, 46, 95), (228, 90, 49), (250, 164, 40), (252, 250, 190)], float)


class Sheet:
    """A canvas that is drawn on from the top left, in pixels."""

    def __init__(self, width: int, height: int) -> None:
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def paste(self, picture: Array, left: int, top: int) -> None:
        """Put an RGB picture [H, W, 3] uint8."""
        self._image.paste(Image.fromarray(np.ascontiguousarray(picture)), (left, top))

    def text(self, left: int, top: int, words: str, *, size_px: int = 14, colour: Colour = INK, anchor: str = "la"
             ) -> None:
        """Write; `anchor` as Pillow has it ("la": left top, "ma": middle top, "ra": right top)."""
        self._draw.text((left, top), words, font=font(size_px), fill=colour, anchor=anchor)

    def lines(self, points: Array, colour: Colour, width_px: int = 2) -> None:
        """A line through points [N, 2]."""
        self._draw.line([(float(x), float(y)) for x, y in points], fill=colour, width=width_px, joint="curve")

    def box(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        """A filled box."""
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def array(self) -> Array:
        """[H, W, 3] uint8."""
        return np.asarray(self._image).copy()


@lru_cache(maxsize=16)
def font(size_px: int) -> Any:
    """The font inside Pillow at a size."""
    return ImageFont.load_default(size=size_px)


def heat(shares: Array) -> Array:
    """Colours [..., 3] uint8 of numbers 0..1."""
    places = np.clip(shares, 0, 1) * (len(_HEAT) - 1)
    low = np.minimum(places.astype(int), len(_HEAT) - 2)
    part = (places - low)[..., None]
    return np.asarray((_HEAT[low] * (1 - part) + _HEAT[low + 1] * part).round(), np.uint8)


def caption(picture: Array, words: str) -> Array:
    """A copy of a picture [S, S, 3] with words on a dark plate at its bottom left."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    draw = ImageDraw.Draw(image)
    letters = font(max(11, picture.shape[0] // 20))
    pad = max(3, picture.shape[0] // 48)
    _, _, width, height = (int(edge) for edge in draw.textbbox((0, 0), words, font=letters))
    bottom = picture.shape[0] - pad
    draw.rectangle((pad, bottom - height - 2 * pad, 3 * pad + width, bottom), fill=INK)
    draw.text((2 * pad, bottom - height - pad), words, font=letters, fill=PAPER)
    return np.asarray(image).copy()


def enlarge(picture: Array, times: int) -> Array:
    """Each pixel as a square of `times` pixels."""
    return np.asarray(picture.repeat(times, axis=0).repeat(times, axis=1))
