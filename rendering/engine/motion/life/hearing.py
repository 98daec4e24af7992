"""What the performer knows about the conversation, as life asks for it: laid speech, the floor, the shown emotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life import prosody
from rendering.engine.motion.life.channels import FRAMES_PER_S
from rendering.engine.motion.life.scene import AFFECT, EMOTION_COUNT, HEARD, LISTENING, SPEAKING
from rendering.engine.motion.visemes import Span

Array = np.ndarray[Any, np.dtype[Any]]

MEMORY_S = 4.0
RAMP_S = 0.4  # within which the floor and feelings change hands
OPEN_LEVEL, CLOSED_LEVEL = 0.75, 0.45  # usual level of an open and of any other sound, where only sounds are known
_OPEN = frozenset({"aa", "ah", "E", "ih", "iy", "oh", "ou", "uh", "er", "@"})
_UNVOICED = frozenset({"sil", "FF", "TH", "SS", "CH", "HH", "kk"})
LONG_SOUND_S = 0.09  # an open sound from which a syllable counts as stressed, where only sounds are known


@dataclass(frozen=True)
class _Speech:
    start_s: float
    prosody: Array  # [N, 4]
    end_s: float


@dataclass(frozen=True)
class _Ramp:
    before: Array
    after: Array
    start_s: float

    def at(self, t_s: float) -> Array:
        share = min(1.0, max(0.0, (t_s - self.start_s) / RAMP_S))
        return np.asarray(self.before + share * (self.after - self.before))


class Hearing:
    """The conversation on one time line. Functions of the calls alone."""

    def __init__(self) -> None:
        self._speech: list[_Speech] = []
        self._listening = _Ramp(np.zeros(1), np.zeros(1), -1e9)
        self._mood = _Ramp(np.zeros(EMOTION_COUNT + len(AFFECT)), np.zeros(EMOTION_COUNT + len(AFFECT)), -1e9)

    def lay(self, spoken: Array, start_s: float) -> None:
        """Speech whose prosody is [N, 4] will be heard from `start_s` on."""
        self._speech = [part for part in self._speech if part.end_s > start_s - MEMORY_S]
        self._speech.append(_Speech(start_s, spoken, start_s + len(spoken) / FRAMES_PER_S))

    def cut(self, now_s: float) -> None:
        """What would be heard after `now_s` will not be."""
        kept = [part for part in self._speech if part.start_s < now_s]
        self._speech = [
            _Speech(part.start_s, part.prosody[: max(0, int((now_s - part.start_s) * FRAMES_PER_S))],
                    min(part.end_s, now_s))
            for part in kept
        ]  # fmt: skip

    def listen(self, is_listening: bool, now_s: float) -> None:
        """The viewer has the floor, or no longer."""
        self._listening = _Ramp(self._listening.at(now_s), np.array([1.0 if is_listening else 0.0]), now_s)

    def feel(self, emotion: int, share: float, now_s: float) -> None:
        """The shown emotion is number `emotion` at `share` (0..1)."""
        after = self._mood.after.copy()
        after[:EMOTION_COUNT] = 0
        if emotion > 0:
            after[emotion] = share
        self._mood = _Ramp(self._mood.at(now_s), after, now_s)

    def perceive(self, valence: float, arousal: float, now_s: float) -> None:
        """The viewer's affect, -1..1 and 0..1; never called when perception is not allowed."""
        after = self._mood.after.copy()
        after[EMOTION_COUNT:] = np.clip(valence, -1, 1), np.clip(arousal, 0, 1)
        self._mood = _Ramp(self._mood.at(now_s), after, now_s)

    def at(self, times_s: Array) -> tuple[Array, Array]:
        """Heard [K, 6] at times [K] that rise, and emotion and affect [10] at the last of them."""
        heard = np.zeros((len(times_s), len(HEARD)), np.float32)
        for part in self._speech:
            if not len(part.prosody):
                continue
            index = np.floor((times_s - part.start_s) * FRAMES_PER_S + 1e-6).astype(int)
            inside = (index >= 0) & (index < len(part.prosody)) & (times_s < part.end_s)
            heard[inside, : len(prosody.PROSODY)] = part.prosody[index[inside]]
            gap = np.maximum(part.start_s - times_s, times_s - part.end_s)
            heard[:, SPEAKING] = np.maximum(heard[:, SPEAKING], np.clip(1 - np.maximum(gap, 0) / 0.15, 0, 1))
        listening = np.array([float(self._listening.at(float(t))[0]) for t in times_s])
        heard[:, LISTENING] = listening * (1 - heard[:, SPEAKING])
        return heard, self._mood.at(float(times_s[-1]))


def prosody_of_spans(spans: Sequence[Span]) -> Array:
    """[N, 4] prosody as far as mouth shapes tell it: open sounds are loud, long ones stressed, pitch is not known."""
    frames = int(np.ceil(max((span.end_s for span in spans), default=0.0) * FRAMES_PER_S))
    out = np.zeros((frames, len(prosody.PROSODY)), np.float32)
    for span in spans:
        part = slice(int(span.start_s * FRAMES_PER_S), max(0, int(np.ceil(span.end_s * FRAMES_PER_S))))
        if span.viseme == "sil":
            continue
        is_long = span.viseme in _OPEN and span.end_s - span.start_s > LONG_SOUND_S
        out[part, 0] = (OPEN_LEVEL if span.viseme in _OPEN else CLOSED_LEVEL) + 0.1 * is_long
        out[part, 2] = span.viseme not in _UNVOICED
    if frames:
        out[:, 3] = prosody.stress(out[:, 0], out[:, 1], out[:, 2])
    return out
