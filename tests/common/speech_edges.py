"""Where speech begins and ends by a detector's word alone: what tests cut utterances with and benchmarks judge a
detector by. A conversation does not ask it; its floor decides (rendering.dialogue.floor).
"""

from rendering.dialogue.seams import HOP_S

ONSET, OFFSET = 0.5, 0.35  # two thresholds, so that a wavering value is one stretch of speech and not many


class SpeechEdges:
    """Where speech begins and ends, with hysteresis. PURE: fed one hop's probability at a time.

    Args:
        onset_s: how long it must last before it counts as begun; shorter is a click or a breath.
        offset_s: how long it must be gone before it counts as over.
    """

    def __init__(self, *, onset_s: float = 0.06, offset_s: float = 0.1) -> None:
        self._onset_s, self._offset_s = onset_s, offset_s
        self.is_speaking = False
        self.for_s = 0.0  # how long it has been as it is, counted from the hop in which it changed
        self._against_s = 0.0

    def push(self, speech: float, length_s: float = HOP_S) -> bool:
        """Take one hop; whether somebody speaks now."""
        is_against = speech < OFFSET if self.is_speaking else speech >= ONSET
        self._against_s = self._against_s + length_s if is_against else 0.0
        self.for_s += length_s
        if self._against_s >= (self._offset_s if self.is_speaking else self._onset_s) - 1e-9:
            self.is_speaking = not self.is_speaking
            self.for_s, self._against_s = self._against_s, 0.0
        return self.is_speaking
