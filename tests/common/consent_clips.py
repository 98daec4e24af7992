"""The drawn consent clips, and copies of them as a cheat would make."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from consent.identity.challenge import Challenge

FOLDER = Path(__file__).parents[1] / "vectors" / "consent"
SUBJECTS = Path(__file__).parents[3] / "shared" / "data" / "subjects"


def media(name: str) -> bytes:
    return (FOLDER / f"{name}.mp4").read_bytes()


def challenge(name: str, **changed: Any) -> Challenge:
    """The challenge a clip answers; with changes, such as another nonce, for asking it again."""
    return replace(Challenge.from_dict(json.loads((FOLDER / f"{name}.json").read_text())), **changed)


def copied(original: bytes, *, is_mirrored: bool = False) -> bytes:
    """The clip encoded again, cropped and much smaller in bytes, perhaps seen in a mirror."""
    source = av.open(io.BytesIO(original))
    pictures = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    height, width = pictures[0].shape[:2]
    top, left = height // 20, width // 20
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=source.streams.video[0].average_rate)
        stream.height, stream.width = (height - 2 * top) // 2 * 2, (width - 2 * left) // 2 * 2
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "34"}
        for picture in pictures:
            cut = picture[top : top + stream.height, left : left + stream.width]
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(cut[:, ::-1] if is_mirrored else cut), format="rgb24"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()
