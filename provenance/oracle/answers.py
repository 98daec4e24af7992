"""What may be told about a reading: a verdict from a blurred threshold, and one answer for each neighbourhood. PURE.

Somebody who wants to learn how to take the mark away changes a marked picture a little, asks, and keeps what lowers the
statistic. Verdicts alone already hide the statistic; two rules take the rest:

1. The threshold is raised by a secret amount that depends on what the picture looks like (`coin`). It is never lowered,
   so no false-positive bound suffers; weak marks are sometimes not told.
2. Pictures of one neighbourhood get one answer for REMEMBERED_FOR. Only a reading far above every blurred threshold is
   told whatever was said before, because a clip that plainly carries a mark must never be called unmarked through
   somebody else's earlier question. From then on that is the neighbourhood's answer. So the answer of a neighbourhood
   changes from "none" to "found" at most once in that time, and never back.

A mark that was found is remembered for the askers who were told of it alone: otherwise a stranger could put a mark,
or signs of tampering, on a copy of somebody's clip, ask, and so speak about the unmarked clip. "None" is remembered
for all.

Whether a search was made is part of an answer. It is made where nothing would be told of the mark as it lies, so it
says no more than that answer does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from provenance.marks.verdicts import MarkReading, Verdict
from provenance.oracle.neighbourhoods import RADIUS, coin, distance

BAND_Z: Final = 1.5
REMEMBERED_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True)
class Asked:
    """A reading as the detector made it: `least_z` is the threshold of the way it was read, `signature` the look."""

    reading: MarkReading
    least_z: float
    signature: int
    is_searched: bool = False


@dataclass(frozen=True)
class Remembered:
    """What was told about a neighbourhood, and when. The reading carries no statistic. `is_own`: to this asker."""

    signature: int
    reading: MarkReading
    told_at: datetime
    is_searched: bool = False
    is_own: bool = True


@dataclass(frozen=True)
class Told:
    """What is told now. `is_remembered` says whether it must be kept, and is never told."""

    reading: MarkReading
    is_searched: bool = False
    is_remembered: bool = False


def tell(asked: Asked, remembered: Iterable[Remembered], secret: bytes, now: datetime) -> Told:
    """The answer to a question.

    Args:
        remembered: what was told before, in the order of telling; what is too old or too far is left out here.
        secret: never leaves the house; with it the blur could be taken away.
    """
    raised = BAND_Z * coin(secret, asked.signature)
    if abs(asked.reading.z) >= asked.least_z + BAND_Z + raised and says_something(asked.reading):
        return Told(_without_statistic(asked.reading), asked.is_searched)
    before = nearest(asked.signature, remembered, now)
    if before is not None:
        how = before if says_something(before.reading) else asked
        return Told(_without_statistic(before.reading), how.is_searched, is_remembered=True)
    if abs(asked.reading.z) < asked.least_z + raised:
        return Told(MarkReading(Verdict.NO_MARK, frames=asked.reading.frames), asked.is_searched)
    return Told(_without_statistic(asked.reading), asked.is_searched)


def nearest(signature: int, remembered: Iterable[Remembered], now: datetime) -> Remembered | None:
    """The newest answer of the neighbourhood that `signature` lies in; of two at one moment the later in order.

    What this asker was told counts before all else; of what others were told, "none" alone.
    """
    near = [
        one for one in remembered
        if now - one.told_at < REMEMBERED_FOR and distance(one.signature, signature) <= RADIUS
        and (one.is_own or not says_something(one.reading))
    ]
    return max(reversed(near), key=lambda one: (one.is_own, one.told_at), default=None)


def says_something(reading: MarkReading) -> bool:
    """Whether a reading speaks of a mark at all."""
    return reading.verdict is not Verdict.NO_MARK


def _without_statistic(reading: MarkReading) -> MarkReading:
    return replace(reading, z=0.0)
