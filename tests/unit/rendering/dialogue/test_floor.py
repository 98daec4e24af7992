"""The floor, hop by hop: who speaks, who stops, what is thrown away. Pure, so every second of it can be told."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.dialogue.floor import Act, FloorMachine, Replica
from rendering.dialogue.flow import flow_settings
from rendering.dialogue.overlap import is_backchannel
from rendering.dialogue.seams import HOP_S, Floor
from rendering.dialogue.silence import SilenceTurnTaker
from tests.common.scripted_talk import LOUD, SOFT, hop

SOUNDING, PENDING, SILENT = Replica("sounding"), Replica("pending"), Replica("silent")
GREETING = Replica("sounding", is_interruptible=False)


class Told:
    """A floor with the plain turn taker, fed by a table."""

    def __init__(self, **flow: Any) -> None:
        settings = flow_settings({"turn_taking_patience": "low", **flow})
        self.machine = FloorMachine(settings)
        self.taker = SilenceTurnTaker(settings.turn_taking_patience)
        self.at_s = 0.0
        self.acts: list[tuple[Act, float]] = []

    def hear(self, seconds: float, speaks: bool, words: str = "", replica: Replica = SILENT, level: int = LOUD) -> None:
        for _ in range(round(seconds / HOP_S)):
            self.at_s += HOP_S
            one = hop(self.at_s, speaks=speaks, level=level)
            floor = self.taker.push(one, words=words, is_replica_speaking=replica.does == "sounding")
            self._keep(self.machine.step(one, floor, words, replica))

    def understood(self, text: str) -> None:
        self._keep(self.machine.understood(text))

    def _keep(self, acts: tuple[Act, ...]) -> None:
        for act in acts:
            if act == "begin":
                self.taker.reset()
            self.acts.append((act, round(self.at_s, 3)))

    @property
    def names(self) -> list[Act]:
        return [act for act, _ in self.acts]

    def at(self, act: Act) -> float:
        return next(at_s for name, at_s in self.acts if name == act)


def test_a_plain_turn_is_prepared_in_the_pause_and_spoken_after_it() -> None:
    told = Told()
    told.hear(1.0, True, "hello there")
    told.hear(1.0, False, "hello there")
    assert told.names == ["begin", "prepare", "speak"]
    assert told.at("prepare") == pytest.approx(1.10, abs=0.011)
    assert told.at("speak") == pytest.approx(1.30, abs=0.011)


def test_who_goes_on_after_a_pause_gets_no_answer_to_the_half() -> None:
    told = Told()
    told.hear(0.6, True)
    told.hear(0.2, False)
    told.hear(0.6, True)
    told.hear(0.5, False)
    assert told.names == ["begin", "prepare", "discard", "prepare", "speak"]


def test_who_goes_on_before_the_answer_is_heard_takes_the_floor_back() -> None:
    told = Told()
    told.hear(0.6, True)
    told.hear(0.3, False)
    told.hear(0.2, True, replica=PENDING)
    told.hear(0.5, False)
    assert told.names == ["begin", "prepare", "speak", "discard", "prepare", "speak"]


def test_a_click_is_no_turn() -> None:
    told = Told()
    told.hear(0.04, True)
    told.hear(2.0, False)
    assert told.names == []


BARGE_IN = {  # interruptibility, level, words -> seconds of speech until the replica stops; None: it goes on
    ("medium", LOUD, ""): 0.20, ("medium", SOFT, ""): 0.60, ("low", LOUD, ""): 0.80, ("high", SOFT, ""): 0.40,
    ("medium", LOUD, "yeah okay"): 1.0, ("medium", SOFT, "no wait"): 0.20, ("verylow", LOUD, "stop"): 0.80,
}  # fmt: skip


@pytest.mark.parametrize(("case", "after_s"), BARGE_IN.items())
def test_speech_over_the_replica_stops_it_when_it_is_long_loud_or_worded(case: Any, after_s: float) -> None:
    interruptibility, level, words = case
    told = Told(replica_interruptibility=interruptibility)
    told.hear(1.0, False, replica=SOUNDING)
    told.hear(1.5, True, words, SOUNDING, level)
    assert told.names[:2] == ["begin", "yield"]
    assert told.at("yield") - 1.0 == pytest.approx(after_s, abs=0.021)


@pytest.mark.parametrize("words", ["mm-hm", "Yeah.", "uh huh", "okay, right", "हाँ", "আচ্ছা", "হয়"])
def test_a_sign_of_listening_does_not_interrupt(words: str) -> None:
    told = Told()
    told.hear(0.5, False, replica=SOUNDING)
    told.hear(0.5, True, words, SOUNDING, SOFT)
    told.hear(1.0, False, words, SOUNDING)
    assert told.names == ["begin", "forget"]


@pytest.mark.parametrize("text", ["", "no", "wait a moment", "yeah but no", "what", "tell me about claims", "না"])
def test_words_that_ask_for_the_floor_are_no_backchannel(text: str) -> None:
    assert not is_backchannel(text)


def test_the_greeting_is_heard_out_and_who_spoke_over_it_is_answered_after_it() -> None:
    told = Told(replica_interruptibility="high")
    told.hear(1.5, True, "stop please", GREETING)
    told.hear(2.0, False, "stop please", GREETING)
    assert told.names == ["begin"]
    told.hear(0.5, False, "stop please")
    assert told.names == ["begin", "prepare", "speak"]


def interrupted(**flow: Any) -> Told:
    told = Told(**flow)
    told.hear(0.5, False, replica=SOUNDING)
    told.hear(0.5, True, "", SOUNDING)
    assert told.names == ["begin", "yield"]
    return told


def test_an_interruption_without_words_is_taken_back() -> None:
    told = interrupted()
    told.hear(0.2, False)
    assert told.names[2:] == ["prepare"]
    told.understood("")
    assert told.names[3:] == ["discard", "forget", "resume"]


def test_an_interruption_that_turns_out_to_be_a_sign_of_listening_is_taken_back() -> None:
    told = interrupted()
    told.hear(0.5, False)
    told.understood("yeah")
    assert told.names[-1] == "resume" and "speak" not in told.names


def test_an_interruption_with_words_is_answered_and_the_rest_let_go() -> None:
    told = interrupted()
    told.hear(0.5, True, "what about roofs")
    told.hear(0.5, False, "what about roofs")
    assert told.names[2:] == ["let_go", "prepare", "speak"]


def test_words_that_are_known_only_at_the_end_are_answered_too() -> None:
    told = interrupted()
    told.hear(0.6, False)
    assert told.names[2:] == ["prepare"]
    told.understood("what about roofs")
    assert told.names[3:] == ["let_go", "speak"]


def test_noise_stops_the_replica_twice_and_then_no_more() -> None:
    replayed = Told()
    is_sounding = True
    for _ in range(round(600 / HOP_S)):
        before = len(replayed.acts)
        replayed.hear(HOP_S, True, "", SOUNDING if is_sounding else SILENT)
        for act, _ in replayed.acts[before:]:
            is_sounding = {"yield": False, "resume": True}.get(act, is_sounding)
    assert replayed.names.count("yield") == replayed.names.count("resume") == 2
    assert is_sounding
    # And words still do.
    replayed.hear(1.0, True, "please stop that now", SOUNDING)
    assert replayed.names[-2:] == ["yield", "let_go"]


def test_nobody_is_answered_who_does_not_say_the_wake_phrase() -> None:
    told = Told(wake_phrase="Hey Asha")
    told.hear(1.0, True, "what time is it")
    told.hear(0.2, False)
    told.understood("what time is it")
    assert told.names == ["begin", "prepare", "discard", "forget"]
    told.hear(1.0, True, "hey Asha, what time is it")
    told.hear(0.2, False)
    told.understood("Hey, Asha! What time is it?")
    told.hear(0.3, False)
    assert told.names[4:] == ["begin", "prepare", "speak"]
    told.hear(1.0, True, "talking to somebody else", SOUNDING)
    assert "yield" not in told.names


@pytest.mark.parametrize(("engagement", "first_s"), [("patient", 20.0), ("eager", 8.0)])
def test_a_silence_is_broken_twice_at_most(engagement: str, first_s: float) -> None:
    told = Told(idle_engagement=engagement)
    told.hear(120.0, False)
    assert told.names == ["nudge", "nudge"]
    assert told.at("nudge") == pytest.approx(first_s, abs=0.05)
    quiet = Told(idle_engagement="off")
    quiet.hear(120.0, False)
    assert quiet.names == []


def test_settings_are_read_leniently() -> None:
    flow = flow_settings({"turn_taking_patience": "Very High", "pal_interruptibility": "verylow",
                          "idle_engagement": True, "wake_phrase": "  hey   you ", "turn_detection_model": "sparrow-1",
                          "voice_isolation": "near"})
    assert (flow.turn_taking_patience, flow.replica_interruptibility) == ("high", "low")
    assert (flow.idle_engagement, flow.wake_phrase, flow.turn_detection_model) == ("patient", "hey you", "own")
    assert flow.more == {"voice_isolation": "near"}
    for nonsense in (None, [], "low", {"turn_taking_patience": {"a": 1}, "wake_phrase": 7}):
        assert flow_settings(nonsense).turn_taking_patience == "medium" and flow_settings(nonsense).wake_phrase == ""


# --- whatever happens -------------------------------------------------------------------------------------------------

DECISIONS = ("listen", "wait", "prepare", "speak", "backchannel", "yield", "hold")
STEPS = st.lists(st.tuples(
    st.sampled_from(DECISIONS), st.booleans(), st.sampled_from(["", "yeah", "what about roofs"]),
    st.sampled_from([1, 4, 30, 120]), st.sampled_from([None, None, "", "what about roofs", "mm-hm"]),
    st.booleans(),
), max_size=30)  # fmt: skip


class World:
    """A replica that does what the acts say, and complains about acts that make no sense."""

    def __init__(self) -> None:
        self.is_preparing = self.is_pending = self.is_sounding = self.is_held = self.is_begun = False
        self.prepared = self.spoken = self.discarded = 0

    @property
    def replica(self) -> Replica:
        return SOUNDING if self.is_sounding else PENDING if self.is_pending else SILENT

    def do(self, act: Act) -> None:
        if act == "begin":
            assert not self.is_begun
            self.is_begun = True
        elif act == "prepare":
            assert self.is_begun
            assert not self.is_preparing and not self.is_pending
            self.is_preparing, self.prepared = True, self.prepared + 1
        elif act == "discard":
            assert self.is_preparing or self.is_pending
            self.is_preparing = self.is_pending = False
            self.discarded += 1
        elif act == "speak":
            assert self.is_preparing and not self.is_sounding and not self.is_held
            self.is_preparing, self.is_pending, self.spoken = False, True, self.spoken + 1
        elif act == "yield":
            assert self.is_sounding and not self.is_held
            self.is_sounding, self.is_held = False, True
        elif act in ("resume", "let_go"):
            assert self.is_held
            self.is_held, self.is_sounding = False, act == "resume"
        elif act == "forget":
            assert self.is_begun
            self.is_begun = False


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_the_replica_never_speaks_twice_at_once_nor_after_it_yielded_nor_what_was_thrown_away(steps: Any) -> None:
    machine, world, at_s = FloorMachine(flow_settings({"idle_engagement": "eager"})), World(), 0.0
    for decision, speaks, words, hops, final, is_typed in steps:
        for _ in range(hops):
            at_s += HOP_S
            if world.is_pending and not speaks and world.spoken % 2:
                world.is_pending, world.is_sounding = False, True
            for act in machine.step(hop(at_s, speaks=speaks), Floor(decision, 0.5), words, world.replica):
                world.do(act)
            if not machine.is_open:
                world.is_begun = False
        if final is not None:
            for act in machine.understood(final):
                world.do(act)
            if not machine.is_open:
                world.is_begun = False
        if is_typed and world.is_sounding:
            world.is_sounding = False  # it has said all
        elif is_typed and world.is_pending:
            world.is_pending = False  # nothing came of it
    assert world.prepared - world.spoken <= world.discarded + 1
    assert machine.is_held == world.is_held


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=20), st.sampled_from(["low", "medium", "high"]))
def test_the_plain_turn_taker_never_takes_the_floor_from_who_speaks(runs: Any, patience: str) -> None:
    taker, at_s = SilenceTurnTaker(patience), 0.0
    shares = []
    for speaks, hops in runs:
        for _ in range(hops):
            at_s += HOP_S
            floor = taker.push(hop(at_s, speaks=speaks), words="", is_replica_speaking=False)
            assert not (speaks and floor.decision != "listen")
            shares.append((speaks, floor.end_share))
    assert all(after >= before for (_, before), (is_speech, after) in pairwise(shares) if not is_speech)


@pytest.mark.parametrize("patience", ["low", "medium", "high"])
def test_a_page_that_lies_moves_nothing_where_silence_decides(patience: str) -> None:
    def decisions(edge_end: float | None) -> list[str]:
        taker = SilenceTurnTaker(patience)
        heard = [hop(number * HOP_S, speaks=number < 20) for number in range(100)]
        return [taker.push(replace(one, edge_end=edge_end), words="", is_replica_speaking=False).decision
                for one in heard]

    assert decisions(1.0) == decisions(None) == decisions(0.0)
