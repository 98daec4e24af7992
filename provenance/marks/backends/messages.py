"""A coded message of 240 bits in marks that carry fewer, or more, bits a frame. PURE.

A mark of 240 bits or more repeats the message. A smaller one takes turns: each frame carries the number of a part in
its first bits and the part in the others, so that a message is whole after as many frames as it has parts. The code's
redundancy mends what a mark reads wrong, which the package's marks do even on their own clean output; the number has no
code and stands there three times.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.marks.payload import CODED_BITS, bits_of

SMALLEST_CAPACITY = 24  # below it the part numbers leave too little room for the parts
NUMBER_COPIES = 3


@dataclass(frozen=True)
class Framing:
    """How a message is spread over frames that carry `capacity` bits each."""

    capacity: int
    number_bits: int  # at the head of each frame, all copies; 0 when a frame holds a whole message
    parts: int

    @classmethod
    def of(cls, capacity: int) -> "Framing":
        """The framing with the fewest parts.

        Raises:
            ValueError: fewer than 24 bits a frame.
        """
        if capacity < SMALLEST_CAPACITY:
            raise ValueError(f"A mark must carry at least {SMALLEST_CAPACITY} bits a frame.")
        if capacity >= CODED_BITS:
            return cls(capacity, 0, 1)
        bits = 1
        while -(-CODED_BITS // (capacity - NUMBER_COPIES * bits)) > 1 << bits:
            bits += 1
        return cls(capacity, NUMBER_COPIES * bits, -(-CODED_BITS // (capacity - NUMBER_COPIES * bits)))

    def _places(self, part: int) -> NDArray[np.intp]:
        """Which coded bit each bit behind the part number carries: [capacity - number_bits]."""
        room = self.capacity - self.number_bits
        return (part * room + np.arange(room)) % CODED_BITS

    def _number(self, part: int) -> NDArray[np.uint8]:
        return np.tile(bits_of(part, self.number_bits // NUMBER_COPIES), NUMBER_COPIES)

    def bits(self, coded: NDArray[np.float32], frame_number: int) -> NDArray[np.uint8]:
        """The bits uint8 [capacity] of one frame, for coded bits +-1 [240]."""
        part = frame_number % self.parts
        return np.concatenate([self._number(part), coded[self._places(part)] > 0]).astype(np.uint8)

    def gathered(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """Soft bits of frames [N, capacity] as soft coded bits [240]: each frame goes where its number says."""
        coded = np.zeros(CODED_BITS, dtype=np.float32)
        numbers = np.stack([2.0 * self._number(part).astype(np.float32) - 1.0 for part in range(self.parts)])
        for frame in seen:
            part = int(np.argmax(numbers @ frame[: self.number_bits])) if self.number_bits else 0
            np.add.at(coded, self._places(part), frame[self.number_bits :])
        return coded
