"""The table of sentence ends: what it says, and that a damaged one is refused."""

import json

import pytest

from rendering.dialogue.turns.endings import LEAST, MOST, TABLE, EndingsInvalid, from_json, installed, to_json


@pytest.mark.parametrize(("more", "whole"), [
    ("i like", "i like it"), ("she told me to", "she told me"), ("we are looking for", "we are looking for him"),
    ("put my", "just me"), ("it was very", "it was very good"), ("because", "that's why"),
])  # fmt: skip
def test_more_is_expected_after_the_first_than_after_the_second(more: str, whole: str) -> None:
    table = installed()
    assert table.after(more.split()) < table.after(whole.split())


def test_a_pair_counts_before_its_last_word() -> None:
    table = from_json(to_json({"now": -2.0}, {"right now": -1.5}, -2.1, "made"))
    assert table.after(["now"]) == pytest.approx(0.6)
    assert table.after(["right", "now"]) == pytest.approx(1.1)
    assert table.after(["later", "now"]) == pytest.approx(0.6)
    assert table.after(["guwahati"]) == pytest.approx(0.5)  # not listed


def test_it_says_nothing_without_words_or_in_another_script_and_is_bounded() -> None:
    table = from_json(to_json({"of": -90.0, "end": 0.0}, {}, -2.1, "made"))
    assert table.after([]) == 0.0 and table.after(["नहीं"]) == 0.0 and table.after(["42"]) == 0.0
    assert table.after(["of"]) == LEAST and table.after(["end"]) == MOST


def test_a_damaged_table_is_refused() -> None:
    content = json.loads(TABLE.read_text())
    content["one"]["the"] = -0.1
    for text in ("", "{}", "[]", json.dumps(content)):
        with pytest.raises(EndingsInvalid):
            from_json(text)
