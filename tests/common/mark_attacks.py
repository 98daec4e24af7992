"""What somebody does to a marked clip to be rid of the mark, to find it without the key, or to put it elsewhere.

Clips are lists of I420 pictures uint8 [H*3/2, W]. The attackers know all of the code and none of the keys.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks.detect import detect
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import planes_of
from provenance.marks.verdicts import MarkReading
from tests.common.moving_frames import talking_frames
from tests.common.picture_changes import Picture

KEY = MarkKey(bytes(range(32)), "2026-11")
OTHER_KEY = MarkKey(b"\x07" * 32, "other")
SLOT_ID = 0xFEDC_BA98_7654_3210
SLOT = 5
Wave = NDArray[np.float32]
Denoiser = Callable[[Wave], Wave]


def common(plane: Wave) -> Wave:
    """A small blur: takes the mark's high frequencies off and leaves its low ones."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.5), dtype=np.float32)


def matched(plane: Wave) -> Wave:
    """The blur that the detector itself uses to tell picture from mark; it takes the picture's detail along."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 7.0), dtype=np.float32)


def edge_keeping(plane: Wave) -> Wave:
    """A bilateral filter: it leaves what is stronger than a mark where it is."""
    return np.asarray(cv2.bilateralFilter(plane, 0, 6.0, 5.0), dtype=np.float32)


@lru_cache(maxsize=1)
def talking_head() -> tuple[Picture, ...]:
    """Three seconds of a talking head, 512x512, unmarked. Not to be written into."""
    return tuple(talking_frames(90, 512, seed=1))


def marked(clip: Sequence[Picture], slot_id: int = SLOT_ID, slot: int = SLOT, key: MarkKey = KEY) -> list[Picture]:
    """Copies of the frames with a mark."""
    embedder = Embedder(key, slot_id, slot, clip[0].shape[1], clip[0].shape[0] * 2 // 3)
    result = []
    for frame in clip:
        copy = frame.copy()
        embedder.embed(*planes_of(copy))
        result.append(copy)
    return result


def read(clip: Sequence[Picture], key: MarkKey = KEY) -> MarkReading:
    """What the aligned detector says."""
    return detect((planes_of(frame) for frame in clip), key)


def changed(clip: Sequence[Picture], change: Callable[[Picture], Picture]) -> list[Picture]:
    """Every frame through a change of BGR pictures that keeps sides even."""
    return [
        np.ascontiguousarray(cv2.cvtColor(change(cv2.cvtColor(f, cv2.COLOR_YUV2BGR_I420)), cv2.COLOR_BGR2YUV_I420))
        for f in clip
    ]


def psnr_db(one: Picture, other: Picture) -> float:
    """Peak signal to noise of 8-bit pictures."""
    return float(10 * np.log10(255**2 / max(float(np.mean((one.astype(np.float64) - other) ** 2)), 1e-12)))


def luma_psnr_db(one: Sequence[Picture], other: Sequence[Picture]) -> float:
    """The same over the luma planes of two clips."""
    lines = one[0].shape[0] * 2 // 3
    return psnr_db(np.stack([frame[:lines] for frame in one]), np.stack([frame[:lines] for frame in other]))


# --- finding it without the key


def period_deviations(clip: Sequence[Picture], period_px: int) -> float:
    """Autocorrelation of what is left of the frames without their picture, at the period of the tiles.

    Returns:
        The largest of the values at (0, P), (P, 0) and (P, P), in standard deviations of the values at other distances.
    """
    lines = clip[0].shape[0] * 2 // 3
    left_over = np.zeros((lines, clip[0].shape[1]), np.float32)
    for frame in clip:
        luma = frame[:lines].astype(np.float32)
        left_over += luma - common(luma)
    left_over /= np.sqrt(cv2.blur(left_over**2, (17, 17))) + 1
    found = np.fft.irfft2(np.abs(np.fft.rfft2(left_over)) ** 2, s=left_over.shape)
    half = period_px // 2
    far = found[half : lines // 2, half : lines // 2]
    at_period = max(found[0, period_px], found[period_px, 0], found[period_px, period_px])
    return float((at_period - far.mean()) / far.std())


# --- taking it off


def estimate(clip: Sequence[Picture], denoise: Denoiser) -> Wave:
    """The mark as an attacker guesses it: the mean of what a denoiser takes away from each frame.

    Returns:
        float32, the shape of an I420 picture.
    """
    total = np.zeros(clip[0].shape, np.float32)
    for frame in clip:
        for source, target in zip(planes_of(frame), planes_of(total), strict=True):
            plane = source.astype(np.float32)
            target += plane - denoise(plane)
    return total / len(clip)


def subtracted(clip: Sequence[Picture], wave: Wave, strength: float) -> list[Picture]:
    """The frames less a wave."""
    return [np.clip(np.round(frame - strength * wave), 0, 255).astype(np.uint8) for frame in clip]


def averaged(clips: Sequence[Sequence[Picture]]) -> list[Picture]:
    """The mean of several clips, frame by frame."""
    return [np.round(np.mean(frames, axis=0)).astype(np.uint8) for frames in zip(*clips, strict=True)]
