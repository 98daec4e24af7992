"""The mouth of one session on one clock: exact or heard sounds in, amounts of the mouth's controls out.

A function of time: the class shares of the half second around a moment go through the motion model, so any frame rate
and any order of questions give the same answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.errors import ReplicaInvalid
from rendering.engine.motion.expression import EMOTIONS, FULL_MILLI, RAMP_S
from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.mouth.hearing import Heard
from rendering.engine.motion.mouth.motion import FRAME_S, MEAN_STYLE, STYLE, WIDEST_STYLE, Motions
from rendering.engine.motion.mouth.recogniser import SECOND_AFTER
from rendering.engine.motion.mouth.unevenness import Wandering
from rendering.engine.motion.visemes import CLOSURE, MOUTH, MouthTrack, Span, shares

Array = np.ndarray[Any, np.dtype[Any]]

REACH_S = 0.8  # sounds farther away than this have no say
_GONE_S, _GOING_S = 0.45, 0.15  # after the last sound (and the quarter second of silence behind it) the mouth lets go


@dataclass(frozen=True)
class _Stretch:
    start_s: float
    heard: Heard
    cut_s: float

    @property
    def end_s(self) -> float:
        return min(self.start_s + self.heard.seconds, self.cut_s)

    def holds(self, times_s: Array) -> Array:
        """[T] true for the moments within."""
        return np.asarray((times_s >= self.start_s) & (times_s < self.end_s))

    def meets(self, times_s: Array) -> bool:
        """True when any of the moments is within."""
        return bool(self.holds(times_s).any())


class SpokenMouth:
    """Everything that one session speaks. Without a motion model it is the table of shapes alone.

    Args:
        seed: of the small wandering of the lips; without it they never wander.
    """

    def __init__(self, motions: Motions | None = None, style: Array = MEAN_STYLE, seed: int | None = None) -> None:
        self._motions = motions
        self._wandering = None if motions is None or seed is None else Wandering(motions.unevenness, seed)
        self._style = style
        self._track = MouthTrack()
        self._stretches: list[_Stretch] = []
        self._feeling = (np.zeros(len(EMOTIONS), np.float32), np.zeros(len(EMOTIONS), np.float32), -1e9)

    def add(self, spans: Sequence[Span], start_s: float) -> None:
        """Append an utterance with exact times that begins at `start_s`."""
        self._track.add(spans, start_s)

    def follow(self, heard: Heard, start_s: float) -> None:
        """Append an utterance of which only the sound is known."""
        self._track.add(heard.spans, start_s)
        self._stretches.append(_Stretch(start_s, heard, np.inf))

    def feel(self, emotion: str, milli: int, now_s: float) -> None:
        """Speak with an emotion from now on; it ramps like the face's."""
        after = np.zeros(len(EMOTIONS), np.float32)
        after[EMOTIONS.index(emotion)] = milli / FULL_MILLI
        after[EMOTIONS.index("neutral")] = 0.0
        self._feeling = (self._emotion_at(now_s), after, now_s)

    def cut(self, now_s: float) -> None:
        """Forget what would be spoken after `now_s`; the mouth closes from there."""
        self._track.cut(now_s)
        kept = [stretch for stretch in self._stretches if stretch.start_s < now_s]
        self._stretches = [_Stretch(s.start_s, s.heard, min(s.cut_s, now_s)) for s in kept]

    def silenced(self) -> SpokenMouth:
        """The same mouth with nothing to say."""
        other = copy(self)
        other._track, other._stretches = MouthTrack(), []
        return other

    def forget(self, before_s: float) -> None:
        """Drop what ended before `before_s`."""
        self._track.forget(before_s)
        self._stretches = [stretch for stretch in self._stretches if stretch.end_s >= before_s]

    def activity(self, t_s: float) -> float:
        """0..1: how much is being spoken around this time."""
        loud = [s for s in self._stretches if s.heard.mouth is not None and s.start_s <= t_s < s.end_s]
        return 1.0 if loud else self._track.activity(t_s)

    def stresses(self, t_s: float) -> float:
        """A slow bump on each long open sound: what heads nod to."""
        return self._track.stresses(t_s)

    def at(self, t_s: float) -> Array:
        """[MOUTH] amounts at a time; zeros when nothing is spoken near it."""
        loud = self._loudness_at(t_s)
        if loud is not None:
            return loud
        if self._motions is None:
            return self._track.at(t_s)
        starts_s, ends_s, classes = self._track.near(t_s, REACH_S)
        if not len(classes):
            return np.zeros(len(MOUTH))
        gap_s = max(0.0, float(np.maximum(starts_s - t_s, t_s - ends_s).min()))
        held = float(np.clip((_GONE_S - gap_s) / _GOING_S, 0.0, 1.0))
        if held == 0.0:
            return np.zeros(len(MOUTH))
        times_s = self._motions.exact.window_times_s(t_s)
        window = shares(times_s, starts_s, ends_s, classes, FRAME_S)
        stretches = [s for s in self._stretches if s.heard.rows is not None and s.meets(times_s)]
        if stretches:
            second = shares(times_s - SECOND_AFTER * FRAME_S, starts_s, ends_s, classes, FRAME_S)
            window = _heard_over(np.concatenate([window, second], axis=1), times_s, stretches)
        model = self._motions.heard if stretches else self._motions.exact
        mouth = model.run(window, self._style, self._emotion_at(t_s))[0]
        if self._wandering is not None:
            mouth = mouth + (1 - mouth[CLOSURE]) * self._wandering.at(t_s)
        return np.asarray(held * mouth)

    def _loudness_at(self, t_s: float) -> Array | None:
        for stretch in self._stretches:
            rows = stretch.heard.mouth
            if rows is not None and stretch.start_s <= t_s < stretch.end_s:
                place = (t_s - stretch.start_s) * FRAMES_PER_S
                return np.asarray([np.interp(place, np.arange(len(rows)), column) for column in rows.T])
        return None

    def _emotion_at(self, t_s: float) -> Array:
        before, after, start_s = self._feeling
        share = float(np.clip((t_s - start_s) / RAMP_S, 0.0, 1.0))
        return np.asarray(before + share * share * (3 - 2 * share) * (after - before), np.float32)


def _heard_over(window: Array, times_s: Array, stretches: Sequence[_Stretch]) -> Array:
    """Rows [T, HEARD] of exact shares with what was only heard put in."""
    for stretch in stretches:
        rows = stretch.heard.rows
        assert rows is not None
        inside = stretch.holds(times_s)
        place = np.clip((times_s[inside] - stretch.start_s) * FRAMES_PER_S, 0, len(rows) - 1)
        low = np.minimum(place.astype(int), max(0, len(rows) - 2))
        part = (place - low)[:, None]
        window[inside] = rows[low] + part * (rows[np.minimum(low + 1, len(rows) - 1)] - rows[low])
    return window


def style_of(calibration: dict[str, Any]) -> Array:
    """[STYLE] a person's style as their replica's calibration names it; the mean style where it names none.

    Raises:
        ReplicaInvalid: the entry is not a vector of this many finite numbers.
    """
    entry = calibration.get("mouth_style")
    if entry is None:
        return MEAN_STYLE
    vector = entry.get("vector") if isinstance(entry, dict) else None
    if not isinstance(vector, list) or len(vector) != len(STYLE) or not all(_is_finite(number) for number in vector):
        raise ReplicaInvalid(f"The replica's mouth style is not {len(STYLE)} finite numbers; train it again.")
    return np.clip(np.array(vector, np.float32), -WIDEST_STYLE, WIDEST_STYLE)


def _is_finite(number: Any) -> bool:
    return isinstance(number, float) and bool(np.isfinite(number)) or (type(number) is int and abs(number) < 2**31)
