"""A marked picture that was cut, scaled, mirrored or set into another one is found; nothing else is."""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.marks.detect import detect
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import Planes, planes_of
from provenance.marks.search import SEARCHED_Z, search
from provenance.marks.verdicts import Verdict
from tests.common.moving_frames import talking_frames

KEY, OTHER_KEY = MarkKey(bytes(range(32)), "one"), MarkKey(bytes(range(1, 33)), "other")
SLOT_ID, SLOT = 0x0123_4567_89AB_CDEF, 3
SIZE = 512
Picture = NDArray[np.uint8]


@lru_cache(maxsize=2)
def picture(*, is_marked: bool) -> Picture:
    """One frame of a talking head as BGR, uint8 [512, 512, 3]."""
    (frame,) = (one.copy() for one in talking_frames(1, SIZE, 1))
    if is_marked:
        Embedder(KEY, SLOT_ID, SLOT, SIZE, SIZE).embed(*planes_of(frame))
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)


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
