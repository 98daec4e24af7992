"""Our keyed spread-spectrum mark behind the seam. The one that streams carry."""

from collections.abc import Iterable

import numpy as np

from provenance.marks import payload
from provenance.marks.backends.seam import MarkContext, SoftBits
from provenance.marks.detect import clip_soft_bits
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import Planes


class OwnMark:
    """`embed` and `detect` for one epoch key. `soft_bits` reads; a verdict comes from `detect` and `search` alone."""

    name = "own"

    def __init__(self, key: MarkKey) -> None:
        self._key = key
        self._embedder: tuple[int, tuple[int, int], Embedder] | None = None

    def embed(self, planes: Planes, context: MarkContext) -> None:
        """Mark one frame in place. Raises FrameTooSmall."""
        self._embedder_for(planes, context).embed(*planes)

    def _embedder_for(self, planes: Planes, context: MarkContext) -> Embedder:
        """The embedder of the frame before where it fits: making one takes milliseconds."""
        height, width = planes.y.shape
        if self._embedder is None or self._embedder[:2] != (context.slot_id, (width, height)):
            embedder = Embedder(self._key, context.slot_id, context.slot_index, width, height)
            self._embedder = context.slot_id, (width, height), embedder
        self._embedder[2].rekey(context.slot_index)
        return self._embedder[2]

    def soft_bits(self, frames: Iterable[Planes]) -> SoftBits:
        """The 240 coded bits of a clip, followed from slot to slot. Raises FrameTooSmall."""
        soft = clip_soft_bits(frames, self._key)
        return SoftBits(np.zeros(payload.CODED_BITS, dtype=np.float32) if soft is None else soft)
