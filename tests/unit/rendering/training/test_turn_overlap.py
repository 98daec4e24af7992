"""Signs of listening and interruptions over the replica, scored with a turn-taker that is told what to do."""

import numpy as np
import pytest

from rendering.dialogue.seams import HOP_SAMPLES, Floor, Hop
from rendering.training.turns.heard import HeardRow
from rendering.training.turns.overlap import figures
from rendering.training.turns.scene import Row, Word


class YieldsAt:
    """Yields in the hops of given times while the replica speaks."""

    def __init__(self, *times_s: float) -> None:
        self._times_s = times_s
        self.words: list[str] = []

    def reset(self, *, asked: str = "") -> None:
        pass

    def push(self, hop: Hop, *, words: str, is_replica_speaking: bool) -> Floor:
        self.words.append(words)
        is_due = is_replica_speaking and any(abs(hop.at_s - at_s) < 0.011 for at_s in self._times_s)
        return Floor("yield" if is_due else "hold", 0.0, (0.0, 0.0, 0.0, 1.0))


def row(barges_in: bool = False) -> HeardRow:
    hops = 200
    made = Row(
        "one", np.zeros(hops * HOP_SAMPLES, np.int16), ((3.0, 4.0),), (Word("wait", 2.0, 2.3),), "How are you?", 2.0,
        ("end",), (0.4, 2.8), () if barges_in else ((1.0, 1.4),), barges_in,
    )  # fmt: skip
    return HeardRow(made, (), np.zeros(hops), np.zeros(hops))


@pytest.mark.parametrize(("at_s", "share"), [(1.2, 1.0), (1.6, 1.0), (0.8, 0.0), (2.2, 0.0)])
def test_a_stop_at_a_sign_of_listening_is_wrong(at_s: float, share: float) -> None:
    found = figures([row()], lambda: YieldsAt(at_s), 0.5)
    assert found["backchannels"] == 1 and found["backchannels_taken_for_interruptions"] == share
    assert found["interruptions"] == 0 and found["interruptions_honoured"] is None


@pytest.mark.parametrize(("at_s", "delay_ms"), [((2.4,), 400), ((1.0, 2.6), 600), ((3.2,), None), ((), None)])
def test_an_interruption_is_honoured_before_the_replica_is_done(at_s: tuple[float, ...], delay_ms: int | None) -> None:
    found = figures([row(barges_in=True)], lambda: YieldsAt(*at_s), 0.5)
    assert found["interruptions_honoured"] == (0.0 if delay_ms is None else 1.0)
    assert found["interruption_ms_p50"] == delay_ms


def test_words_come_as_late_as_said() -> None:
    made = YieldsAt()
    figures([row(barges_in=True)], lambda: made, 0.3)
    first = made.words.index("wait")
    assert (first + 1) * 0.02 == pytest.approx(2.6, abs=0.021)
