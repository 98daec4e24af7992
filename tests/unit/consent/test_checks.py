"""The small checks, each with something it must catch and something it must leave alone."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from consent import charts, describe
from consent.identity.not_run import colour_flash, spoken_phrase
from consent.identity.one_face import check_one_face
from consent.identity.own_output import OwnOutputFinding, check_own_output
from consent.identity.replay import (
    GRID,
    Fingerprint,
    SeenMedia,
    check_seen_before,
    movement_agreement,
    picture_distance,
)
from consent.identity.results import worst_first
from consent.identity.same_face import FAIL_DISTANCE, check_same_face
from consent.identity.words import WORDS, words_from_hash
from consent.scope import Scope
from consent.seams import Use
from trustcore.primitives.hashing import sha256_hex

NO_SOUND = np.zeros(0, np.int16)
NO_FRAMES = np.zeros((0, 8, 8, 3), np.uint8)


def taken(seed, seconds=20):
    """The fingerprint of an invented recording: smooth random movement, pictures that drift."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 1, (seconds * 10, 2)).cumsum(axis=0)
    steps[:, 1] = np.abs(np.sin(steps[:, 1]))
    picture = rng.random((seconds * 4, GRID * GRID)) < 0.5
    return Fingerprint(steps.astype(np.float16), picture)


def seen(one):
    return SeenMedia("l1", "0" * 64, one.to_bytes())


def test_faces_are_counted():
    one, two, none = np.ones(100, np.uint8), np.ones(100, np.uint8), np.ones(100, np.uint8)
    two[:10], none[:40] = 2, 0
    assert check_one_face(one).verdict == "pass"
    assert "Somebody else" in check_one_face(two).to_subject
    assert "could not see your face" in check_one_face(none).to_subject
    assert check_one_face(np.zeros(0, np.uint8)).verdict == "fail"


def test_a_fingerprint_keeps_its_shape_in_bytes():
    again = Fingerprint.from_bytes(taken(1).to_bytes())
    assert movement_agreement(again, taken(1)) == pytest.approx(1.0, abs=1e-3)
    assert picture_distance(again, taken(1)) == 0
    assert len(Fingerprint.from_bytes(b"").movement) == 0


def test_the_same_bytes_and_a_late_started_copy_fail_and_another_recording_passes():
    original = taken(1)
    assert check_seen_before(b"file", taken(2), [SeenMedia("l1", sha256_hex(b"file"), b"")]).verdict == "fail"
    late = Fingerprint(original.movement[10:], original.picture[4:])
    assert check_seen_before(b"other", late, [seen(original)]).verdict == "fail"
    assert check_seen_before(b"other", taken(2), [seen(original)]).verdict == "pass"
    assert check_seen_before(b"other", original, []).verdict == "pass"


def test_the_same_movement_by_somebody_else_is_no_copy():
    original = taken(1)
    somebody_else = Fingerprint(original.movement, taken(2).picture)
    assert check_seen_before(b"other", somebody_else, [seen(original)]).verdict == "pass"


def test_still_faces_are_not_copies_of_each_other():
    still = Fingerprint(np.zeros((200, 2), np.float16), taken(1).picture)
    assert check_seen_before(b"other", still, [seen(still)]).verdict == "pass"


def test_the_same_face_check_never_passes():
    one = np.zeros(40, np.float32)
    far = one + np.float32(2 * FAIL_DISTANCE / 100)
    assert check_same_face(one, one, reference_name="the footage").verdict == "warn"
    assert check_same_face(one, far, reference_name="the footage").verdict == "fail"
    assert check_same_face(one, None, reference_name="").verdict == "not_run"
    assert check_same_face(None, one, reference_name="").verdict == "not_run"


class Detector:
    """Finds what it was told to find."""

    def __init__(self, *traces):
        self.traces = traces

    def detect(self, media, frames, sound, rate_hz):
        return OwnOutputFinding(self.traces, ("our watermark",), "test", "1")


def test_any_trace_of_ours_fails_and_no_detector_is_not_a_pass():
    assert check_own_output(Detector("watermark of slot 3f"), b"", NO_FRAMES, NO_SOUND, 16_000).verdict == "fail"
    assert check_own_output(Detector(), b"", NO_FRAMES, NO_SOUND, 16_000).verdict == "pass"
    assert check_own_output(None, b"", NO_FRAMES, NO_SOUND, 16_000).verdict == "not_run"


def test_the_worst_is_read_first():
    results = [
        check_own_output(Detector(), b"", NO_FRAMES, NO_SOUND, 16_000),
        spoken_phrase(),
        check_one_face(np.zeros(9, np.uint8)),
        colour_flash(),
    ]
    assert [result.verdict for result in worst_first(results)] == ["fail", "not_run", "not_run", "pass"]


def test_hash_words_follow_the_hash():
    assert len(set(WORDS)) == 256
    assert words_from_hash("00ff" + "0" * 60) == (WORDS[0], WORDS[255], WORDS[0], WORDS[0])


def test_a_scope_in_words():
    scope = Scope.from_dict(
        {
            "purposes": ["support", "education"],
            "audiences": ["adults"],
            "emotions_max_milli": {"joy": 700, "sadness": 300},
            "languages": ["en", "hi"],
            "territories": ["IN"],
            "releases": ["face"],
            "retention_days": 90,
            "expires_on": "2028-01-01",
        }
    )
    lines = describe.scope(scope)
    assert (lines.purposes, lines.emotions) == ("education and customer support", "mild sadness and strong joy")
    assert "anger" in lines.never
    assert "people under 18" in lines.never


def test_the_hours_chart_stacks_the_uses_and_leaves_refusals_out():
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    uses = [
        Use(now - timedelta(days=day), "App", "", "", verdict, "support", 3600.0)
        for day, verdict in ((0, "pass"), (0, "fail"), (2, "pass"), (45, "pass"))
    ]
    chart = charts.hours_a_day(uses, now)
    assert (len(chart["bars"]), chart["total"], chart["top_label"]) == (2, "2.0 h", "1.0 h")


def test_the_turn_chart_says_late_and_not_asked():
    detail = {
        "curve": [[0.0, 0.0], [1.0, None], [2.0, 5.0], [3.0, 20.0]],
        "asked": [{"direction": "left", "at_s": 1.0}],
        "made": [
            {"direction": "left", "crossed_s": 4.0, "peak_deg": 25.0},
            {"direction": "right", "crossed_s": 6.0, "peak_deg": -20.0},
        ],
    }
    chart = charts.turn_chart({"detail": detail}, 10.0)
    assert [turn["label"] for turn in chart["made"]] == ["✕ 3.0 s", "✕ not asked"]
    assert len(chart["runs"]) == 1  # one point before the gap is no line
