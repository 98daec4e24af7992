"""What a turn-taker does while the replica speaks: signs of listening it stops for, interruptions it hears.

The set holds no words for signs of listening, so those are told from interruptions by their length alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rendering.dialogue.seams import HOP_S, HOP_SAMPLES, Hop, TurnTaker
from rendering.training.turns.heard import HeardRow, said_by
from rendering.training.turns.scene import Row

AFTER_S = 0.3  # how long after a sign of listening a stop still counts as one for it


def figures(heard: Sequence[HeardRow], taker: Callable[[], TurnTaker], lag_s: float) -> dict[str, float | int | None]:
    """Shares of signs of listening that stopped the replica and of interruptions that did, and how soon those did.

    An interruption is heard when the replica yields between its first sound and the end the replica had meant.

    Args:
        heard: rows with their sound.
        taker: makes a fresh turn-taker; each row is heard by one of its own.
        lag_s: after the end of a word, when it is understood.
    """
    wrong, signs, delays, interruptions = 0, 0, [], 0
    for one in heard:
        row = one.row
        if not (row.backchannels or row.barges_in):
            continue
        yields_s = _yields_s(one, taker(), lag_s)
        for start_s, end_s in row.backchannels:
            signs += 1
            wrong += any(start_s <= at_s <= end_s + AFTER_S for at_s in yields_s)
        if row.barges_in:
            interruptions += 1
            delays += _delay_s(row, yields_s)
    return {
        "backchannels": signs, "backchannels_taken_for_interruptions": round(wrong / signs, 4) if signs else None,
        "interruptions": interruptions,
        "interruptions_honoured": round(len(delays) / interruptions, 4) if interruptions else None,
        "interruption_ms_p50": round(1000 * float(np.median(delays))) if delays else None,
        "interruption_ms_most": round(1000 * max(delays)) if delays else None,
    }  # fmt: skip


def _delay_s(row: Row, yields_s: Sequence[float]) -> list[float]:
    heard = [at_s - row.turn_start_s for at_s in yields_s if row.turn_start_s < at_s <= row.replica[1]]
    return heard[:1]


def _yields_s(one: HeardRow, taker: TurnTaker, lag_s: float) -> list[float]:
    row = one.row
    taker.reset(asked="")
    yields_s = []
    for index, speech in enumerate(one.speech):
        at_s = (index + 1) * HOP_S
        if at_s > row.replica[1]:
            break
        hop = Hop(row.pcm[index * HOP_SAMPLES : (index + 1) * HOP_SAMPLES], at_s, float(speech))
        floor = taker.push(
            hop, words=said_by(row.words, at_s - lag_s), is_replica_speaking=at_s > row.replica[0]
        )  # fmt: skip
        if floor.decision == "yield":
            yields_s.append(at_s)
    return yields_s
