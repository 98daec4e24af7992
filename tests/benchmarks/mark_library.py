"""The `invisible-watermark` package on the same frames, for `make bench NAME=watermark`: the baseline of our mark."""

import time
from dataclasses import dataclass

import cv2
import numpy as np
from imwatermark import WatermarkDecoder, WatermarkEncoder
from numpy.typing import NDArray

from tests.common.mark_attacks import psnr_db
from tests.common.moving_frames import through_codec
from tests.common.picture_changes import Picture

METHODS = ("dwtDct", "dwtDctSvd")
CODECS = (("libx264", "h264"), ("libvpx", "vp8"))
Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Marked:
    """Frames marked by the package, as I420, and what that cost."""

    frames: list[Picture]
    embed_ms: float  # median processor time a frame
    psnr_rgb_db: float


def marked(frames: list[Picture], bits: Bits, method: str) -> Marked:
    """Mark I420 frames with the package."""
    encoder = WatermarkEncoder()
    encoder.set_watermark("bits", [int(bit) for bit in bits])
    spent_ms, result, quality = [], [], []
    for frame in frames:
        picture = cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420)
        started = time.thread_time()
        out = encoder.encode(picture, method)
        spent_ms.append(1e3 * (time.thread_time() - started))
        result.append(cv2.cvtColor(out, cv2.COLOR_BGR2YUV_I420))
        quality.append(psnr_db(picture, out))
    return Marked(result, float(np.median(spent_ms)), float(np.median(quality)))


def _read(pictures: list[Picture], count: int, method: str) -> NDArray[np.bool_]:
    decoder = WatermarkDecoder("bits", count)
    return np.array([np.asarray(decoder.decode(picture, method), dtype=bool) for picture in pictures])


def exact_share(seen: list[Picture], bits: Bits, method: str, window: int) -> float:
    """Share of windows read exactly, from the mean picture or by a vote over the frames, whichever is right."""
    pictures = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8) for frame in seen]
    exact = []
    for start in range(0, len(pictures) - window + 1, window):
        part = pictures[start : start + window]
        mean = np.round(np.mean(part, axis=0)).astype(np.uint8)
        voted = _read(part, len(bits), method).mean(axis=0) > 0.5
        averaged = _read([mean], len(bits), method)[0]
        exact.append(np.array_equal(voted, bits.astype(bool)) or np.array_equal(averaged, bits.astype(bool)))
    return float(np.mean(exact))


def figures(frames: list[Picture], bits: Bits) -> dict[str, float]:
    """Time, quality, and the better method's exact share from 30 frames after each codec at 600 kbit/s."""
    result: dict[str, float] = {}
    for method in METHODS:
        clip = marked(frames, bits, method)
        result[f"{method.lower()}_embed_ms_512"] = clip.embed_ms
        result[f"{method.lower()}_psnr_rgb_db"] = clip.psnr_rgb_db
        for codec, name in CODECS:
            seen = through_codec(clip.frames, 600, codec)[0]
            result[f"{method.lower()}_exact_30_{name}_600"] = exact_share(seen, bits, method, 30)
        print(f"library: {method} read", flush=True)
    for _, name in CODECS:
        shares = [result[f"{method.lower()}_exact_30_{name}_600"] for method in METHODS]
        result[f"lib_exact_30_{name}_600"] = max(shares)
    return result
