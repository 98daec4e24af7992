"""Write the mark into a frame, in place.

`embed_reference` is the truth, in plain numpy and OpenCV; `Embedder.embed` is the same sum in fused loops that release
the interpreter lock. They agree byte for byte. No weights, no model: `plane += mask * pattern`, where the mask follows
the activity of the picture, so that smooth skin and walls get little and hair and cloth more.
"""

import threading
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from provenance.marks.keys import SLOT_KEYS, MarkKey
from provenance.marks.pattern import Pattern, make_pattern
from provenance.marks.planes import Planes

# Strengths in grey levels rms.
LUMA_FLOOR: Final = 0.9
LUMA_PER_ACTIVITY: Final = 0.35
LUMA_CEILING: Final = 4.0
LUMA_STRENGTH: Final = 0.5
U_STRENGTH: Final = 1.05
V_STRENGTH: Final = -0.70
# On chroma the same activity moves the strength between these shares, so that a smooth gradient shows no mottle.
CHROMA_FLOOR: Final = 0.75
CHROMA_PER_LUMA_MASK: Final = 0.40
CHROMA_CEILING: Final = 1.30
BOX: Final = (5, 5)
PREPARE_AFTER_FRAMES: Final = 60  # not at once: a session's first frames have no time to spare
MASK_LINES: Final = 180  # the picture is halved until it has at most this many lines, and the mask worked out on that


def luma_mask(y: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Strength of the luma mark, in grey levels rms, on the reduced picture: y uint8 [H, W] -> float32 [H/r, W/r].

    Halving again and again gives the same mean as one large step and costs a tenth of it: OpenCV has a fast path for
    exactly two.
    """
    small = _halved(y)
    while small.shape[0] > MASK_LINES:
        small = _halved(small)
    reduced = small.astype(np.float32)
    activity = cv2.blur(np.abs(reduced - cv2.blur(reduced, BOX)), BOX)
    mask: NDArray[np.float32] = LUMA_STRENGTH * np.minimum(LUMA_FLOOR + LUMA_PER_ACTIVITY * activity, LUMA_CEILING)
    return mask.astype(np.float32)


def _halved(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (plane.shape[1] // 2, plane.shape[0] // 2)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def chroma_mask(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the chroma strength, from the luma mask at any size."""
    share: NDArray[np.float32] = np.minimum(
        np.float32(CHROMA_FLOOR) + np.float32(CHROMA_PER_LUMA_MASK) * (mask - np.float32(LUMA_STRENGTH * LUMA_FLOOR)),
        np.float32(CHROMA_CEILING),
    )
    return share


def widened(mask: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """The reduced mask [h, w] at full width, bilinear: float32 [h, width]. Few enough rows to stay in the cache."""
    return np.asarray(cv2.resize(mask, (width, mask.shape[0]), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


@lru_cache(maxsize=16)
def row_places(rows: int, height: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each of `height` lines the row of a mask of `rows` rows above it, and the share of the row below."""
    at = np.maximum((np.arange(height) + 0.5) * rows / height - 0.5, 0.0)
    upper = np.minimum(at.astype(np.intp), rows - 1)
    return upper, np.asarray(np.where(upper == rows - 1, 0.0, at - upper), dtype=np.float32)


def enlarged(mask: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """The reduced mask at the size of a plane, bilinear: float32 [height, width]."""
    wide = widened(mask, width)
    upper, share = row_places(mask.shape[0], height)
    lower = np.minimum(upper + 1, mask.shape[0] - 1)
    return np.asarray(wide[upper] + (wide[lower] - wide[upper]) * share[:, None], dtype=np.float32)


def embed_reference(planes: Planes, pattern: Pattern) -> Planes:
    """The marked planes, new arrays. The readable truth beside `Embedder.embed`."""
    height, width = planes.y.shape
    mask = luma_mask(planes.y)
    on_luma = enlarged(mask, height, width)
    on_chroma = chroma_mask(enlarged(mask, height // 2, width // 2))
    return Planes(
        _added(planes.y, on_luma * pattern.luma),
        _added(planes.u, np.float32(U_STRENGTH) * (on_chroma * pattern.chroma)),
        _added(planes.v, np.float32(V_STRENGTH) * (on_chroma * pattern.chroma)),
    )


def _added(plane: NDArray[np.uint8], change: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(plane.astype(np.float32) + change + np.float32(0.5), 0.0, 255.0), dtype=np.uint8)


@njit(cache=True, nogil=True)
def _add_luma(plane, wide, upper, share, pattern):  # type: ignore[no-untyped-def]
    """`wide`: the mask at full width; its lines are enlarged to the plane's here, where they are still in the cache."""
    for row in range(plane.shape[0]):
        above = wide[upper[row]]
        below = wide[min(upper[row] + 1, wide.shape[0] - 1)]
        for column in range(plane.shape[1]):
            strength = above[column] + (below[column] - above[column]) * share[row]
            value = np.float32(plane[row, column]) + strength * pattern[row, column] + np.float32(0.5)
            plane[row, column] = np.uint8(min(max(value, np.float32(0.0)), np.float32(255.0)))


@njit(cache=True, nogil=True)
def _add_chroma(  # type: ignore[no-untyped-def]
    u, v, wide, upper, share, pattern, floor, slope, base, ceiling, u_strength, v_strength,
):
    zero, half, top = np.float32(0.0), np.float32(0.5), np.float32(255.0)
    for row in range(u.shape[0]):
        above = wide[upper[row]]
        below = wide[min(upper[row] + 1, wide.shape[0] - 1)]
        for column in range(u.shape[1]):
            strength = above[column] + (below[column] - above[column]) * share[row]
            change = min(floor + slope * (strength - base), ceiling) * pattern[row, column]
            new_u = np.float32(u[row, column]) + u_strength * change + half
            new_v = np.float32(v[row, column]) + v_strength * change + half
            u[row, column] = np.uint8(min(max(new_u, zero), top))
            v[row, column] = np.uint8(min(max(new_v, zero), top))


class Embedder:
    """Marks the frames of a session at one size. Use it from one thread.

    Some seconds into a slot it makes the next slot's pattern in a thread of its own, so that `rekey` to the slot that
    follows costs nothing on the frame's path.
    """

    def __init__(self, key: MarkKey, slot_id: int, slot_index: int, width: int, height: int) -> None:
        """Make the pattern (milliseconds).

        Args:
            key: the epoch key.
            slot_id: the 64-bit payload.
            slot_index: number of the slot within the session; only its value modulo 64 matters.
            width: of the luma plane, pixels, even, at least 128.
            height: likewise.

        Raises:
            FrameTooSmall: the frame cannot carry a mark.
        """
        self._key, self._slot_id, self._size = key, slot_id, (width, height)
        self.slot_index = slot_index
        self.pattern = self._make(slot_index)
        self._next: tuple[int, Pattern] | None = None
        self._frames_in_slot = 0

    def rekey(self, slot_index: int) -> None:
        """Go on with the pattern of another slot. Call it on a key frame: a change costs the encoder bits."""
        if slot_index == self.slot_index:
            return
        ready = self._next
        if ready is not None and ready[0] == slot_index % SLOT_KEYS:
            self.pattern = ready[1]
        else:
            self.pattern = self._make(slot_index)
        self.slot_index, self._next, self._frames_in_slot = slot_index, None, 0

    def _prepare_next(self) -> None:
        following = (self.slot_index + 1) % SLOT_KEYS
        self._next = following, self._make(following)

    def _make(self, slot_index: int) -> Pattern:
        width, height = self._size
        return make_pattern(self._key, self._slot_id, slot_index, width, height)

    def embed(self, y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> None:
        """Mark one frame in place.

        Args:
            y: uint8 [H, W]; u, v: uint8 [H/2, W/2]. Views with padded rows are fine.

        Raises:
            ValueError: the planes have another size than the embedder.
        """
        width, height = self._size
        if y.shape != (height, width) or u.shape != (height // 2, width // 2) or v.shape != u.shape:
            raise ValueError("The planes have another size than this embedder.")
        mask = luma_mask(y)
        _add_luma(y, widened(mask, width), *row_places(mask.shape[0], height), self.pattern.luma)
        places = row_places(mask.shape[0], height // 2)
        _add_chroma(u, v, widened(mask, width // 2), *places, self.pattern.chroma, *_CHROMA_CONSTANTS)
        self._frames_in_slot += 1
        if self._frames_in_slot == PREPARE_AFTER_FRAMES:
            threading.Thread(target=self._prepare_next, name="mark-pattern", daemon=True).start()


_CHROMA_CONSTANTS: Final = (
    np.float32(CHROMA_FLOOR),
    np.float32(CHROMA_PER_LUMA_MASK),
    np.float32(LUMA_STRENGTH * LUMA_FLOOR),
    np.float32(CHROMA_CEILING),
    np.float32(U_STRENGTH),
    np.float32(V_STRENGTH),
)
