"""The sound of a session as it may be sent: what lies on the line, with the mark of the slot in force.

The embedder gives a sample back 10 ms after it came. What is going to be said lies on the line before it is due, so it
is read that much ahead, and neither the viewer nor the lips wait for it. The price: a word that is interrupted is heard
for 10 ms longer.

The slot is the picture's: every second of media time is marked with the slot that the pictures were in when it began.
"""

import numpy as np
from numpy.typing import NDArray

from provenance.marks.sound import signs
from provenance.marks.sound.embed import LATENCY, SoundEmbedder
from provenance.marks.sound.transform import CYCLE_HOPS, HOP, SLOT_STEP_HOPS, basis
from rendering.worker.audio import Samples, SoundLine
from rendering.worker.mark_slots import SlottedMark


class MarkedSound:
    """The only sound that a `SoundTrack` takes. Read by one thread, in order."""

    def __init__(self, line: SoundLine, mark: SlottedMark) -> None:
        self._line = line
        self._mark = mark
        self._embedder = SoundEmbedder(self._chips_of)
        self._slot = mark.slot
        self._chips = self._make_chips()
        self._step = 0
        self._next = -1
        # Waves and signs take some milliseconds to make: now, not on the event loop when the first word is due.
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
        step = max(0, hop) // SLOT_STEP_HOPS
        if step != self._step:
            self._step = step
            if self._mark.slot != self._slot:
                self._slot = self._mark.slot
                self._chips = self._make_chips()
        return self._chips[hop % CYCLE_HOPS]

    def _make_chips(self) -> NDArray[np.float32]:
        return signs.chips(self._mark.key, self._slot.slot_id, self._slot.slot_index)
