"""Write the mark into sound, 10 ms at a time, as it is being sent.

`embed_reference` is the truth: the whole sound at once. `SoundEmbedder` makes the same sum from a stream; it gives a
sample back one hop (10 ms) after it came, because how much a moment hides is known only when its window is whole.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks.sound.masking import amplitudes
from provenance.marks.sound.transform import HOP, WINDOW, basis, overlapped, windows

Samples = NDArray[np.int16]  # [N], mono, 48 kHz
Chips = NDArray[np.float32]  # [125], +-1
ChipsOf = Callable[[int], Chips]  # hop number -> what is written into that hop

LATENCY: Final = HOP  # samples


def embed_reference(samples: Samples, chips_of: ChipsOf) -> Samples:
    """The marked sound; its first sample is the first of hop 0. The readable truth beside `SoundEmbedder`.

    Args:
        samples: int16 [N]; N a multiple of 480. Before and after it there is silence.
        chips_of: chips of hop h, which sounds over the samples 480h .. 480h + 959. Hop -1 is asked for too.
    """
    padded = np.concatenate([np.zeros(HOP), samples, np.zeros(HOP)]).astype(np.float32)
    sound = windows(padded, HOP)
    chips = np.stack([chips_of(hop - 1) for hop in range(len(sound))])
    mark = overlapped(np.asarray((chips * amplitudes(sound)) @ basis(HOP), dtype=np.float32))
    return _added(samples, mark[HOP:-HOP])


def _added(samples: Samples, mark: NDArray[np.float32]) -> Samples:
    return np.asarray(np.clip(np.rint(samples + mark), -32768, 32767), dtype=np.int16)


class SoundEmbedder:
    """Marks a stream. Not for several threads at once."""

    def __init__(self, chips_of: ChipsOf) -> None:
        """`chips_of` gives what is written into each hop; hops are counted from media time zero."""
        self._chips_of = chips_of
        self._next = 0
        self._held = np.zeros(HOP, dtype=np.int16)  # the hop that waits for its follower
        self._tail = np.zeros(HOP, dtype=np.float32)  # what the last wave still adds to the hop that waits

    def embed(self, samples: Samples, first: int) -> Samples:
        """Mark whole hops.

        Args:
            samples: int16 [480 * k], 48 kHz mono.
            first: media sample number of `samples[0]`, a multiple of 480. After a jump the stream starts anew.

        Returns:
            int16 [480 * k]: the marked samples from number `first - 480` on.

        Raises:
            ValueError: no whole hops.
        """
        if len(samples) % HOP or first % HOP or samples.ndim != 1:
            raise ValueError("Sound is marked in whole hops of 480 samples.")
        if first != self._next:
            self._held, self._tail = np.zeros_like(self._held), np.zeros_like(self._tail)
        self._next = first + len(samples)
        out = [self._step(samples[i : i + HOP], (first + i) // HOP) for i in range(0, len(samples), HOP)]
        return np.concatenate(out) if out else samples

    def _step(self, arrived: Samples, hop: int) -> Samples:
        """One hop in, the one before it out."""
        sound = np.concatenate([self._held, arrived]).astype(np.float32)
        wave = (self._chips_of(hop - 1) * amplitudes(sound.reshape(1, WINDOW))[0]) @ basis(HOP)
        marked = _added(self._held, self._tail + wave[:HOP])
        self._held, self._tail = arrived.copy(), wave[HOP:]
        return marked
