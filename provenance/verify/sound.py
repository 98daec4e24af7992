"""The sound of a file: take it out, and read its mark."""

import io
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from provenance.marks.keys import MarkKey
from provenance.marks.sound.detect import MAX_S, read_sound
from provenance.marks.sound.transform import RATE_HZ
from provenance.verify.video import Progress

NO_SOUND = "no sound"


def read_sound_mark(encoded: bytes, key: MarkKey, progress: Progress) -> dict[str, Any] | str:
    """What the mark in a file's sound says, in the words that may leave the house; NO_SOUND without a sound track.

    Raises:
        av.FFmpegError: the file cannot be decoded.
    """
    samples = first_sound(encoded)
    if not len(samples):
        return NO_SOUND
    return read_sound(samples, key, on_progress=lambda share: progress(round(100 * share), 100)).public()


def first_sound(encoded: bytes) -> NDArray[np.int16]:
    """The beginning of a file's first sound track as 48 kHz mono int16 [N], N at most what a reading takes."""
    limit, parts, count = MAX_S * RATE_HZ, [np.zeros(0, dtype=np.int16)], 0
    for part in _mono(encoded):
        parts.append(part)
        count += len(part)
        if count >= limit:
            break
    return np.concatenate(parts)[:limit]


def _mono(encoded: bytes) -> Iterator[NDArray[np.int16]]:
    with av.open(io.BytesIO(encoded)) as source:
        if not source.streams.audio:
            return
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        for frame in source.decode(audio=0):
            frame.pts = None  # gaps in time stamps are no sound
            yield from (out.to_ndarray()[0] for out in resampler.resample(frame))
        yield from (out.to_ndarray()[0] for out in resampler.resample(None))
