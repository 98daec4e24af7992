"""Hints of a page: bounded in value and in number."""

import math

import pytest

from rendering.dialogue.turns.edge import MOST_A_SECOND, EdgeHints


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
