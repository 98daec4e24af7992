"""The comparison film: filmed frames on the left, the replica of the same moments on the right, with the sound."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np

from rendering.training.exhibits import sketch
from rendering.training.exhibits.stretch import Stretch

Array = np.ndarray[Any, np.dtype[Any]]
CRF = "18"  # near what was drawn, so that an approver judges the replica and not the compression
SOUND_RATE_BPS = 64_000
RATE_STEP = 1000  # frame rates are kept to a thousandth
DISCLOSURE = "AI replica"


def encode(stretch: Stretch) -> bytes:
    """An MP4 (H.264, AAC); the replica's half says what it is in its pixels."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=Fraction(round(stretch.fps * RATE_STEP), RATE_STEP),
                                       options={"crf": CRF, "preset": "veryfast"})  # fmt: skip
        height, width = stretch.filmed.shape[1:3]
        picture.width, picture.height, picture.pix_fmt = 2 * width // 2 * 2, height // 2 * 2, "yuv420p"
        sound = None
        if len(stretch.pcm):
            sound = container.add_stream("aac", rate=stretch.pcm_rate, layout="mono")
            sound.bit_rate = SOUND_RATE_BPS
        for filmed, drawn in zip(stretch.filmed, stretch.drawn, strict=True):
            both = np.concatenate([filmed, sketch.caption(drawn, DISCLOSURE)], axis=1)
            frame = av.VideoFrame.from_ndarray(both[: picture.height, : picture.width], format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound is not None:
            samples = av.AudioFrame.from_ndarray(stretch.pcm[None], format="s16", layout="mono")
            samples.sample_rate = stretch.pcm_rate
            container.mux(sound.encode(samples))
            container.mux(sound.encode(None))
    return target.getvalue()
