"""The plain turn taker: somebody is done when they have been silent for long enough. PURE.

It is the baseline that every other one is measured against, and what is left when another one fails. It knows nothing
of words or melody, so at one threshold it either cuts people off or keeps them waiting. Nor does it take hints of the
viewer's page: how far those may go is said in one place, `turns.policy.with_edge`.
"""

from collections.abc import Mapping

from rendering.dialogue.overlap import SPEECH_FROM, SPEECH_UNTIL
from rendering.dialogue.seams import HOP_S, Floor, FloorDecision, Hop

# By `turn_taking_patience`: silence after which the answer is thought out, and after which it is spoken.
PREPARE_AFTER_S: Mapping[str, float] = {"low": 0.10, "medium": 0.16, "high": 0.30}
SPEAK_AFTER_S: Mapping[str, float] = {"low": 0.30, "medium": 0.60, "high": 1.10}


class SilenceTurnTaker:
    """Voice activity with a hold. See `rendering.dialogue.seams.TurnTaker`."""

    def __init__(self, patience: str = "medium") -> None:
        """`patience`: "low", "medium" or "high"."""
        self._prepare_after_s = PREPARE_AFTER_S[patience]
        self._speak_after_s = SPEAK_AFTER_S[patience]
        self.reset()

    def reset(self, *, asked: str = "") -> None:
        self._is_speech = False
        self._has_spoken = False
        self._silent_s = 0.0

    def push(self, hop: Hop, *, words: str, is_replica_speaking: bool) -> Floor:
        self._is_speech = hop.speech >= (SPEECH_UNTIL if self._is_speech else SPEECH_FROM)
        self._has_spoken |= self._is_speech
        self._silent_s = 0.0 if self._is_speech else self._silent_s + HOP_S
        if is_replica_speaking:
            return Floor("hold", 0.0)
        share = min(1.0, self._silent_s / self._speak_after_s) if self._has_spoken else 0.0
        return Floor(self._decision(), share, why=("silence",) if share else ())

    def _decision(self) -> FloorDecision:
        if self._is_speech or not self._has_spoken:
            return "listen"
        if self._silent_s >= self._speak_after_s - 1e-6:
            return "speak"
        return "prepare" if self._silent_s >= self._prepare_after_s - 1e-6 else "wait"
