"""A marked picture that was cut, scaled, mirrored or set into another one is found; nothing else is."""

from functools import lru_cache

import cv2
import numpy as np
import pytest

from provenance.marks import search as search_module
from provenance.marks.detect import detect
from provenance.marks.embed import Embedder
from provenance.marks.grid import LUMA
from provenance.marks.keys import MarkKey
from provenance.marks.planes import planes_of
from provenance.marks.search import SEARCHED_Z, search
from provenance.marks.verdicts import Verdict
from tests.common.moving_frames import talking_frames
from tests.common.picture_changes import CHANGES, Picture, planes, quarter_cut_away

KEY, OTHER_KEY = MarkKey(bytes(range(32)), "one"), MarkKey(bytes(range(1, 33)), "other")
SLOT_ID, SLOT = 0x0123_4567_89AB_CDEF, 3
SIZE = 512


@lru_cache(maxsize=2)
def picture(*, is_marked: bool) -> Picture:
    """One frame of a talking head as BGR, uint8 [512, 512, 3]."""
    (frame,) = (one.copy() for one in talking_frames(1, SIZE, 1))
    if is_marked:
        Embedder(KEY, SLOT_ID, SLOT, SIZE, SIZE).embed(*planes_of(frame))
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)


@pytest.mark.parametrize("change", CHANGES)
def test_the_payload_survives(change: str) -> None:
    suspect = planes(CHANGES[change](picture(is_marked=True)))
    assert detect([suspect], KEY).payload is None  # the aligned detector cannot read it: the search is needed
    shares: list[float] = []
    reading = search([suspect], KEY, on_progress=shares.append)
    assert (reading.verdict, reading.payload) == (Verdict.PAYLOAD_READ, SLOT_ID)
    assert reading.z >= SEARCHED_Z
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 100


@pytest.mark.parametrize(
    ("bgr", "key"),
    [
        (quarter_cut_away(picture(is_marked=False)), KEY),
        (quarter_cut_away(picture(is_marked=True)), OTHER_KEY),
        (np.zeros((400, 400, 3), dtype=np.uint8), KEY),
        (np.full((400, 400, 3), 128, dtype=np.uint8), KEY),
    ],
    ids=["unmarked", "another key", "black", "grey"],
)
def test_nothing_is_read_from(bgr: Picture, key: MarkKey) -> None:
    reading = search([planes(bgr)], key)
    assert reading.verdict is Verdict.NO_MARK and reading.payload is None and np.isfinite(reading.z)


def test_frames_of_two_sizes_are_refused() -> None:
    whole = picture(is_marked=False)
    with pytest.raises(ValueError, match="one size"):
        search([planes(whole), planes(whole[:300])], KEY)


def test_the_quick_transform_is_the_plain_one():
    picture = np.random.default_rng(1).standard_normal((37, 50)).astype(np.float32)
    plain = np.fft.rfft2(picture, s=(64, 96))
    assert np.allclose(search_module._transform(picture, 64, 96), plain, atol=1e-3)


@pytest.mark.parametrize("lines", [96, 150])
def test_a_mirrored_spectrum_is_the_spectrum_of_the_mirrored_picture(lines):
    picture = np.random.default_rng(2).standard_normal((90, 71)).astype(np.float32)
    turned = np.ascontiguousarray(picture[:, ::-1])
    straight = search_module._spectrum(picture, KEY, LUMA, lines, 2)
    assert np.allclose(
        straight.mirrored().values, search_module._spectrum(turned, KEY, LUMA, lines, 2).values, atol=2e-3)
