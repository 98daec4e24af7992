"""Which clips look nearly alike: whoever searches for the edge of a detector asks about those, one after another. PURE.

A signature is 255 signs of the lowest frequencies of the mean picture of a clip. Noise, encoding, scaling and small
shifts move a few of them; another scene moves about half. It knows nothing of the mark: pictures with and without one
have the same signature.
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
    low = cv2.dct(total / count)[:LOW, :LOW].reshape(-1)[1:]
    bits = np.packbits(low > np.median(low))
    return int.from_bytes(bits.tobytes(), "big") >> 1  # packbits fills up with one zero


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
