"""The coarse shape of a clip over time, for comparing a clip found in the wild with what was recorded."""

import io
from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray

from provenance.errors import FileUnreadable
from provenance.marks.content import content_hash

TRACES_PER_SECOND = 2
MAX_SECONDS = 4 * 3600


def of_video(media: bytes) -> list[str]:
    """Content hashes (16 hex digits), two for each second.

    Only for media of our own making: nothing here is sandboxed.

    Raises:
        FileUnreadable: it does not decode.
    """
    return [f"{content_hash(picture):016x}" for picture in _sampled_luma(media)]


def _sampled_luma(media: bytes) -> Iterator[NDArray[np.uint8]]:
    try:
        with av.open(io.BytesIO(media)) as container:
            due_s = 0.0
            for frame in container.decode(video=0):
                if frame.time is not None and frame.time >= due_s:
                    due_s = frame.time + 1.0 / TRACES_PER_SECOND
                    planes = frame.to_ndarray(format="yuv420p")
                    yield np.ascontiguousarray(planes[: frame.height])
                if due_s > MAX_SECONDS:
                    return
    except (av.FFmpegError, IndexError) as error:
        raise FileUnreadable("This file cannot be read as video.") from error
