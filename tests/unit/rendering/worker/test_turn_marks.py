"""The marks of an answer: counted from the viewer's last sound, of what was heard, of nothing thrown away."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rendering.dialogue.seams import MarkName, PartFailed
from rendering.protocol import Lease
from rendering.worker.reports import SessionReports
from rendering.worker.turn_marks import NAMES, TurnMarks


def mark(marks: TurnMarks, turn: int, **at_s: float) -> None:
    for name, moment in at_s.items():
        marks.mark(turn, name, moment)  # type: ignore[arg-type]


def test_an_answer_is_counted_from_the_last_sound_to_the_first_picture_of_its_lips() -> None:
    marks = TurnMarks()
    mark(marks, 1, user_stopped=10.0, pause_noticed=10.02, prepare=10.1, words_final=10.12, first_clause=10.13,
         first_sound=10.2, floor_taken=10.3, sound_laid=10.35)
    marks.frame_sent(10.33, 10.34)  # a picture of before
    assert marks.to_json() == {}
    marks.frame_sent(10.367, 10.38)
    marks.frame_sent(10.4, 10.41)
    marks.mark(1, "sound_laid", 12.0)  # of its next clause
    marks.frame_sent(12.1, 12.1)
    told = marks.to_json()
    assert (told["turns"], told["turn_sound_laid_ms"], told["turn_first_lip_frame_ms_p95"]) == (1.0, 350.0, 380.0)
    assert len(told) <= 24  # control keeps forty


def test_what_was_prepared_and_thrown_away_leaves_no_mark() -> None:
    marks = TurnMarks()
    mark(marks, 1, user_stopped=1.0, prepare=1.1, words_final=1.2, first_sound=1.3)
    mark(marks, 1, user_stopped=5.0, prepare=5.1, sound_laid=5.4)
    marks.frame_sent(5.5, 5.5)
    assert marks.rows()[0] == {"user_stopped": 0.0, "prepare": 100.0, "sound_laid": 400.0, "first_lip_frame": 500.0}


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from(NAMES), st.floats(0, 1e4)), max_size=200))
def test_whatever_is_marked_memory_is_bounded(told: list[tuple[int, MarkName, float]]) -> None:
    marks = TurnMarks()
    for turn, name, at_s in told:
        marks.mark(turn, name, at_s)
    assert len(marks._open) <= 4
    marks.to_json()


def test_a_part_that_failed_is_told_to_control_without_a_word_of_what_was_said() -> None:
    posted: list[dict[str, Any]] = []

    class Control:
        async def post(self, lease: Any, what: str, body: dict[str, Any]) -> None:
            posted.extend(body.get("troubles", []))

    reports = SessionReports(Control(), Lease("z1-1", "session", 1, "n", None, None, {}))  # type: ignore[arg-type]
    reports.part_failed(
        PartFailed("The voice broke on: a secret.", part="voice", trouble="broken", text="a secret"), 2.5)
    asyncio.run(reports.flush())
    assert posted == [{"part": "voice", "trouble": "broken", "media_time_s": 2.5}]
