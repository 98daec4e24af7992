"""Look for our mark in decoded pictures of somebody's clip, with the key of every epoch."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks.content import content_hash
from provenance.marks.detect import detect
from provenance.marks.keys import MarkKey
from provenance.marks.planes import Planes, planes_of
from provenance.marks.verdicts import MarkReading, Verdict
from trustcore.keys.services import mark_keys

ORDER = (Verdict.NO_MARK, Verdict.MARK_PRESENT, Verdict.PAYLOAD_READ, Verdict.TAMPERING)


def planes_of_rgb(frames: NDArray[np.uint8]) -> Iterator[Planes]:
    """I420 planes of RGB pictures uint8 [T, H, W, 3]; odd sides lose their last row or column."""
    height, width = frames.shape[1] & ~1, frames.shape[2] & ~1
    for frame in frames:
        even = np.ascontiguousarray(frame[:height, :width])
        yield planes_of(np.asarray(cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8))


def read_mark(frames: NDArray[np.uint8]) -> MarkReading:
    """The strongest reading over all epochs' keys.

    Args:
        frames: RGB as the sandbox decoded them, uint8 [T, H, W, 3].

    Raises:
        FrameTooSmall: the pictures cannot carry a mark.
    """
    found = MarkReading(Verdict.NO_MARK, frames=len(frames))
    for name in mark_keys.names():
        epoch = mark_keys.get(name)
        reading = detect(planes_of_rgb(frames), MarkKey(epoch.key, epoch.name))
        found = max(found, reading, key=lambda one: (ORDER.index(one.verdict), one.z))
    return found


def content_trace(frames: NDArray[np.uint8], fps: float, per_second: int = 2) -> Sequence[int]:
    """Content hashes of the clip, `per_second` for each second."""
    step = max(1, round(fps / per_second))
    return [content_hash(planes.y) for planes in planes_of_rgb(frames[::step])]
