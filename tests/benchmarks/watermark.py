"""The mark against the `invisible-watermark` package: time, visibility, and what an encoder leaves of it.

`make bench NAME=watermark`. Same frames and same encoder for both; the last line is one JSON object.
"""

import json
import platform
import time
from collections.abc import Iterator

import cv2
import numpy as np
from imwatermark import WatermarkDecoder, WatermarkEncoder
from numpy.typing import NDArray

from provenance.marks.detect import detect
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import planes_of
from provenance.marks.search import search
from tests.common import picture_changes
from tests.common.moving_frames import talking_frames, through_codec

KEY = MarkKey(bytes(range(32)), "bench")
SLOT_ID = 0x0123_4567_89AB_CDEF
BITS = [(SLOT_ID >> (63 - i)) & 1 for i in range(64)]
FRAMES = 90
BASELINE_FRAMES = 30
ENCODERS = (("libx264", "h264", (300, 600)), ("libvpx", "vp8", (500,)))
Picture = NDArray[np.uint8]


def psnr_db(one: Picture, other: Picture) -> float:
    """Peak signal to noise of 8-bit pictures."""
    return float(10 * np.log10(255**2 / max(float(np.mean((one.astype(np.float64) - other) ** 2)), 1e-12)))


def marked(frames: list[Picture], size: int) -> tuple[list[Picture], list[float]]:
    """The frames with the mark, and the milliseconds each took."""
    embedder = Embedder(KEY, SLOT_ID, 0, size, size)
    embedder.embed(*planes_of(frames[0].copy()))  # compile outside the measured time
    result, spent_ms = [], []
    for frame in frames:
        copy = frame.copy()
        started = time.perf_counter()
        embedder.embed(*planes_of(copy))
        spent_ms.append(1e3 * (time.perf_counter() - started))
        result.append(copy)
    return result, spent_ms


def windows(frames: list[Picture], size: int) -> Iterator[list[Picture]]:
    """Windows of `size` frames that do not overlap."""
    yield from (frames[i : i + size] for i in range(0, len(frames) - size + 1, size))


def exact_share(frames: list[Picture], size: int) -> float:
    """Share of windows whose payload was read, and is the right one."""
    read = [detect((planes_of(f) for f in window), KEY).payload == SLOT_ID for window in windows(frames, size)]
    return sum(read) / len(read)


def through_encoders(clip: list[Picture], size: int) -> dict[str, float]:
    """Exact-payload shares by codec, rate and number of frames."""
    figures = {}
    for codec, name, rates in ENCODERS:
        for kbps in rates:
            seen = through_codec(clip, kbps, codec)[0]
            for count in (1, 30, 90):
                figures[f"exact_{count}_{name}_{kbps}_{size}"] = exact_share(seen, count)
            print(f"{size}x{size} {name} {kbps} kbps read", flush=True)
    return figures


def ours(size: int) -> dict[str, float]:
    """All figures of our mark at one size."""
    frames = list(talking_frames(FRAMES, size, seed=1))
    clip, spent_ms = marked(frames, size)
    before, after = (cv2.cvtColor(f, cv2.COLOR_YUV2RGB_I420) for f in (frames[0], clip[0]))
    figures = {
        f"embed_ms_{size}": float(np.median(spent_ms)),
        f"embed_ms_{size}_p99": float(np.percentile(spent_ms, 99)),
        f"psnr_luma_db_{size}": psnr_db(planes_of(frames[0]).y, planes_of(clip[0]).y),
        f"psnr_rgb_db_{size}": psnr_db(before, after),
        f"unmarked_read_{size}": exact_share(frames, 30),
    }
    started = time.perf_counter()
    detect((planes_of(f) for f in clip[:30]), KEY)
    figures[f"detect_ms_per_frame_{size}"] = 1e3 * (time.perf_counter() - started) / 30
    return figures | through_encoders(clip, size)


def searched(size: int) -> dict[str, float]:
    """Whether the payload is read exactly from stills of unknown crop, scale and mirroring, and how long that takes."""
    (frame,) = marked(list(talking_frames(1, size, seed=1)), size)[0]
    still = np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)
    figures: dict[str, float] = {}
    spent_s = []
    for name, change in picture_changes.CHANGES.items():
        suspect = picture_changes.planes(change(still))
        started = time.perf_counter()
        figures[f"{name}_exact"] = search([suspect], KEY).payload == SLOT_ID
        spent_s.append(time.perf_counter() - started)
        print(f"searched {name}", flush=True)
    return figures | {"search_s_per_still": float(np.median(spent_s))}


def baseline(frames: list[Picture], kbps: int) -> dict[str, float]:
    """The package's dwtDct with the same 64 bits on the same frames through the same encoder."""
    encoder, decoder = WatermarkEncoder(), WatermarkDecoder("bits", len(BITS))
    encoder.set_watermark("bits", BITS)
    spent_ms, clip, quality = [], [], []
    for frame in frames:
        picture = cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420)
        started = time.perf_counter()
        out = encoder.encode(picture, "dwtDct")
        spent_ms.append(1e3 * (time.perf_counter() - started))
        clip.append(cv2.cvtColor(out, cv2.COLOR_BGR2YUV_I420))
        quality.append(psnr_db(picture, out))
    seen = [cv2.cvtColor(f, cv2.COLOR_YUV2BGR_I420) for f in through_codec(clip, kbps)[0]]
    right = [float(np.mean(np.asarray(decoder.decode(f, "dwtDct"), dtype=int) == BITS)) for f in seen]
    return {
        "dwtdct_embed_ms_512": float(np.median(spent_ms)),
        "dwtdct_psnr_rgb_db_512": float(np.median(quality)),
        "dwtdct_bit_accuracy_h264_600": float(np.mean(right)),
        "dwtdct_exact_1_h264_600": float(np.mean([share == 1.0 for share in right])),
    }


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    figures = ours(256) | ours(512) | searched(512)
    print("baseline", flush=True)
    figures |= baseline(list(talking_frames(BASELINE_FRAMES, 512, seed=1)), 600)
    figures["psnr_luma_db"] = figures["psnr_luma_db_512"]
    figures["exact_30_h264_600"] = figures["exact_30_h264_600_512"]
    figures["embed_ratio_to_dwtdct"] = figures["dwtdct_embed_ms_512"] / figures["embed_ms_512"]
    print(json.dumps({key: round(value, 4) for key, value in figures.items()} | {"machine": platform.machine()}))


if __name__ == "__main__":
    main()
