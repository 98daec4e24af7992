"""Look for our mark in the decoded sound of somebody's clip, with the key of every epoch, and say what may be told."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.marks.keys import MarkKey
from provenance.marks.sound.detect import SoundReading, read_sound
from provenance.marks.verdicts import MarkReading, Verdict
from provenance.oracle.answers import Asked
from provenance.oracle.neighbourhoods import sound_signature
from provenance.services.answers_told import Asking
from provenance.services.clip_reading import ORDER, Progress, silent
from trustcore.keys.services import mark_keys

LEAST_S, LEAST_AUDIBLE_S = 5.0, 3.0  # of less sound, "no mark found" says nothing at all
READ_S = 60.0  # the reading may take; of a minute of unmarked sound it takes about twenty, for each key

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Listened:
    """What may be told of a sound."""

    reading: MarkReading
    is_too_short: bool = False
    is_cut: bool = False  # the reading had to end before every key was tried


class _TimeIsUp(Exception):
    """The reading has had its time."""


def listen(
    samples: Samples, rate_hz: int, asking: Asking, progress: Progress = silent, *, read_s: float,
) -> Listened:
    """Read the mark of a sound under the rules of `asking`.

    A sound without a neighbourhood (silence) has nothing that could be asked about, and none of it is kept.

    Args:
        samples: mono int16 [N] at `rate_hz`, 16,000 or 48,000; the first minute is read.
        progress: told ("sound", hundredths done, 100).
        read_s: seconds that the reading may take.
    """
    try:
        like = sound_signature(samples, rate_hz)
    except ValueError:
        return Listened(MarkReading(Verdict.NO_MARK), is_too_short=True)
    read, is_cut = _read(samples, rate_hz, progress, time.monotonic() + read_s)
    reading = MarkReading(read.verdict, read.payload, read.slot_indexes, z=read.z)
    told = asking.tell(Asked(reading, read.least_z, like)).reading
    is_short = len(samples) < LEAST_S * rate_hz or (not is_cut and read.audible_s < LEAST_AUDIBLE_S)
    return Listened(told, is_too_short=is_short and told.verdict is Verdict.NO_MARK, is_cut=is_cut)


def _read(samples: Samples, rate_hz: int, progress: Progress, deadline_s: float) -> tuple[SoundReading, bool]:
    """The strongest reading over all epochs' keys, newest first, and whether time ran out before all were tried."""
    names, found = mark_keys.names(), SoundReading(Verdict.NO_MARK)
    for number, name in enumerate(names):
        epoch = mark_keys.get(name)
        try:
            read = read_sound(samples, MarkKey(epoch.key, epoch.name), rate_hz=rate_hz,
                              on_progress=_until(deadline_s, number, len(names), progress))
        except _TimeIsUp:
            return found, True
        found = max(found, read, key=lambda one: (ORDER.index(one.verdict), abs(one.z) - one.least_z, one.audible_s))
    return found, False


def _until(deadline_s: float, before: int, keys: int, progress: Progress) -> Callable[[float], None]:
    def told(share: float) -> None:
        progress("sound", round(100 * (before + share) / keys), 100)
        if share < 1.0 and time.monotonic() > deadline_s:
            raise _TimeIsUp

    return told
