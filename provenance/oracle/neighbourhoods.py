"""Which clips look or sound nearly alike: whoever searches for a detector's edge asks about those, one by one. PURE.

A signature is 255 signs of the lowest frequencies of the mean picture of a clip. Noise, encoding, scaling and small
shifts move a few of them; another scene moves about half. It knows nothing of the mark: pictures with and without one
have the same signature.

The signature of a sound is made the same way of its loudness in 32 bands over its time. Encoding and noise move a few
signs. Cutting half a second off moves as many as another sound does: time is what a sound is made of.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE: Final = 64
LOW: Final = 16  # rows and columns of frequencies
SIGNATURE_BITS: Final = LOW * LOW - 1  # all but the mean
# Bits: nearer than this is the same neighbourhood. Noise, encoding, blur and cuts of a few lines move 2 to 20 of 255;
# other moments of one recording of one person 26 to 60; other scenes above 100.
RADIUS: Final = 24
CELL_BITS: Final = 10
BANDS, MOMENTS = 32, 8  # of a sound: rows and columns of frequencies
LOWEST_HZ, HIGHEST_HZ = 300.0, 5000.0
BEAT: Final = 16  # windows; a moment is loud when these together are
LOUD_SHARE: Final = 0.02
MOST_PICTURES: Final = 120


def signature(luma: Iterable[NDArray[np.uint8]]) -> int:
    """255-bit signature of the mean of luma planes uint8 [H, W] (a clip thinned out, or one still).

    Raises:
        ValueError: no picture.
    """
    total, count = np.zeros((SIDE, SIDE), dtype=np.float32), 0
    for plane in luma:
        total += cv2.resize(plane, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        count += 1
        if count == MOST_PICTURES:
            break
    if not count:
        raise ValueError("A signature needs a picture.")
    return _signs(cv2.dct(total / count)[:LOW, :LOW])


def _signs(low: NDArray[np.float32]) -> int:
    """Which of 256 frequencies lie above their median, all but the mean."""
    bits = np.packbits(low.reshape(-1)[1:] > np.median(low.reshape(-1)[1:]))
    return int.from_bytes(bits.tobytes(), "big") >> 1  # packbits fills up with one zero


def sound_signature(samples: NDArray[np.int16], rate_hz: int) -> int:
    """255-bit signature of a mono sound int16 [N], from its first to its last loud moment.

    Raises:
        ValueError: silence, or less than a tenth of a second.
    """
    loudness = _loudness(samples, rate_hz)
    total = np.convolve(loudness.sum(axis=0), np.ones(BEAT) / BEAT, "same") if loudness.size else np.zeros(1)
    loud = np.flatnonzero(total > LOUD_SHARE * total.max())
    if not len(loud):
        raise ValueError("A signature needs sound.")
    loudness = loudness[:, loud[0] : loud[-1] + 1]
    even = cv2.GaussianBlur(np.sqrt(loudness / loudness.mean()).astype(np.float32), (0, 0), 2, sigmaY=1)
    return _signs(cv2.dct(cv2.resize(even, (SIDE, SIDE), interpolation=cv2.INTER_AREA))[:BANDS, :MOMENTS])


def _loudness(samples: NDArray[np.int16], rate_hz: int) -> NDArray[np.float32]:
    """Energy in BANDS bands between LOWEST_HZ and HIGHEST_HZ, every 16 ms: [BANDS, T]; T may be 0."""
    width = rate_hz * 4 // 125  # 32 ms
    if len(samples) < BEAT * width // 2 + width:
        return np.zeros((BANDS, 0), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, width)[:: width // 2]
    power = np.abs(np.fft.rfft(windows * np.hanning(width).astype(np.float32), axis=1)) ** 2
    hertz, edges = np.fft.rfftfreq(width, 1 / rate_hz), np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
    rising = [(hertz - 0.9 * edge) / (0.1 * edge + 30.0) for edge in edges[:-1]]
    falling = [(1.1 * edge - hertz) / (0.1 * edge + 30.0) for edge in edges[1:]]
    weights = np.clip(np.minimum(rising, falling), 0.0, 1.0)
    return np.asarray(weights @ power.T, dtype=np.float32)


def distance(one: int, other: int) -> int:
    """Bits in which two signatures differ, 0..255."""
    return (one ^ other).bit_count()


def coin(secret: bytes, value: int) -> float:
    """A secret number 0..1 of the cell a signature lies in: the same for nearly all pictures of one neighbourhood.

    The cell is ten secretly chosen bits of the signature, so asking again, now or in a year, gives the same number and
    many tries do not average it away.
    """
    deal = hashlib.shake_256(b"trustcore.oracle.cell/" + secret).digest(8 * SIGNATURE_BITS)
    order = np.argsort(np.frombuffer(deal, dtype="<u8"))[:CELL_BITS]
    cell = bytes(value >> int(bit) & 1 for bit in order)
    drawn = hmac.digest(secret, b"trustcore.oracle.coin/" + cell, "sha256")
    return int.from_bytes(drawn[:7], "big") / 2.0**56
