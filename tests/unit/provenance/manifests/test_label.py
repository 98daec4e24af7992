from pathlib import Path

import numpy as np
import pytest

from provenance.manifests import label
from provenance.manifests.errors import LabelFontMissing
from provenance.manifests.label import Label


def burned(size: tuple[int, int], language: str, luma: int) -> np.ndarray:
    height, width = size
    y = np.full((height, width), luma, np.uint8)
    u, v = (np.full((height // 2, width // 2), 60, np.uint8) for _ in range(2))
    Label(width, height, language).burn(y, u, v)
    return y


@pytest.mark.parametrize("size", [(128, 128), (256, 256), (512, 512), (360, 640)])
@pytest.mark.parametrize("luma", [16, 90, 235])
def test_the_label_is_there_large_and_readable_on_any_background(size: tuple[int, int], luma: int) -> None:
    made = Label(size[1], size[0])
    top, left, bottom, right = made.box
    inside = burned(size, "en", luma)[top:bottom, left:right]
    assert made.letter_height >= label.MIN_SHARE_OF_SHORT_SIDE * min(size)
    assert int(inside.max()) - int(np.median(inside)) > 90, "letters stand out from the box"


def test_nothing_outside_the_box_is_touched() -> None:
    made = Label(256, 256)
    top, left, bottom, right = made.box
    y = burned((256, 256), "en", 90)
    y[top:bottom, left:right] = 90
    assert (y == 90).all()


@pytest.mark.parametrize("language", ["hi", "bn", "as"])
def test_other_scripts_are_drawn(language: str) -> None:
    try:
        made = Label(256, 256, language)
    except LabelFontMissing:
        pytest.skip("fonts-noto-core is not installed")
    assert made.text != label.TEXTS["en"]
    assert made.letter_height >= 13
    assert not np.array_equal(burned((256, 256), language, 90), burned((256, 256), "en", 90))


def test_a_region_is_ignored_and_an_unknown_language_gets_english() -> None:
    assert Label(256, 256, "en-IN").language == "en"
    assert Label(256, 256, "fr").text == "AI replica"


def test_a_missing_font_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(label, "_FONT_FOLDERS", (tmp_path,))
    with pytest.raises(LabelFontMissing, match="fonts-noto-core"):
        Label(256, 256, "hi")
