"""The mark through an encoder, and everything that must not be taken for a mark."""

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.marks.detect import detect, payload_threshold
from provenance.marks.embed import Embedder, embed_reference
from provenance.marks.errors import FrameTooSmall
from provenance.marks.keys import MarkKey
from provenance.marks.planes import Planes, planes_of
from provenance.marks.verdicts import MarkReading, Tampering, Verdict, resolve
from tests.common.moving_frames import talking_frames, through_codec

KEY = MarkKey(bytes(range(32)), "2026-11")
OTHER_KEY = MarkKey(b"\x07" * 32, "other")
SLOT_ID = 0xFEDC_BA98_7654_3210
SIZE = 256
Picture = NDArray[np.uint8]


def marked(
    frames: list[Picture], slot_of: Callable[[int], int] = lambda _: 5, slot_id: int = SLOT_ID, key: MarkKey = KEY
) -> list[Picture]:
    embedder = Embedder(key, slot_id, slot_of(0), frames[0].shape[1], frames[0].shape[0] * 2 // 3)
    result = []
    for number, frame in enumerate(frames):
        embedder.rekey(slot_of(number))
        copy = frame.copy()
        embedder.embed(*planes_of(copy))
        result.append(copy)
    return result


def read(frames: list[Picture], key: MarkKey = KEY) -> MarkReading:
    return detect([planes_of(frame) for frame in frames], key)


def psnr_db(one: Picture, other: Picture) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(np.float64) - other) ** 2)))


@pytest.fixture(scope="module")
def source() -> list[Picture]:
    return list(talking_frames(90, SIZE, seed=1))


@pytest.fixture(scope="module")
def clip(source: list[Picture]) -> list[Picture]:
    return marked(source)


@pytest.mark.parametrize(("width", "height"), [(256, 256), (512, 512), (640, 360), (360, 640)])
def test_fast_embedder_equals_reference(width: int, height: int) -> None:
    random = np.random.default_rng(2)
    picture = cv2.GaussianBlur(random.integers(0, 256, (height * 3 // 2, width), dtype=np.uint8), (0, 0), 2)
    embedder = Embedder(KEY, SLOT_ID, 5, width, height)
    expected = embed_reference(planes_of(picture), embedder.pattern)
    got = picture.copy()
    embedder.embed(*planes_of(got))
    for one, other in zip(expected, planes_of(got), strict=True):
        assert np.array_equal(one, other)


def test_embeds_into_padded_rows(source: list[Picture]) -> None:
    planes = planes_of(source[0])
    padded = [np.pad(plane, ((0, 0), (0, 32))) for plane in planes]
    views = [plane[:, :-32] for plane in padded]
    Embedder(KEY, SLOT_ID, 5, SIZE, SIZE).embed(*views)
    expected = planes_of(marked(source[:1])[0])
    assert all(np.array_equal(view, plane) for view, plane in zip(views, expected, strict=True))


def test_mark_is_hard_to_see(source: list[Picture], clip: list[Picture]) -> None:
    assert psnr_db(planes_of(source[0]).y, planes_of(clip[0]).y) >= 45.0
    one, other = (cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420) for frame in (source[0], clip[0]))
    assert psnr_db(one, other) >= 41.0


@pytest.mark.parametrize(("codec", "kbps", "frames"), [("libx264", 300, 30), ("libx264", 600, 30), ("libvpx", 500, 30)])
def test_exact_through_live_codec(clip: list[Picture], codec: str, kbps: int, frames: int) -> None:
    seen, rate_kbps = through_codec(clip[:frames], kbps, codec)
    assert rate_kbps < 1.3 * kbps
    reading = read(seen)
    assert (reading.verdict, reading.payload, reading.slot_indexes) == (Verdict.PAYLOAD_READ, SLOT_ID, (5,))


def test_exact_through_rekeying_across_the_wrap(source: list[Picture]) -> None:
    clip = marked(source, lambda number: 63 + number // 40)  # windows straddle the changes
    reading = read(through_codec(clip, 300)[0])
    assert reading.payload == SLOT_ID
    assert set(reading.slot_indexes) <= {63, 0, 1}


def test_next_slot_is_ready_before_its_time(source: list[Picture]) -> None:
    embedder = Embedder(KEY, SLOT_ID, 63, SIZE, SIZE)
    for _ in range(60):
        embedder.embed(*planes_of(source[0].copy()))
    for thread in threading.enumerate():
        if thread.name == "mark-pattern":
            thread.join()
    assert embedder._next is not None
    prepared = embedder._next[1]
    embedder.rekey(64)
    assert embedder.pattern is prepared
    assert np.array_equal(prepared.luma, Embedder(KEY, SLOT_ID, 0, SIZE, SIZE).pattern.luma)


@pytest.mark.parametrize("side", [200, 384])
def test_exact_after_scaling(clip: list[Picture], side: int) -> None:
    scaled = []
    for frame in clip[:15]:
        rgb = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420), (side, side), interpolation=cv2.INTER_AREA)
        scaled.append(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420))
    assert read(scaled).payload == SLOT_ID


def test_exact_in_grey(clip: list[Picture]) -> None:
    grey = [frame.copy() for frame in clip[:10]]
    for frame in grey:
        frame[SIZE:] = 128
    assert read(grey).payload == SLOT_ID


def test_exact_after_jpeg(clip: list[Picture]) -> None:
    bgr = cv2.cvtColor(clip[0], cv2.COLOR_YUV2BGR_I420)
    _, file = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 75])
    back = cv2.cvtColor(cv2.imdecode(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2YUV_I420)
    assert read([back]).payload == SLOT_ID


def test_wrong_key_reads_nothing(clip: list[Picture]) -> None:
    reading = read(clip[:30], OTHER_KEY)
    assert (reading.verdict, reading.payload) == (Verdict.NO_MARK, None)
    assert abs(reading.z) < 5.0


def test_unmarked_reads_nothing(source: list[Picture]) -> None:
    assert read(source).verdict is Verdict.NO_MARK
    assert read(through_codec(source[:30], 300)[0]).verdict is Verdict.NO_MARK


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_flat_pictures_read_nothing(level: int) -> None:
    flat = np.full((SIZE * 3 // 2, SIZE), level, dtype=np.uint8)
    reading = read([flat] * 3)
    assert (reading.verdict, reading.z) == (Verdict.NO_MARK, 0.0)


def test_statistic_of_wrong_keys_is_no_wider_than_normal(clip: list[Picture]) -> None:
    """200 wrong keys on a marked picture, one window: the bound assumes a spread of at most one."""
    frames = [planes_of(clip[0])]
    z = np.array([detect(frames, MarkKey(i.to_bytes(32, "big")), slot_index=0).z for i in range(1, 201)])
    assert 0.8 < z.std() < 1.2
    assert np.abs(z).max() < 4.5


def test_a_picture_that_stands_still_is_no_more_evidence_than_once(source: list[Picture]) -> None:
    """Nine windows of one unmarked picture: their statistics are one number nine times, not nine witnesses."""
    frames = [planes_of(source[0])] * 9
    readings = [detect(frames, MarkKey(i.to_bytes(32, "big")), slot_index=0, window_frames=1) for i in range(1, 151)]
    assert {reading.verdict for reading in readings} == {Verdict.NO_MARK}


def test_subtracted_mark_is_tampering(source: list[Picture], clip: list[Picture]) -> None:
    inverted = [
        np.clip(2.0 * one.astype(np.float32) - other, 0, 255).astype(np.uint8)
        for one, other in zip(source[:10], clip[:10], strict=True)
    ]
    reading = read(inverted)
    assert (reading.verdict, reading.tampering) == (Verdict.TAMPERING, Tampering.INVERTED)


def test_two_marks_are_tampering(clip: list[Picture]) -> None:
    twice = marked(clip[:30], lambda _: 40, slot_id=0x1111_2222_3333_4444)
    reading = read(twice)
    assert (reading.verdict, reading.tampering, reading.payload) == (Verdict.TAMPERING, Tampering.TWO_MARKS, None)


def test_no_frames_read_nothing() -> None:
    assert read([]).verdict is Verdict.NO_MARK


def test_statistic_never_prints(clip: list[Picture]) -> None:
    reading = read(clip[:1])
    assert reading.z > 10
    assert "z" not in reading.public()
    assert f"{reading.z:.1f}" not in repr(reading)


def test_threshold_counts_every_slot() -> None:
    assert payload_threshold(1) == pytest.approx(5.75, abs=0.01)
    assert payload_threshold(64) == pytest.approx(6.44, abs=0.01)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (257, 256)])
def test_impossible_sizes_are_refused(width: int, height: int) -> None:
    with pytest.raises(FrameTooSmall):
        Embedder(KEY, SLOT_ID, 0, width, height)


def test_frames_of_two_sizes_are_refused() -> None:
    small, large = (np.full((side * 3 // 2, side), 90, dtype=np.uint8) for side in (128, 256))
    with pytest.raises(ValueError, match="one size"):
        read([small, large])


def test_embedder_refuses_other_planes(source: list[Picture]) -> None:
    planes = planes_of(source[0])
    with pytest.raises(ValueError, match="another size"):
        Embedder(KEY, SLOT_ID, 0, 512, 512).embed(*planes)
    with pytest.raises(ValueError, match="another size"):
        Embedder(KEY, SLOT_ID, 0, SIZE, SIZE).embed(*Planes(planes.y, planes.u, planes.y))


@pytest.mark.parametrize(
    ("is_known", "matches", "verdict"),
    [
        (False, None, Verdict.MARK_PRESENT),
        (True, None, Verdict.POINTS_TO_MANIFEST),
        (True, True, Verdict.CONTENT_MATCHES),
        (True, False, Verdict.CONTENT_DIFFERS),
    ],
)
def test_resolution(is_known: bool, matches: bool | None, verdict: Verdict) -> None:
    reading = MarkReading(Verdict.PAYLOAD_READ, SLOT_ID)
    assert resolve(reading, is_known=is_known, content_matches=matches) is verdict
    assert resolve(MarkReading(Verdict.NO_MARK), is_known=is_known, content_matches=matches) is Verdict.NO_MARK
