"""The soak's own arithmetic: a drift is seen across a wrap of the time stamps, a constant offset is none."""

import math
import os

import pytest

from tests.benchmarks import soak


def played(video_from, audio_from, drift_ms_per_min=0.0):
    """A sample every five seconds for two minutes; the picture runs ahead by so much a minute."""
    seen = []
    for at_s in range(0, 120, 5):
        ahead_s = drift_ms_per_min * at_s / 60_000
        seen.append({"played": {
            "video": [int(video_from + 90_000 * (at_s + ahead_s)) % 2**32, 1000.0 * at_s],
            "audio": [int(audio_from + 48_000 * (at_s - 0.02)) % 2**32, 1000.0 * at_s - 20]}})
    return seen


@pytest.mark.parametrize(("video_from", "audio_from"), [(0, 0), (2**32 - 90_000 * 40, 2**32 - 48_000 * 70)])
def test_drift_is_a_slope_and_an_offset_is_none(video_from, audio_from):
    at_s = list(range(0, 120, 5))
    steady = soak.offsets_ms(played(video_from, audio_from))
    assert soak.slope_per_min(at_s, steady) == pytest.approx(0, abs=0.01)
    drifting = soak.offsets_ms(played(video_from, audio_from, drift_ms_per_min=12))
    assert soak.slope_per_min(at_s, drifting) == pytest.approx(12, abs=0.01)


def test_what_was_not_played_is_no_number():
    seen = [*played(0, 0)[:2], {"played": {"audio": [1, 1.0]}}]
    assert [math.isnan(one) for one in soak.offsets_ms(seen)] == [False, False, True]
    assert math.isnan(soak.slope_per_min([1, 2], [1, 2]))


def test_memory_of_this_process_is_some_and_of_none_is_none():
    assert soak.process_tree_mb(os.getpid()) > 1 and soak.process_tree_mb(2**22 + 1) == 0
