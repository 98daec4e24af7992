"""The turn-taker as the conductor calls it: hop by hop, with made voices and a model whose weights are known."""

import math

import numpy as np
import pytest

from rendering.dialogue.seams import Floor, FlowSettings, PartFailed
from rendering.dialogue.turns.features import FEATURES
from rendering.dialogue.turns.model import TurnModel, from_json, to_json
from rendering.dialogue.turns.taker import Judge, ModelTurnTaker, turn_taker
from tests.unit.rendering.dialogue.turns.sounds import hops, hush, voice

PATIENCE = {"low": [0.6, 0.2, 1.0], "medium": [0.8, 0.3, 1.5], "high": [0.9, 0.5, 2.5]}


def model(**weights: float) -> TurnModel:
    table = np.zeros((2 * len(FEATURES), 5))
    for name, weight in weights.items():
        table[FEATURES.index(name), 0] = weight
    bias = np.array([math.log(4.0), 0.0, 0.0, 0.0, 0.0])  # even odds
    text = to_json(np.zeros(len(FEATURES)), np.ones(len(FEATURES)), table, bias, {"patience": PATIENCE})
    return from_json(text)


def missing() -> Judge:
    raise PartFailed("not installed", part="turn", trouble="missing")


def taker(flow: FlowSettings | None = None, **weights: float) -> ModelTurnTaker:
    made = turn_taker(flow or FlowSettings(), model(**weights), missing)
    made.reset()
    return made


def hear(
    made: ModelTurnTaker, pcm: np.ndarray, speech: float, words: str = "", over: bool = False, **more: object
) -> list[Floor]:
    return [made.push(hop, words=words, is_replica_speaking=over) for hop in hops(pcm, speech, **more)]


def decisions(floors: list[Floor]) -> list[str]:
    return list(dict.fromkeys(floor.decision for floor in floors))


def answered_after_s(floors: list[Floor]) -> float:
    return 0.02 * (1 + [floor.decision for floor in floors].index("speak"))


def test_nobody_spoke_so_the_viewer_has_the_floor() -> None:
    assert decisions(hear(taker(), hush(3.0), 0.1)) == ["listen"]


def test_a_whole_answer_is_taken_up_after_the_delay() -> None:
    made = taker(answer_given=3.0)
    hear(made, voice(0.6, 120), 0.9, "hello there")
    hear(made, hush(0.8), 0.1, "hello there")  # this recogniser is quick
    made.reset(asked="Did the parcel arrive?")
    assert decisions(hear(made, voice(0.6, 120), 0.9, "yes it came")) == ["listen"]
    floors = hear(made, hush(0.6), 0.1, "yes it came")
    assert decisions(floors) == ["wait", "prepare", "speak"]
    assert answered_after_s(floors) == pytest.approx(0.3, abs=0.041)
    assert floors[-1].why[0] == "answer_given"


def test_a_filler_is_waited_for_until_the_time_out() -> None:
    made = taker(filler_last=-4.0)
    hear(made, voice(0.6, 120), 0.9, "i live in um")
    floors = hear(made, hush(2.0), 0.1, "i live in um")
    assert answered_after_s(floors) == pytest.approx(1.5, abs=0.041)
    assert "filler_last" in floors[30].why


def test_shares_sum_to_one() -> None:
    made = taker(pause=1.0)
    hear(made, voice(0.6, 120), 0.9)
    for floor in hear(made, hush(0.6), 0.1, edge_end=0.9):
        assert floor.end_share + sum(floor.hazard) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("patience", "wait_s"), [("low", 1.0), ("medium", 1.5), ("high", 2.5)])
def test_patience_says_how_long(patience: str, wait_s: float) -> None:
    made = taker(FlowSettings(turn_taking_patience=patience), filler_last=-6.0)  # type: ignore[arg-type]
    hear(made, voice(0.6, 120), 0.9, "um")
    assert answered_after_s(hear(made, hush(3.0), 0.1, "um")) == pytest.approx(wait_s, abs=0.041)


def test_silence_alone_needs_no_model() -> None:
    made = taker(FlowSettings(turn_detection_model="silence"), filler_last=-9.0)
    hear(made, voice(0.6, 120), 0.9, "um")
    assert answered_after_s(hear(made, hush(2.0), 0.1, "um")) == pytest.approx(1.0, abs=0.041)


def test_a_chosen_model_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(PartFailed, match="not installed"):
        turn_taker(FlowSettings(turn_detection_model="smart_turn"), model(), missing)


def test_speech_that_goes_on_takes_the_floor_back() -> None:
    made = taker()
    hear(made, voice(0.6, 120), 0.9)
    hear(made, hush(0.4), 0.1)
    assert hear(made, voice(0.3, 120), 0.9)[-1].decision == "listen"


def test_a_cough_is_no_turn() -> None:
    made = taker(pause=-9.0)
    hear(made, hush(0.12, 0.2), 0.9)
    floors = hear(made, hush(2.0), 0.1)
    assert "speak" not in decisions(floors) and floors[-1].decision == "listen"


def test_a_backchannel_over_the_replica_is_held_and_a_barge_in_yields() -> None:
    made = taker()
    assert decisions(hear(made, voice(0.4, 120), 0.9, over=True)) == ["hold"]
    hear(made, hush(2.0), 0.1, over=True)
    floors = hear(made, voice(1.0, 120), 0.9, over=True)
    assert decisions(floors) == ["hold", "yield"]
    made = taker()
    assert hear(made, voice(0.4, 120), 0.9, "wait", over=True)[-1].decision == "yield"


def test_a_barge_in_goes_on_as_the_turn() -> None:
    made = taker(pause=-9.0)
    hear(made, voice(0.8, 120), 0.9, over=True)
    made.reset(asked="")
    assert hear(made, voice(0.2, 120), 0.9)[-1].decision == "listen"
    assert hear(made, hush(0.4), 0.1)[-1].decision == "wait"


def test_a_hint_of_the_page_makes_it_surer_for_a_moment_only() -> None:
    def share(**more: object) -> float:
        made = taker(filler_last=-0.5)
        hear(made, voice(0.6, 120), 0.9, "um")
        hear(made, hush(0.1), 0.1, "um", **more)
        return hear(made, hush(0.02), 0.1, "um")[-1].end_share

    assert share(edge_end=0.95) > share() > share(edge_end=0.05)
    made = taker()
    hear(made, voice(0.6, 120), 0.9)
    hear(made, hush(0.02), 0.1, edge_end=0.95)
    later = hear(made, hush(0.3), 0.1)
    assert later[0].end_share > later[-1].end_share == pytest.approx(0.5, abs=1e-4)
