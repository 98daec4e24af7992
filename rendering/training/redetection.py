"""What the tracker sees in the replica's pictures: where the landmarks are found again, and how much they tremble."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np

from rendering.engine import landmarks as lm
from rendering.training.exhibits.stretch import Stretch
from trustcore.tracker import track_clip

Array = np.ndarray[Any, np.dtype[Any]]
Detect = Callable[[Array, float], Array]  # frames [T, S, S, 3] uint8, frames per second -> landmarks [T, 478, 3]
RATE_STEP = 1000
FEWEST = 3  # frames with a face from which anything is measured


def measure(part: Stretch, detect: Detect) -> dict[str, float] | None:
    """Errors of re-detected landmarks against the filmed frames', both found in the same way.

    Returns:
        `landmark_error_pct`, `lip_error_pct`: mean distance in the picture, in percent of the outer eye distance;
        `jitter_ratio`: root mean square second difference of the landmarks over time against the filmed frames';
        `redetected_share`: in how many of the frames that show a face the drawn one is found. It stands alone when
        that is too few to measure. None when the filmed frames themselves show too few.
    """
    filmed, drawn = detect(part.filmed, part.fps), detect(part.drawn, part.fps)
    count = min(len(filmed), len(drawn))
    shown = np.isfinite(filmed[:count, 0, 0])
    found = shown & np.isfinite(drawn[:count, 0, 0])
    if shown.sum() < FEWEST:
        return None
    share = round(float(found.sum() / shown.sum()), 3)
    if found.sum() < FEWEST:
        return {"redetected_share": share}
    one, other = filmed[:count][..., :2], drawn[:count][..., :2]
    eyes = np.linalg.norm(one[found][:, lm.LEFT_OUTER_EYE] - one[found][:, lm.RIGHT_OUTER_EYE], axis=1).mean()
    apart = np.linalg.norm(one[found] - other[found], axis=2) / eyes
    return {
        "landmark_error_pct": round(100 * float(apart.mean()), 3),
        "lip_error_pct": round(100 * float(apart[:, list(lm.LIPS)].mean()), 3),
        "jitter_ratio": round(tremble(other) / max(tremble(one), 1e-9), 3),
        "redetected_share": share,
    }


def tremble(points: Array) -> float:
    """Root mean square second difference over time of points [T, N, 2], where three frames in a row are known."""
    second = points[2:] - 2 * points[1:-1] + points[:-2]
    known = second[np.isfinite(second).all(axis=(1, 2))]
    return float(np.sqrt(np.mean(known**2))) if len(known) else 0.0


def track_frames(frames: Array, fps: float) -> Array:
    """Landmarks [T, 478, 3] that the tracker's process finds in frames [T, S, S, 3] uint8; NaN where none.

    The frames go through H.264 nearly without loss, because the tracker reads files.
    """
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(round(fps * RATE_STEP), RATE_STEP),
                                      options={"crf": "4", "preset": "veryfast"})  # fmt: skip
        stream.height, stream.width = frames.shape[1] // 2 * 2, frames.shape[2] // 2 * 2
        stream.pix_fmt = "yuv444p"
        for picture in frames:
            cut = np.ascontiguousarray(picture[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
        container.mux(stream.encode(None))
    return track_clip(target.getvalue(), want=frozenset({"landmarks"})).landmarks
