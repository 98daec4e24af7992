"""Compare pictures by their coarse shape: is this the clip that a payload points to, or another picture it was put on?

A content hash is 64 signs of the lowest frequencies of a 32x32 grey picture. It survives encoding and scaling. It tells
pictures of one person in one pose apart only roughly, so "matches" is said of a whole clip, never of one frame.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HASH_BITS: Final = 64
SIDE: Final = 32
LARGEST_DISTANCE: Final = 10  # bits of 64
NEEDED_SHARE: Final = 0.8  # of the frames looked at


def content_hash(y: NDArray[np.uint8]) -> int:
    """64-bit hash of a luma plane uint8 [H, W]."""
    small = cv2.resize(y, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small).reshape(SIDE, SIDE)[:9, :9].reshape(-1)[1 : HASH_BITS + 1]
    bits = np.packbits(low > np.median(low))
    return int.from_bytes(bits.tobytes(), "big")


def distance(one: int, other: int) -> int:
    """Bits in which two hashes differ, 0..64."""
    return (one ^ other).bit_count()


def content_matches(recorded: Sequence[int], seen: Sequence[int]) -> bool | None:
    """Whether the frames seen are among those recorded. None when there is nothing to compare."""
    if not recorded or not seen:
        return None
    near = sum(min(distance(frame, known) for known in recorded) <= LARGEST_DISTANCE for frame in seen)
    return near >= NEEDED_SHARE * len(seen)
