"""The mark against the `invisible-watermark` package: time, visibility, what an encoder leaves of it, false alarms.

`make bench NAME=watermark`. Same frames and same encoder for both; the last line is one JSON object. Embedding times
are processor time of the embedding thread, so that a busy machine does not count. `FRAMES=n` changes the number of
unmarked pictures. With the other figures it takes about 10 minutes on two idle cores.
"""

import json
import os
import platform
import time
from collections.abc import Iterator

import cv2
import numpy as np

from provenance.marks.embed import Embedder
from provenance.marks.payload import bits_of
from provenance.marks.planes import planes_of
from provenance.marks.search import search
from tests.benchmarks import mark_false_positives, mark_library, mark_lookup
from tests.common import picture_changes
from tests.common.mark_attacks import KEY, SLOT, SLOT_ID, changed, psnr_db, read
from tests.common.moving_frames import talking_frames, through_codec
from tests.common.picture_changes import Picture

FRAMES = {256: 90, 512: 180}  # by size
BASELINE_FRAMES = 90
TIMED_FRAMES = 400
ENCODERS = (("libx264", "h264", (300, 600)), ("libvpx", "vp8", (300, 600)))
WINDOWS = (1, 30, 90)
Figures = dict[str, float]


def ssim(one: Picture, other: Picture) -> float:
    """Structural similarity of 8-bit planes [H, W], with the usual window of sigma 1.5 and constants."""

    def blurred(picture: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5))

    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = blurred(x), blurred(y)
    var_x, var_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    shared = blurred(x * y) - mean_x * mean_y
    low, high = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_x * mean_y + low) * (2 * shared + high)
    return float(np.mean(alike / ((mean_x**2 + mean_y**2 + low) * (var_x + var_y + high))))


def marked(frames: list[Picture], width: int, height: int) -> tuple[list[Picture], list[float]]:
    """The frames with the mark, and the milliseconds of processor time each took."""
    embedder = Embedder(KEY, SLOT_ID, SLOT, width, height)
    embedder.embed(*planes_of(frames[0].copy()))  # compile outside the measured time
    result, spent_ms = [], []
    for frame in frames:
        copy = frame.copy()
        started = time.thread_time()
        embedder.embed(*planes_of(copy))
        spent_ms.append(1e3 * (time.thread_time() - started))
        result.append(copy)
    return result, spent_ms


def windows(frames: list[Picture], size: int) -> Iterator[list[Picture]]:
    """Windows of `size` frames that do not overlap."""
    yield from (frames[i : i + size] for i in range(0, len(frames) - size + 1, size))


def exact_share(frames: list[Picture], size: int) -> float:
    """Share of windows whose payload was read, and is the right one."""
    exact = [read(window).payload == SLOT_ID for window in windows(frames, size)]
    return sum(exact) / len(exact)


def through_encoders(clip: list[Picture], size: int) -> Figures:
    """Exact-payload shares by number of frames, codec and rate."""
    figures = {}
    for codec, name, rates in ENCODERS:
        for kbps in rates:
            seen = through_codec(clip, kbps, codec)[0]
            for count in WINDOWS:
                figures[f"exact_{count}_{name}_{kbps}_{size}"] = exact_share(seen, count)
            print(f"{size}x{size} {name} {kbps} kbps read", flush=True)
    return figures


def quality(before: list[Picture], after: list[Picture], size: int) -> Figures:
    """How much of the picture is left, over every tenth frame."""
    pairs = list(zip(before[::10], after[::10], strict=True))
    luma = [(planes_of(one).y, planes_of(other).y) for one, other in pairs]
    rgb = [[cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420) for frame in pair] for pair in pairs]
    return {
        f"psnr_luma_db_{size}": float(np.median([psnr_db(*pair) for pair in luma])),
        f"psnr_rgb_db_{size}": float(np.median([psnr_db(*pair) for pair in rgb])),
        f"ssim_luma_{size}": float(np.median([ssim(*pair) for pair in luma])),
    }


def ours(size: int) -> Figures:
    """Figures of our mark at one size."""
    frames = list(talking_frames(FRAMES[size], size, seed=1))
    clip, spent_ms = marked(frames, size, size)
    figures = {
        f"embed_ms_{size}": float(np.median(spent_ms)),
        f"embed_ms_{size}_p99": float(np.percentile(spent_ms, 99)),
    }
    started = time.thread_time()
    read(clip[:30])
    figures[f"detect_ms_per_frame_{size}"] = 1e3 * (time.thread_time() - started) / 30
    return figures | quality(frames, clip, size) | through_encoders(clip, size)


def embed_720() -> Figures:
    """Embedding time of 1280x720 frames: ten different ones in turn."""
    pictures = []
    for frame in talking_frames(10, 1280, seed=1):
        bgr = cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420)[280:1000]
        pictures.append(cv2.cvtColor(np.ascontiguousarray(bgr), cv2.COLOR_BGR2YUV_I420))
    frames = [pictures[number % len(pictures)] for number in range(TIMED_FRAMES)]
    clip, spent_ms = marked(frames, 1280, 720)
    print("1280x720 embedded", flush=True)
    return {
        "embed_ms_720": float(np.median(spent_ms)),
        "embed_ms_720_p99": float(np.percentile(spent_ms, 99)),
        "psnr_luma_db_720": psnr_db(planes_of(frames[0]).y, planes_of(clip[0]).y),
    }


def stills(size: int) -> Figures:
    """Whether one still is read: scaled as a whole (aligned), and of unknown crop, scale and mirroring (searched)."""
    (frame,) = marked(list(talking_frames(1, size, seed=1)), size, size)[0]
    figures: Figures = {
        "jpeg50_exact": read(changed([frame], lambda bgr: picture_changes.jpeg(bgr, 50))).payload == SLOT_ID,
        "grey_exact": read(changed([frame], _grey)).payload == SLOT_ID,
    }
    bgr = np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)
    spent_s = []
    for name, change in picture_changes.CHANGES.items():
        suspect = picture_changes.planes(change(bgr))
        started = time.thread_time()
        figures[f"{name}_exact"] = search([suspect], KEY).payload == SLOT_ID
        spent_s.append(time.thread_time() - started)
        print(f"searched {name}", flush=True)
    return figures | {"search_s_per_still": float(np.median(spent_s))}


def _grey(bgr: Picture) -> Picture:
    return np.repeat(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)


def without_mark(frames: int) -> Figures:
    """False alarms among unmarked pictures."""
    found = mark_false_positives.aligned(frames)
    return {name: found[name] for name in ("unmarked_frames", "false_accepts", "z_std", "z_max")}


def compared(figures: Figures) -> Figures:
    """The figures at 512x512 under the names that have a bar, and the ratios to the package."""
    barred = [name for name in figures if name.endswith("_512") and name.startswith(("exact_", "psnr_", "ssim_"))]
    return {name.removesuffix("_512"): figures[name] for name in barred} | {
        "ratio_vs_dwtdct": figures["dwtdct_embed_ms_512"] / figures["embed_ms_512"],
        "ratio_vs_dwtdctsvd": figures["dwtdctsvd_embed_ms_512"] / figures["embed_ms_512"],
    }


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    figures = ours(512) | embed_720() | ours(256) | stills(512)
    frames = list(talking_frames(BASELINE_FRAMES, 512, seed=1))
    figures |= mark_library.figures(frames, bits_of(SLOT_ID, 64))
    figures |= compared(figures)
    figures |= mark_lookup.figures()
    figures |= without_mark(int(os.environ.get("FRAMES", mark_false_positives.FRAMES)))
    print(json.dumps({key: round(value, 4) for key, value in figures.items()} | {"machine": platform.machine()}))


if __name__ == "__main__":
    main()
