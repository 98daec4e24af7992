"""What every watermark can do: write a slot id into the planes of a frame, and say what a clip seems to carry."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from provenance.marks import payload
from provenance.marks.planes import Planes


@dataclass(frozen=True)
class MarkContext:
    """What is to be written into a frame."""

    slot_id: int  # the 64-bit payload
    slot_index: int = 0  # of the slot in its session; ours changes its secret signs with it
    frame_number: int = 0  # in the clip; a mark too small for a whole message writes it part by part


@dataclass(frozen=True)
class SoftBits:
    """What a clip seems to carry: positive where a coded bit is likelier 1, its size how sure that is, on any scale."""

    values: NDArray[np.float32]  # [240]

    def payload(self) -> int | None:
        """The slot id if its checksum holds. On noise it holds once in 65,536 times: never accept on this alone."""
        return payload.decode(self.values)


class MarkBackend(Protocol):
    """A watermark. Not bound to a size of frame; used from one thread."""

    @property
    def name(self) -> str:
        """As benchmarks call it."""

    def embed(self, planes: Planes, context: MarkContext) -> None:
        """Mark one frame, in place.

        Raises:
            FrameTooSmall: the frame cannot carry this mark.
        """

    def soft_bits(self, frames: Iterable[Planes]) -> SoftBits:
        """What frames of one size carry, all of them taken together; zeros when there are none.

        Raises:
            FrameTooSmall: the frames cannot carry this mark.
        """
