"""The performer behind a lock: the conversation directs it, the frame thread asks it how the face stands."""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rendering.protocol import EmotionLimit, EmotionSource
from trustcore.policy.clamp import EMOTION_WORDS, MAX_MILLI, clamp

MAX_WORD_CHARS = 24


class Performer(Protocol):
    """The engine's performer (`rendering.engine`)."""

    def say(self, visemes: Sequence[Any], start_s: float, spoken: NDArray[Any] | None = None) -> None: ...

    @property
    def life_facts(self) -> Mapping[str, Any]: ...

    def hear(self, samples: NDArray[np.float32]) -> Any: ...

    def follow(self, heard: Any, start_s: float, spoken: NDArray[Any] | None = None) -> None: ...

    def stop(self, now_s: float) -> None: ...

    def set_emotion(self, name: str, milli: int, now_s: float) -> None: ...

    def set_listening(self, is_listening: bool, now_s: float) -> None: ...

    def nod(self, now_s: float) -> None: ...

    def set_affect(self, valence: float, arousal: float, now_s: float) -> None: ...

    def state_at(self, t_s: float) -> Any: ...


@dataclass(frozen=True)
class Shown:
    """What became of a wish to show an emotion.

    `word` is what was asked for as written, `asked` the emotion it means, "neutral" for an unknown word. `source`
    says who asked: the "request" that opened the conversation, a "message", a "tag" in a text, or the "brain".
    `limited_by` says what held it back: "" (nothing), "unknown", "policy" (the signed grant), or "replica" (what the
    footage supports).
    """

    word: str
    asked: str
    asked_milli: int
    emotion: str
    shown_milli: int
    source: EmotionSource = "message"
    limited_by: EmotionLimit = ""

    @property
    def is_clamped(self) -> bool:
        return bool(self.limited_by)


def clamp_emotion(
    word: str, asked_milli: int, limits_milli: Mapping[str, int], caps_milli: Mapping[str, int] | None = None,
    source: EmotionSource = "message",
) -> Shown:
    """Hold a wish to the signed grant's limits and to what the replica's footage supports.

    An unknown word becomes neutral and counts as lowered.

    Args:
        word: an emotion, or a word that Tavus clients use for one.
        limits_milli: highest intensity per emotion in thousandths, from the grant; an absent emotion is forbidden.
        caps_milli: the same from the replica's calibration; None when there is none.
    """
    written = word.strip()[:MAX_WORD_CHARS]
    emotion = EMOTION_WORDS.get(written.lower())
    if emotion is None or emotion == "neutral":
        asked = max(0, min(MAX_MILLI, asked_milli))
        return Shown(written, "neutral", asked, "neutral", 0, source, "" if emotion else "unknown")
    by_policy = clamp(emotion, asked_milli, limits_milli)
    held = by_policy if caps_milli is None else clamp(emotion, by_policy.shown_milli, caps_milli)
    limited_by: EmotionLimit = "replica" if held.is_clamped else "policy" if by_policy.is_clamped else ""
    return Shown(written, emotion, by_policy.asked_milli, held.emotion, held.shown_milli, source, limited_by)


class Stage:
    """Thread-safe access to one performer, and the one door to its emotion: every wish is held to the grant here."""

    def __init__(
        self, performer: Performer, limits_milli: Mapping[str, int], caps_milli: Mapping[str, int] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._performer = performer
        self._limits_milli = dict(limits_milli)
        self._caps_milli = None if caps_milli is None else dict(caps_milli)
        self._is_listening = False
        self._is_moved = False  # by the viewer's mood
        self._hushed_s = -math.inf

    def say(self, visemes: Sequence[Any], start_s: float, spoken: NDArray[Any] | None = None) -> None:
        """Speak; `spoken` [N, 4] is the prosody that head and brows move to."""
        with self._lock:
            self._performer.say(visemes, start_s, spoken)

    @property
    def life_facts(self) -> dict[str, Any]:
        """What moves head and eyes, for the session's record."""
        with self._lock:
            return dict(self._performer.life_facts)

    def hear(self, samples: NDArray[np.float32]) -> Any:
        """What sound [N] at 16 kHz says, for a voice without times. Takes a while, so it leaves the frame thread be."""
        return self._performer.hear(samples)

    def follow(self, heard: Any, start_s: float, spoken: NDArray[Any] | None = None) -> None:
        """Speak what was heard; `spoken` as for `say`."""
        with self._lock:
            self._performer.follow(heard, start_s, spoken)

    def hush(self, now_s: float) -> None:
        """Close the mouth: it is shut in every picture that is begun from here on."""
        with self._lock:
            self._hushed_s = now_s
            self._performer.stop(now_s)

    def listen(self, is_listening: bool, now_s: float) -> None:
        """Look at the viewer and nod a little, or no longer."""
        with self._lock:
            self._is_listening = is_listening
            self._performer.set_listening(is_listening, now_s)
            if not is_listening:
                self._calm(now_s)

    def nod(self, now_s: float) -> None:
        """Nod, once."""
        with self._lock:
            self._performer.nod(now_s)

    def perceive(self, valence: float, arousal: float, now_s: float) -> None:
        """The viewer's mood, -1..1 and 0..1: it colours how the replica listens, and nothing else.

        Call it only with what passed `rendering.worker.perceived.Perceived`.
        """
        with self._lock:
            if self._is_listening:
                self._is_moved = True
                self._performer.set_affect(valence, arousal, now_s)

    def forget_mood(self, now_s: float) -> None:
        """Nothing of the viewer's mood shows any more."""
        with self._lock:
            self._calm(now_s)

    def _calm(self, now_s: float) -> None:
        if self._is_moved:
            self._is_moved = False
            self._performer.set_affect(0.0, 0.0, now_s)

    def show(self, word: str, asked_milli: int, now_s: float, source: EmotionSource = "message") -> Shown:
        """Change the face as far as grant and footage allow, and tell what was done."""
        shown = clamp_emotion(word, asked_milli, self._limits_milli, self._caps_milli, source)
        with self._lock:
            self._performer.set_emotion(shown.emotion, shown.shown_milli, now_s)
        return shown

    def state_at(self, media_time_s: float) -> Any:
        with self._lock:
            # At few pictures a second one may be begun after its time; what was said before it is to be seen in it.
            return self._performer.state_at(max(media_time_s, self._hushed_s))
