"""The visible disclosure, burned into the picture before the watermark, so that no player can leave it out.

The text is drawn once per session with Pillow; per frame it is a blend of one small rectangle.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from provenance.manifests.errors import LabelFontMissing

MIN_SHARE_OF_SHORT_SIDE = 0.05  # height of the letters
TEXTS = {"en": "AI replica", "hi": "एआई प्रतिकृति", "bn": "এআই প্রতিরূপ", "as": "এআই প্ৰতিৰূপ"}
_FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_FONT_NAMES = {
    "hi": ("NotoSansDevanagari-Regular.ttf", "Lohit-Devanagari.ttf", "NotoSansDevanagari-Bold.ttf", "FreeSans.ttf"),
    "bn": ("NotoSansBengali-Regular.ttf", "Lohit-Bengali.ttf", "NotoSansBengali-Bold.ttf", "FreeSans.ttf"),
    "as": ("NotoSansBengali-Regular.ttf", "Lohit-Assamese.ttf", "Lohit-Bengali.ttf", "NotoSansBengali-Bold.ttf"),
}
_TEXT_LUMA = 235  # white and black of limited-range video
_BOX_LUMA = 16
_BOX_OPACITY = 0.62


class Label:
    """The disclosure for one frame size and language."""

    def __init__(self, width: int, height: int, language: str = "en") -> None:
        """Draw the text once.

        Args:
            width, height: of the frame, in pixels.
            language: "en", "hi", "bn" or "as"; a region ("en-IN") is ignored; another language gets English.

        Raises:
            LabelFontMissing: no installed font has the letters of this language.
        """
        short = language.split("-")[0].lower()
        self.language = short if short in TEXTS else "en"
        self.text = TEXTS[self.language]
        glyphs = _draw_text(self.text, self.language, int(np.ceil(MIN_SHARE_OF_SHORT_SIDE * min(width, height))))
        self.box = _place(glyphs.shape, width, height)  # (top, left, bottom, right), even numbers
        top, left, bottom, right = self.box
        self.letter_height = glyphs.shape[0]
        opacity = np.full((bottom - top, right - left), _BOX_OPACITY, np.float32)
        luma = np.full_like(opacity, _BOX_LUMA)
        pad_y, pad_x = (bottom - top - glyphs.shape[0]) // 2, (right - left - glyphs.shape[1]) // 2
        inner = (slice(pad_y, pad_y + glyphs.shape[0]), slice(pad_x, pad_x + glyphs.shape[1]))
        cover = glyphs.astype(np.float32) / 255
        luma[inner] = _BOX_LUMA + cover * (_TEXT_LUMA - _BOX_LUMA)
        opacity[inner] = _BOX_OPACITY + cover * (1 - _BOX_OPACITY)
        # Fixed point: frame * keep / 256 + add, all in uint16.
        self._keep_y = np.round((1 - opacity) * 256).astype(np.uint16)
        self._add_y = np.round(opacity * luma * 256).astype(np.uint16)
        self._keep_c = self._keep_y.reshape(opacity.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)).astype(np.uint16)
        self._add_c = ((256 - self._keep_c.astype(np.uint32)) * 128).astype(np.uint16)

    def burn(self, y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> None:
        """Blend the label into I420 planes ([H, W], [H/2, W/2], [H/2, W/2]), in place."""
        top, left, bottom, right = self.box
        _blend(y[top:bottom, left:right], self._keep_y, self._add_y)
        chroma = (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
        _blend(u[chroma], self._keep_c, self._add_c)
        _blend(v[chroma], self._keep_c, self._add_c)


def _blend(region: NDArray[np.uint8], keep: NDArray[np.uint16], add: NDArray[np.uint16]) -> None:
    region[...] = (region * keep + add) >> 8


def _draw_text(text: str, language: str, letter_px: int) -> NDArray[np.uint8]:
    """The text as coverage 0..255, cropped to its ink; the ink is at least `letter_px` high. uint8 [h, w]."""
    size_px = letter_px
    while True:
        font = _font(language, size_px)
        left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
        picture = Image.new("L", (right - left + 4, bottom - top + 4))
        ImageDraw.Draw(picture).text((2 - left, 2 - top), text, font=font, fill=255)
        ink = picture.getbbox()
        if ink is None:
            raise LabelFontMissing(f"The font for language {language!r} draws nothing.")
        if ink[3] - ink[1] >= letter_px:
            return np.asarray(picture.crop(ink), dtype=np.uint8)
        size_px += 1


def _font(language: str, size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if language == "en":
        return ImageFont.load_default(size=size_px)  # ships inside Pillow
    if not features.check("raqm"):
        raise LabelFontMissing("Pillow is built without raqm and cannot shape Indic scripts.")
    for name in _FONT_NAMES[language]:
        for folder in _FONT_FOLDERS:
            for path in sorted(folder.rglob(name)):
                return ImageFont.truetype(str(path), size_px, layout_engine=ImageFont.Layout.RAQM)
    raise LabelFontMissing(
        f"No font for language {language!r} is installed. Install the Debian package fonts-noto-core.",
    )


def _place(ink_shape: tuple[int, ...], width: int, height: int) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of the box, bottom left, padded, on even numbers so that chroma lines up."""
    pad = max(2, ink_shape[0] // 3)
    box_height = min(height, (ink_shape[0] + 2 * pad + 1) // 2 * 2)
    box_width = min(width // 2 * 2, (ink_shape[1] + 2 * pad + 1) // 2 * 2)
    margin = max(2, min(width, height) // 64 * 2)
    bottom = max(box_height, (height - margin) // 2 * 2)
    left = min(margin, (width - box_width) // 2 * 2)
    return bottom - box_height, left, bottom, left + box_width
