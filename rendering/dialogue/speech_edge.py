"""Where speech ends, to the hop. PURE.

A detector of voice activity looks at more than one hop and goes on saying "speech" for about a tenth of a second after
the last sound (silero-vad: 80 to 130 ms in eight sentences of two voices). The level tells sooner: what lies this far
under the speech of a moment ago is its end, or a closed mouth inside a word. In noise the level never falls so far, and
the detector alone decides.
"""

from collections import deque
from dataclasses import replace

from rendering.dialogue.overlap import SILENCE_DB, loudness_db
from rendering.dialogue.seams import HOP_S, Hop

FALL_DB = 27.0  # under the loudest of the last LOOK_BACK_S
LOOK_BACK_S = 0.8


class SpeechEdge:
    """Takes the tail off what the detector says."""

    def __init__(self) -> None:
        self._levels_db: deque[float] = deque(maxlen=round(LOOK_BACK_S / HOP_S))

    def push(self, hop: Hop) -> Hop:
        """The same hop; with speech 0 when its sound is over."""
        level_db = loudness_db(hop.pcm)
        self._levels_db.append(level_db)
        is_over = level_db < max(max(self._levels_db) - FALL_DB, SILENCE_DB + 1.0)
        return replace(hop, speech=0.0) if is_over and not hop.is_concealed else hop
