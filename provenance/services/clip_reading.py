"""Look for our mark in decoded pictures of somebody's clip, with the key of every epoch."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from provenance.marks.content import content_hash
from provenance.marks.detect import PRESENCE_Z, detect
from provenance.marks.keys import MarkKey
from provenance.marks.planes import Planes, planes_of_rgb
from provenance.marks.search import SEARCHED_FRAMES, SEARCHED_Z, search
from provenance.marks.verdicts import MarkReading, Verdict
from provenance.oracle.answers import Asked
from provenance.oracle.neighbourhoods import MOST_PICTURES, signature
from trustcore.keys.services import mark_keys

ORDER = (Verdict.NO_MARK, Verdict.MARK_PRESENT, Verdict.PAYLOAD_READ, Verdict.TAMPERING)

Pictures = NDArray[np.uint8]  # [T, H, W, 3] RGB
Progress = Callable[[str, int, int], None]  # (step, done, total)


@dataclass(frozen=True)
class Looked:
    """What was read and how, and whether the search had to end before it was done."""

    asked: Asked
    is_search_cut: bool = False


class _TimeIsUp(Exception):
    """The search has had its time."""


def silent(_step: str, _done: int, _total: int) -> None:
    """No progress shown."""


def planes_of_clip(frames: Pictures) -> Iterator[Planes]:
    """I420 planes of RGB pictures uint8 [T, H, W, 3]; odd sides lose their last row or column."""
    height, width = frames.shape[1] & ~1, frames.shape[2] & ~1
    for frame in frames:
        yield planes_of_rgb(frame[:height, :width])


def look(
    frames: Pictures, closer: Sequence[Callable[[], Pictures]], would_tell: Callable[[Asked], bool],
    progress: Progress = silent, *, search_s: float | None = None,
) -> Looked:
    """Read the mark as it lies; where nothing is told of it, search for a crop, another size or a mirrored picture.

    Everybody can see whether a search is made and how far it goes, so both depend on what may be told alone.

    Args:
        frames: the clip, uint8 [T, H, W, 3], T >= 1.
        closer: each gives a few neighbouring frames in the best size there is, or none: T = 0.
        would_tell: whether a mark is told of after a reading.
        progress: told ("mark", pictures done, all) and ("search", hundredths done, 100).
        search_s: seconds the search may take at most, where less than the setting; 0: none.

    Raises:
        FrameTooSmall: the pictures cannot carry a mark.
    """
    look_of = signature(planes.y for planes in planes_of_clip(frames[:: max(1, -(-len(frames) // MOST_PICTURES))]))
    aligned = Asked(read_mark(frames, progress), PRESENCE_Z, look_of)
    most_s = settings.MARK_SEARCH_S if search_s is None else min(search_s, settings.MARK_SEARCH_S)
    if would_tell(aligned) or not most_s:
        return Looked(aligned)

    def is_enough(found: MarkReading) -> bool:
        return would_tell(Asked(found, SEARCHED_Z, look_of, is_searched=True))

    found, is_cut = _searched(closer, is_enough, progress, time.monotonic() + most_s)
    return Looked(Asked(found, SEARCHED_Z, look_of, is_searched=True), is_cut)


def read_mark(frames: Pictures, progress: Progress = silent) -> MarkReading:
    """The strongest aligned reading over all epochs' keys.

    Raises:
        FrameTooSmall: the pictures cannot carry a mark.
    """
    found = MarkReading(Verdict.NO_MARK, frames=len(frames))
    names = mark_keys.names()
    for number, name in enumerate(names):
        epoch = mark_keys.get(name)
        planes = _counted(frames, lambda done, before=number: progress("mark", before * len(frames) + done,
                                                                       len(names) * len(frames)))
        found = _stronger(found, detect(planes, MarkKey(epoch.key, epoch.name)))
    return found


def _counted(frames: Pictures, tell: Callable[[int], None]) -> Iterator[Planes]:
    for done, planes in enumerate(planes_of_clip(frames)):
        yield planes
        tell(done + 1)


def _searched(
    closer: Sequence[Callable[[], Pictures]], is_enough: Callable[[MarkReading], bool], progress: Progress,
    deadline_s: float,
) -> tuple[MarkReading, bool]:
    """The first mark that a search finds and that is enough, newest key first, else the strongest; and whether time ran
    out before all was searched.

    A search takes seconds for each key and place, and anybody may ask for one: hence the deadline.
    """
    keys = mark_keys.names()
    found, tried, rounds = MarkReading(Verdict.NO_MARK), 0, len(closer) * len(keys)
    for place in closer:
        pictures = place()[:SEARCHED_FRAMES]
        for name in keys if len(pictures) else ():
            def told(share: float, before: int = tried) -> None:
                if time.monotonic() > deadline_s:
                    raise _TimeIsUp
                progress("search", round(100 * (before + share) / rounds), 100)

            epoch = mark_keys.get(name)
            try:
                found = _stronger(found, search(planes_of_clip(pictures), MarkKey(epoch.key, epoch.name),
                                                on_progress=told))
            except _TimeIsUp:
                return found, True
            tried += 1
            if is_enough(found):
                return found, False
    return found, False


def _stronger(one: MarkReading, other: MarkReading) -> MarkReading:
    return max(one, other, key=lambda reading: (ORDER.index(reading.verdict), reading.z))


def content_trace(frames: Pictures, fps: float, per_second: int = 2) -> Sequence[int]:
    """Content hashes of the clip, `per_second` for each second."""
    step = max(1, round(fps / per_second))
    return [content_hash(planes.y) for planes in planes_of_clip(frames[::step])]
