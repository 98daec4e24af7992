"""What the aligned detector reads after edits, strong ones too: a payload, a trace, or nothing, asserted as it is."""

import numpy as np
import pytest

from provenance.marks.verdicts import Tampering, Verdict
from tests.common.mark_attacks import SLOT_ID, changed, marked, read, talking_head
from tests.common.moving_frames import through_file
from tests.common.picture_changes import Picture
from tests.common.picture_edits import EDITS

FRAMES = 30

READ_FROM_ONE = (
    "brightness +60", "contrast 0.3", "contrast 1.8", "saturation 0.3", "saturation 1.8", "hue 90 degrees", "JPEG 50",
    "noise 10", "blur 4", "median 9", "scaled to an eighth and back", "bars painted over 15 %",
    "inset covers a quarter", "turned 0.5 degrees",
)  # fmt: skip
LOST = (
    "JPEG 10", "blur 16", "squeezed between bars", "in a black frame at 0.75", "as an inset of 0.5", "mirrored",
    "turned upside down", "turned 2 degrees", "turned 5 degrees", "turned 10 degrees", "perspective 10 %",
)  # fmt: skip


@pytest.fixture(scope="module")
def clip() -> list[Picture]:
    return marked(talking_head()[:FRAMES])


@pytest.mark.parametrize("edit", READ_FROM_ONE)
def test_is_read_from_one_frame_after(clip: list[Picture], edit: str) -> None:
    assert read(changed(clip[:1], EDITS[edit])).payload == SLOT_ID


@pytest.mark.parametrize("edit", LOST)
def test_is_not_found_aligned_after(clip: list[Picture], edit: str) -> None:
    reading = read(changed(clip[:5], EDITS[edit]))
    assert (reading.verdict, reading.payload) == (Verdict.NO_MARK, None)


def test_inverted_colours_count_as_tampering(clip: list[Picture]) -> None:
    reading = read(changed(clip[:1], EDITS["colours inverted"]))
    assert (reading.verdict, reading.tampering) == (Verdict.TAMPERING, Tampering.INVERTED)


def test_a_clip_at_double_speed_is_read(clip: list[Picture]) -> None:
    assert read(clip[::2]).payload == SLOT_ID


def test_a_clip_without_half_of_its_frames_in_another_order_is_read(clip: list[Picture]) -> None:
    order = np.random.default_rng(0).permutation(FRAMES)[: FRAMES // 2]
    assert read([clip[number] for number in order]).payload == SLOT_ID


def test_the_mean_of_three_neighbouring_frames_is_read(clip: list[Picture]) -> None:
    means = [np.round(np.mean(clip[i : i + 3], axis=0)).astype(np.uint8) for i in range(0, 30, 3)]
    assert read(means).payload == SLOT_ID


def test_a_file_at_crf_23_is_read_and_one_at_crf_40_is_not(clip: list[Picture]) -> None:
    assert read(through_file(clip, 23)[0]).payload == SLOT_ID
    reading = read(through_file(clip, 40)[0])
    assert (reading.verdict, reading.payload) == (Verdict.NO_MARK, None)
