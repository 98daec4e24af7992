"""Hints of a page: bounded in value and in number."""

import json
import math

import pytest

from rendering.dialogue.turns.edge import MAX_CHARS, MOST_A_SECOND, EdgeHints, is_hint


def test_a_hint_goes_to_one_hop() -> None:
    hints = EdgeHints()
    assert hints.take(0.7, 1.0)
    assert hints.for_hop() == 0.7
    assert hints.for_hop() is None


@pytest.mark.parametrize("lie", [None, "0.9", True, 1.5, -0.1, math.nan, math.inf, [], {}, 10**400])
def test_what_is_no_share_is_thrown_away(lie: object) -> None:
    hints = EdgeHints()
    assert not hints.take(lie, 1.0)
    assert hints.for_hop() is None


def test_mallory_sends_a_thousand_and_ten_count() -> None:
    hints = EdgeHints()
    assert sum(hints.take(1.0, 5.0 + i / 1000) for i in range(1000)) == MOST_A_SECOND
    assert hints.take(1.0, 6.1)


def message(properties: object, kind: str = "trustcore.turn_hint") -> str:
    return json.dumps({"event_type": kind, "properties": properties}, separators=(",", ":"))


def test_only_the_pages_own_words_are_a_hint() -> None:
    assert is_hint(message({"end": 0.5}))
    assert not is_hint(message({"text": "trustcore.turn_hint"}, "conversation.respond"))
    assert not is_hint(message({"end": "0" * MAX_CHARS}))


@pytest.mark.parametrize("properties", [None, [], 1, "end", {}, {"end": "0.9"}, {"end": math.inf}, {"end": math.nan}])
def test_a_message_without_a_share_is_thrown_away(properties: object) -> None:
    hints = EdgeHints()
    assert not hints.take_text(message(properties), 1.0)
    assert not hints.take_text(message({"end": 0.5})[:-3], 1.0)
    assert hints.for_hop() is None
    assert hints.take_text(message({"end": 0.5}), 1.0) and hints.for_hop() == 0.5
