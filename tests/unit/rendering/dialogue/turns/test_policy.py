"""The policy's table: what is done in a pause, and what the viewer's page can and cannot move."""

import math

import pytest

from rendering.dialogue.turns import policy
from rendering.dialogue.turns.policy import Pause, Settings, decide, interrupts, with_edge

SETTINGS = Settings(threshold=0.7, delay_s=0.3, timeout_s=1.5)


@pytest.mark.parametrize(("over", "pause_s", "wanted"), [
    (0.9, 0.4, "speak"), (0.9, 0.28, "prepare"), (0.6, 0.4, "prepare"), (0.1, 0.4, "wait"), (0.1, 1.5, "speak"),
    (0.9, 0.05, "wait"),
])  # fmt: skip
def test_a_pause_is_answered_by_share_delay_and_time_out(over: float, pause_s: float, wanted: str) -> None:
    assert decide(Pause(over, pause_s, stretch_s=1.0), SETTINGS) == wanted


def test_a_sign_of_listening_fits_after_long_speech_that_goes_on() -> None:
    fits = Pause(0.1, 0.3, stretch_s=4.0)
    assert decide(fits, SETTINGS) == "backchannel"
    assert decide(Pause(0.1, 0.3, 4.0, since_backchannel_s=2.0), SETTINGS) == "wait"
    assert decide(Pause(0.4, 0.3, 4.0), SETTINGS) == "wait"


def test_a_lying_page_moves_the_share_by_a_bounded_step() -> None:
    for over in (0.01, 0.2, 0.5, 0.8):
        for said in (1.0, 0.0, 5.0, -3.0):
            moved = with_edge(over, said)
            step = math.log(moved / (1 - moved)) - math.log(over / (1 - over))
            assert abs(step) <= policy.EDGE_MOST + 1e-9
    assert with_edge(0.3, 0.9) > 0.3 > with_edge(0.3, 0.1)


@pytest.mark.parametrize("nonsense", [None, math.nan, math.inf])
def test_nonsense_of_a_page_moves_nothing(nonsense: float | None) -> None:
    assert with_edge(0.3, nonsense) == 0.3


def test_a_lying_page_never_gets_an_answer_before_the_delay() -> None:
    assert decide(Pause(with_edge(0.999, 1.0), 0.28, 1.0), SETTINGS) != "speak"


def test_a_lying_page_never_puts_the_answer_off_past_the_time_out() -> None:
    assert decide(Pause(with_edge(0.001, 0.0), 1.5, 1.0), SETTINGS) == "speak"


def test_listening_words_do_not_interrupt_and_a_stop_does() -> None:
    assert not interrupts(0.5, "", "medium")
    assert interrupts(0.6, "", "medium")
    assert not interrupts(0.9, "mm-hm", "medium")
    assert interrupts(0.2, "wait", "medium")
    assert interrupts(0.32, "", "high") and not interrupts(0.9, "", "low")
    assert interrupts(1.3, "yeah yeah", "high")  # it goes on: no sign of listening lasts so long
