"""The marks of the package `invisible-watermark`: for compatibility, and as what ours is measured against.

They have no key: whoever has the package can read, copy, forge and overwrite them. dwtDct does not survive a live
encoder, dwtDctSvd rarely; rivaGan does, but takes about a second a frame. The package works on pictures in BGR, so a
frame goes there and back.
"""

from collections.abc import Iterable
from typing import Final, Literal

import numpy as np
from imwatermark import WatermarkDecoder, WatermarkEncoder
from numpy.typing import NDArray

from provenance.marks import payload
from provenance.marks.backends.colour import rgb_of, write_rgb
from provenance.marks.backends.messages import Framing
from provenance.marks.backends.seam import MarkContext, SoftBits
from provenance.marks.errors import FrameTooSmall
from provenance.marks.planes import Planes

SMALLEST_PIXELS: Final = 256 * 256  # the package refuses less
RIVAGAN_BITS: Final = 32  # the package refuses any other number
Method = Literal["dwtDct", "dwtDctSvd", "rivaGan"]


class _LibraryMark:
    """A method of the package. Its decoder gives hard bits; a clip's soft bits are the votes of its frames."""

    def __init__(self, method: Method, capacity: int) -> None:
        self.name: str = method
        self._framing = Framing.of(capacity)
        self._encoder = WatermarkEncoder()
        self._decoder = WatermarkDecoder("bits", capacity)

    def embed(self, planes: Planes, context: MarkContext) -> None:
        """Mark one frame in place. Raises FrameTooSmall below 256x256 pixels."""
        bits = self._framing.bits(payload.encode(context.slot_id), context.frame_number)
        self._encoder.set_watermark("bits", bits.tolist())
        marked = self._encoder.encode(_bgr(planes), self.name)
        write_rgb(planes, np.asarray(marked, dtype=np.uint8)[:, :, ::-1])

    def soft_bits(self, frames: Iterable[Planes]) -> SoftBits:
        """The votes of all frames on the 240 coded bits. Raises FrameTooSmall."""
        votes = [2.0 * np.asarray(self._decoder.decode(_bgr(frame), self.name), dtype=np.float32) - 1.0
                 for frame in frames]
        seen = np.asarray(votes, dtype=np.float32).reshape(-1, self._framing.capacity)
        return SoftBits(self._framing.gathered(seen))


class WaveletMark(_LibraryMark):
    """dwtDct or dwtDctSvd with the whole message of 240 coded bits in each frame."""

    def __init__(self, method: Literal["dwtDct", "dwtDctSvd"]) -> None:
        super().__init__(method, payload.CODED_BITS)


class RivaGanMark(_LibraryMark):
    """rivaGan: the package's own network of 32 bits, so a message takes twelve frames. For files, not for live."""

    def __init__(self) -> None:
        super().__init__("rivaGan", RIVAGAN_BITS)
        WatermarkEncoder.loadModel()  # from the package's own folder; nothing is fetched


def _bgr(planes: Planes) -> NDArray[np.uint8]:
    height, width = planes.y.shape
    if height * width < SMALLEST_PIXELS or height % 4 or width % 4:
        raise FrameTooSmall(width, height)
    return np.ascontiguousarray(rgb_of(planes)[:, :, ::-1])
