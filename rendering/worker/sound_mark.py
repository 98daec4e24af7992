"""The sound of a session as it may be sent: what lies on the line, with the mark of the slot in force.

The embedder gives a sample back 10 ms after it came. What is going to be said lies on the line before it is due, so it
is read that much ahead, and neither the viewer nor the lips wait for it. The price: a word that is interrupted is heard
for 10 ms longer.
"""

import numpy as np
from numpy.typing import NDArray

from provenance.marks.sound import signs
from provenance.marks.sound.embed import LATENCY, SoundEmbedder
from provenance.marks.sound.transform import CYCLE_HOPS, HOP, RATE_HZ, basis
from rendering.worker.audio import Samples, SoundLine
from rendering.worker.mark_slots import MarkSlot, SlottedMark


class MarkedSound:
    """The only sound that a `SoundTrack` takes. Read by one thread, in order."""

    def __init__(self, line: SoundLine, mark: SlottedMark) -> None:
        self._line = line
        self._mark = mark
        self._embedder = SoundEmbedder(self._chips_of)
        self._slot: MarkSlot | None = None
        self._chips: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._next = -1
        # The signs of an epoch take some milliseconds to make: now, not on the event loop when the first word is due.
        self._chips_of(0)
        basis(HOP)

    def read(self, first: int, count: int) -> Samples:
        """Marked samples [count] from media sample `first` on; both are whole hops of 480 samples.

        Raises:
            ValueError: they are not. Nothing unmarked is ever returned.
        """
        if first != self._next:
            self._embedder.embed(self._line.read(first, LATENCY), first)
        self._next = first + count
        return self._embedder.embed(self._line.read(first + LATENCY, count), first + LATENCY)

    def _chips_of(self, hop: int) -> NDArray[np.float32]:
        slot = self._mark.slot_at(max(0, hop) * HOP / RATE_HZ)
        if slot != self._slot:
            self._slot, self._chips = slot, signs.chips(self._mark.key, slot.slot_id, slot.slot_index)
        return self._chips[hop % CYCLE_HOPS]
