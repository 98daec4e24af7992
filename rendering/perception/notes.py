"""What perception tells the brain: a sentence or two in plain words, never a verdict. PURE.

The words are ours alone. Nothing that a viewer's page sends can become text in a prompt.
"""

from collections import deque

from rendering.perception.units import FULL_MILLI
from rendering.perception.vectors import Vector

KEPT_S = 4.0  # a note is about now; what is older is forgotten
LEAST_MILLI = 350  # of an emotion, below which it is not worth a word
LEAST_SURE_MILLI = 400
LEAST_READINGS = 3  # one reading is a blink or a sound
LIVELY_MILLI, CALM_MILLI = 650, 250

_FACE_WORDS = {
    "joy": "pleased", "sadness": "sad", "anger": "annoyed", "surprise": "surprised", "fear": "worried",
    "disgust": "put off",
}  # fmt: skip


class PerceptionNotes:
    """The last seconds of one viewer, and what may be said of them. Empty where nothing may be perceived."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Vector]] = deque()

    def add(self, vector: Vector, now_s: float) -> None:
        self._seen.append((now_s, vector))
        self._drop_old(now_s)

    def forget(self) -> None:
        """Nothing was ever seen."""
        self._seen.clear()

    def notes(self, now_s: float) -> tuple[str, ...]:
        """For `Exchange.notes`: at most one sentence of the face and one of the voice."""
        self._drop_old(now_s)
        return tuple(note for note in (self._of_face(), self._of_voice()) if note)

    def _drop_old(self, now_s: float) -> None:
        while self._seen and now_s - self._seen[0][0] > KEPT_S:
            self._seen.popleft()

    def _of_face(self) -> str:
        faces = [vector.face for _, vector in self._seen if vector.face is not None]
        sure = [face for face in faces if face.affect_sure_milli >= LEAST_SURE_MILLI]
        named = [name for name, milli in (face.strongest for face in sure) if milli >= LEAST_MILLI]
        if len(named) < LEAST_READINGS or len(set(named[-LEAST_READINGS:])) > 1:
            return ""
        sure_milli = sum(face.affect_sure_milli for face in sure[-LEAST_READINGS:]) / LEAST_READINGS
        percent = round(100 * sure_milli / FULL_MILLI)
        return f"The viewer may look {_FACE_WORDS[named[-1]]}. This is a guess from the face, {percent} of 100 sure."

    def _of_voice(self) -> str:
        voices = [vector.voice for _, vector in self._seen if vector.voice is not None]
        sure = [voice.arousal_milli for voice in voices if voice.sure_milli >= LEAST_SURE_MILLI]
        if len(sure) < LEAST_READINGS:
            return ""
        mean_milli = sum(sure) / len(sure)
        if CALM_MILLI < mean_milli < LIVELY_MILLI:
            return ""
        word = "lively" if mean_milli >= LIVELY_MILLI else "calm or tired"
        return f"The viewer's voice sounds {word}. This is a guess from its tone."
