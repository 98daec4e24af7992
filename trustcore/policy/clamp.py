"""How much of an emotion may be shown. PURE: control computes the limits, the worker holds to them again.

An intensity is a whole number of thousandths, 0 to 1000. Whatever is unknown is the strictest: nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trustcore.primitives.grants import EMOTIONS

MAX_MILLI = 1000
DEFAULT_MILLI = 600  # of an emotion that is asked for without a strength

# Words of requests, emotion tags and live messages, as Tavus clients send them, and the eight that policies know.
EMOTION_WORDS: dict[str, str] = {
    **{word: word for word in EMOTIONS},
    "joyful": "joy", "happiness": "joy", "happy": "joy", "excited": "joy", "elated": "joy", "content": "joy",
    "sad": "sadness", "dejected": "sadness", "angry": "anger", "surprised": "surprise", "scared": "fear",
    "disgusted": "disgust",
}  # fmt: skip


@dataclass(frozen=True)
class Clamped:
    """What became of a wish to show an emotion. `emotion` is neutral when nothing of it may be shown."""

    emotion: str
    asked_milli: int
    shown_milli: int

    @property
    def is_clamped(self) -> bool:
        return self.shown_milli < self.asked_milli


def limits_for(
    policy_max_milli: Mapping[str, int], use_max_milli: int | None, consent_max_milli: Mapping[str, int]
) -> dict[str, int]:
    """The most of each emotion in one use: the least of what policy, use and consent allow.

    Args:
        policy_max_milli: per emotion, from the approved emotion policy; absent means 0.
        use_max_milli: the ceiling of this purpose and audience; None means no session, so nothing.
        consent_max_milli: per emotion, from the person's consent; absent means 0.
    """
    ceiling = 0 if use_max_milli is None else use_max_milli
    limits = {
        emotion: max(0, min(policy_max_milli.get(emotion, 0), ceiling, consent_max_milli.get(emotion, 0), MAX_MILLI))
        for emotion in EMOTIONS
    }
    # Neutral is the absence of an emotion: a face that may not be neutral could not be shown at all.
    limits["neutral"] = MAX_MILLI
    return limits


def clamp(emotion: str, milli: int, limits_milli: Mapping[str, int]) -> Clamped:
    """Hold a wish to the limits. An unknown emotion, or one with limit 0, becomes neutral."""
    asked = max(0, min(milli, MAX_MILLI))
    shown = min(asked, limits_milli.get(emotion, 0)) if emotion in EMOTIONS else 0
    return Clamped(emotion if shown else "neutral", asked, shown)
