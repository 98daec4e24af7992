"""The performer behind a lock: the conversation directs it, the frame thread asks it how the face stands."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from rendering.worker.brain import EMOTION_WORDS
from trustcore.policy.clamp import clamp


class Performer(Protocol):
    """The engine's performer (`rendering.engine`)."""

    def say(self, visemes: Sequence[Any], start_s: float, spoken: NDArray[Any] | None = None) -> None: ...

    @property
    def life_facts(self) -> Mapping[str, Any]: ...

    def stop(self, now_s: float) -> None: ...

    def set_emotion(self, name: str, milli: int, now_s: float) -> None: ...

    def set_listening(self, is_listening: bool, now_s: float) -> None: ...

    def state_at(self, t_s: float) -> Any: ...


@dataclass(frozen=True)
class Shown:
    """What became of a wish to show an emotion. `asked` is the canonical emotion, "neutral" for an unknown word."""

    asked: str
    asked_milli: int
    emotion: str
    shown_milli: int
    is_clamped: bool


def clamp_emotion(word: str, asked_milli: int, limits_milli: Mapping[str, int]) -> Shown:
    """Hold a wish to the signed grant's limits. An unknown word becomes neutral and counts as lowered.

    Args:
        word: an emotion, or a word that Tavus clients use for one.
        limits_milli: highest intensity per emotion in thousandths; an absent emotion is forbidden.
    """
    emotion = EMOTION_WORDS.get(word.strip().lower())
    if emotion is None or emotion == "neutral":
        return Shown("neutral", max(0, min(1000, asked_milli)), "neutral", 0, is_clamped=emotion is None)
    held = clamp(emotion, asked_milli, limits_milli)
    return Shown(emotion, held.asked_milli, held.emotion, held.shown_milli, held.is_clamped)


class Stage:
    """Thread-safe access to one performer, with every emotion held to the grant."""

    def __init__(self, performer: Performer, limits_milli: Mapping[str, int]) -> None:
        self._lock = threading.Lock()
        self._performer = performer
        self._limits_milli = dict(limits_milli)

    def say(self, visemes: Sequence[Any], start_s: float, spoken: NDArray[Any] | None = None) -> None:
        """Speak; `spoken` [N, 4] is the prosody that head and brows move to."""
        with self._lock:
            self._performer.say(visemes, start_s, spoken)

    @property
    def life_facts(self) -> dict[str, Any]:
        """What moves head and eyes, for the session's record."""
        with self._lock:
            return dict(self._performer.life_facts)

    def hush(self, now_s: float) -> None:
        """Close the mouth."""
        with self._lock:
            self._performer.stop(now_s)

    def listen(self, is_listening: bool, now_s: float) -> None:
        """Look at the viewer and nod a little, or no longer."""
        with self._lock:
            self._performer.set_listening(is_listening, now_s)

    def show(self, word: str, asked_milli: int, now_s: float) -> Shown:
        """Change the face as far as the grant allows, and tell what was done."""
        shown = clamp_emotion(word, asked_milli, self._limits_milli)
        with self._lock:
            self._performer.set_emotion(shown.emotion, shown.shown_milli, now_s)
        return shown

    def state_at(self, media_time_s: float) -> Any:
        with self._lock:
            return self._performer.state_at(media_time_s)
