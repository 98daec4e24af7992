"""The offline verifier finds the mark in a clip that was cut, scaled and encoded again, and in nothing else."""

import io
from fractions import Fraction

import av
import cv2
import numpy as np

from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import planes_of
from provenance.verify.video import read_mark
from tests.common.moving_frames import talking_frames
from tests.common.picture_changes import Picture, quarter_cut_away, scaled

KEY, SLOT_ID = MarkKey(bytes(range(32)), "one"), 0x0123_4567_89AB_CDEF


def mp4(pictures: list[Picture], kbps: int) -> bytes:
    """BGR pictures as H.264 in MP4."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.height, stream.width = (side & ~1 for side in pictures[0].shape[:2])
        stream.pix_fmt, stream.bit_rate = "yuv420p", kbps * 1000
        for picture in pictures:
            even = np.ascontiguousarray(picture[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="bgr24")))
        container.mux(stream.encode(None))
    return out.getvalue()


def cut_clip(*, is_marked: bool) -> bytes:
    frames = [frame.copy() for frame in talking_frames(12, 512, 1)]
    if is_marked:
        embedder = Embedder(KEY, SLOT_ID, 3, 512, 512)
        for frame in frames:
            embedder.embed(*planes_of(frame))
    whole = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8) for frame in frames]
    return mp4([scaled(quarter_cut_away(picture), 0.83) for picture in whole], 500)


def test_a_quarter_cropped_rescaled_clip_at_500_kbps_leads_back() -> None:
    told: list[tuple[int, int]] = []
    found = read_mark(cut_clip(is_marked=True), KEY, lambda done, total: told.append((done, total)))
    assert found["payload"] == f"{SLOT_ID:016x}"
    assert told[-1] == (100, 100)


def test_an_unmarked_clip_leads_nowhere() -> None:
    assert not read_mark(cut_clip(is_marked=False), KEY).get("payload")


def test_a_still_of_odd_size_is_read_too() -> None:
    (frame,) = (one.copy() for one in talking_frames(1, 512, 1))
    Embedder(KEY, SLOT_ID, 3, 512, 512).embed(*planes_of(frame))
    whole = np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)
    png = cv2.imencode(".png", whole[31:450, 20:455])[1].tobytes()
    assert read_mark(png, KEY)["payload"] == f"{SLOT_ID:016x}"


def test_presence_key_finds_the_mark_and_reads_nothing() -> None:
    """Whole, and cut and scaled: an auditor learns that a mark is there, and no session."""
    (frame,) = (one.copy() for one in talking_frames(1, 512, 1))
    Embedder(KEY, SLOT_ID, 3, 512, 512).embed(*planes_of(frame))
    whole = np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)
    cut = scaled(quarter_cut_away(whole), 0.83)
    for picture in (whole, cut):
        found = read_mark(cv2.imencode(".png", picture)[1].tobytes(), KEY.presence_only())
        assert (found["verdict"], found["payload"]) == ("mark_present", None)
