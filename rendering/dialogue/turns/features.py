"""From hops to the features the decision rests on. Causal: each value uses only what was heard before it.

What belongs to the speaker (usual pitch, level, length of sounds, rate, pauses) is kept over the whole conversation;
what belongs to the turn starts again with it. `trustcore/static/js/viewer/turns/features.js` does the same, without
words.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.seams import HOP_S
from rendering.dialogue.turns import words as reading_of
from rendering.dialogue.turns.hearing import Sound
from rendering.dialogue.turns.words import Reading

TIMING = ("pause", "short_pause", "pause_against_usual", "stretch", "turn_length", "pauses_before")
PROSODY = (
    "pitch_at_end", "pitch_slope", "pitch_move", "pitch_moved", "final_length", "level_at_end", "level_slope", "rate",
)  # fmt: skip
WORDS = (
    "words_known", "words_settled", "filler_last", "open_last", "question_closed", "answer_given", "answer_missing",
    "closer_last", "clause_open", "sentence_end", "sentence_over", "one_word", "word_count", "number_run",
)  # fmt: skip
FEATURES = TIMING + PROSODY + WORDS

SPEECH_ON, SPEECH_OFF = 0.5, 0.35
START_HOPS = 3  # shorter sounds (a click, a breath) do not end a pause
SLOPE_HOPS, MOVE_HOPS, END_HOPS, LEVEL_HOPS, RATE_HOPS = 25, 5, 6, 15, 50
MOVE_KNOWN_HOPS = 8
OCTAVE_JUMP = 9.0  # semitones from the middle: no voice moves so far in a stretch
SHORT_PAUSE_S = 0.35
LONGEST_PAUSE_S = 3.0
# Before this speaker is known; the rate is in rises a second, the lag is that of the words.
USUAL_RUN_S, USUAL_PAUSE_S, USUAL_RATE, USUAL_LAG_S = 0.16, 0.5, 3.5, 0.4
PRIOR = 6.0  # how many observations the usual values count for
MOST = 200.0  # observations a mean remembers: voices and lines change
LAG_SEEN_HOPS = 35  # of a pause: by then its words have come
LAG_EARLY_S, LAG_LATE_S = 0.1, 0.1  # how much sooner or later than usual the last words come
RISE_DB = 2.5  # a syllable: the level rose by this much from its last dip


class Usual:
    """A running mean that starts from what is usual among people and follows slow change."""

    def __init__(self, value: float, count: float = PRIOR) -> None:
        self.value, self._count = value, count

    def add(self, value: float) -> None:
        """One more observation."""
        self._count = min(self._count + 1.0, MOST)
        self.value += (value - self.value) / self._count


class Speaker:
    """What is usual for the one who speaks."""

    def __init__(self) -> None:
        self.pitch_log2 = Usual(math.log2(150.0), 1.0)
        self.level_db = Usual(-30.0, 1.0)
        self.run_s = Usual(USUAL_RUN_S)
        self.rate = Usual(USUAL_RATE)
        self.pause_s = Usual(USUAL_PAUSE_S)
        self.words_lag_s = Usual(USUAL_LAG_S, 0.5)  # of this recogniser on this line, from the end of speech


class Turn:
    """The turn so far, hop by hop."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._hops = 0
        self._expected = reading_of.expected_by("")
        self._text = ""
        self._reading: Reading = reading_of.read("", self._expected)
        self._text_hop = -10_000
        self._closing: dict[str, float] = {}
        self._level: deque[float] = deque(maxlen=RATE_HOPS)
        self._pitch: deque[float] = deque(maxlen=RATE_HOPS)  # log2 Hz, nan where unvoiced
        self._started_hop: int | None = None
        self._stretch_hop = self._last_speech_hop = 0
        self._loud_hops = self._run_hops = 0
        self._last_run_s = 0.0
        self._dip_db = 0.0
        self._is_rising = False
        self._rises: deque[int] = deque(maxlen=32)  # hops at which a syllable began
        self.is_speaking = False
        self.pauses = 0

    def begin(self, asked: str) -> None:
        """A new turn: forget the last one's words and pauses, keep the speaker. Speech that goes on now opens it."""
        self._expected = reading_of.expected_by(asked)
        self._text, self._reading, self._text_hop = "", reading_of.read("", self._expected), -10_000
        self.pauses = 0
        self._started_hop = self._stretch_hop if self.is_speaking else None
        if not self.is_speaking:
            self._level.clear()
            self._pitch.clear()
            self._closing = {}

    def begin_again(self) -> None:
        """What was heard in this turn was no speech: the turn has not begun, and the same answer is expected."""
        self.pauses = 0
        self._started_hop = None
        self._closing = {}

    @property
    def has_started(self) -> bool:
        """Somebody has spoken in this turn."""
        return self._started_hop is not None

    @property
    def pause_s(self) -> float:
        """Silence since the last speech of this turn; 0 while speaking and before the first speech."""
        if self.is_speaking or not self.has_started:
            return 0.0
        return (self._hops - self._last_speech_hop) * HOP_S

    @property
    def stretch_s(self) -> float:
        """Length of the last stretch of speech without a pause."""
        return (self._last_speech_hop - self._stretch_hop) * HOP_S if self.has_started else 0.0

    @property
    def turn_s(self) -> float:
        """From the first speech of the turn to its last so far."""
        return (self._last_speech_hop - self._started_hop) * HOP_S if self._started_hop is not None else 0.0

    def push(self, sound: Sound, speech: float, text: str) -> None:
        """Take one hop: what was heard, how likely it is speech, and the words of the turn so far."""
        self._hops += 1
        self._hear_words(text)
        if speech >= SPEECH_ON:
            self._loud_hops += 1
        elif not self.is_speaking or speech < SPEECH_OFF:
            self._loud_hops = 0
        if self.is_speaking:
            if speech < SPEECH_OFF:
                self._stop()
            else:
                self._last_speech_hop = self._hops
        elif self._loud_hops >= START_HOPS:
            self._start()
        if self.is_speaking or self._loud_hops:
            self._hear_speech(sound)
        if self.has_started and self._hops - self._last_speech_hop == LAG_SEEN_HOPS and self._text:
            self._speaker.words_lag_s.add(min(max(self._words_came_s, 0.0), LAG_SEEN_HOPS * HOP_S))

    def features(self) -> NDArray[np.float64]:
        """[len(FEATURES)] as they stand now; those of the voice are those of the end of its last stretch."""
        pause_s = min(self.pause_s, LONGEST_PAUSE_S)
        read = self._reading
        is_settled = self._is_settled()
        values = {
            "pause": pause_s, "short_pause": math.exp(-pause_s / SHORT_PAUSE_S),
            "pause_against_usual": min(pause_s / max(self._speaker.pause_s.value, 0.1), 4.0),
            "stretch": math.log(0.2 + self.stretch_s), "turn_length": math.log(0.5 + self.turn_s),
            "pauses_before": float(min(self.pauses, 4)),
            **(self._closing if self._closing else self._close()),
            "words_known": float(read.count > 0), "words_settled": float(is_settled),
            **(_said(read) if is_settled else NOTHING_SAID),
            "word_count": math.log1p(read.count), "number_run": float(min(read.number_run, 10)),
        }  # fmt: skip
        return np.array([values[name] for name in FEATURES])

    @property
    def _words_came_s(self) -> float:
        """From the end of speech to the last change of the words; below 0 when they came before it."""
        return (self._text_hop - self._last_speech_hop) * HOP_S

    def _is_settled(self) -> bool:
        """The words are those up to this pause: they came when the last ones usually do, or that time has passed."""
        if self._reading.count == 0 or self.is_speaking:
            return False
        usual_s = self._speaker.words_lag_s.value
        return self._words_came_s >= usual_s - LAG_EARLY_S or self.pause_s >= usual_s + LAG_LATE_S

    def _hear_words(self, text: str) -> None:
        if text != self._text:
            self._text, self._text_hop = text, self._hops
            self._reading = reading_of.read(text, self._expected)

    def _start(self) -> None:
        first = self._hops - self._loud_hops
        if self.has_started:
            self._speaker.pause_s.add(min((first - self._last_speech_hop) * HOP_S, LONGEST_PAUSE_S))
            self.pauses += 1
        else:
            self._started_hop = first
        self.is_speaking = True
        self._stretch_hop, self._last_speech_hop = first, self._hops
        self._closing = {}

    def _stop(self) -> None:
        self.is_speaking = False
        self._end_run()
        self._closing = self._close()
        if self.stretch_s > 1.0:
            self._speaker.rate.add(self._rate(self.stretch_s))

    def _hear_speech(self, sound: Sound) -> None:
        self._level.append(sound.level_db)
        if sound.pitch_hz > 0:
            pitch = math.log2(sound.pitch_hz)
            self._pitch.append(pitch)
            self._run_hops += 1
            self._speaker.pitch_log2.add(pitch)
            self._speaker.level_db.add(sound.level_db)
        else:
            self._pitch.append(math.nan)
            self._end_run()
        self._count_syllable(sound.level_db)

    def _end_run(self) -> None:
        if self._run_hops >= 2:
            self._last_run_s = self._run_hops * HOP_S
            self._speaker.run_s.add(self._last_run_s)
        self._run_hops = 0

    def _count_syllable(self, level_db: float) -> None:
        if self._is_rising:
            if level_db < self._dip_db - RISE_DB:
                self._is_rising, self._dip_db = False, level_db
            else:
                self._dip_db = max(self._dip_db, level_db)
        elif level_db > self._dip_db + RISE_DB:
            self._is_rising, self._dip_db = True, level_db
            self._rises.append(self._hops)
        else:
            self._dip_db = min(self._dip_db, level_db)

    def _rate(self, span_s: float) -> float:
        first = self._last_speech_hop - span_s / HOP_S
        return sum(1 for hop in self._rises if hop > first) / max(span_s, 0.2)

    def _close(self) -> dict[str, float]:
        """The voice's features over the last speech: pitch in semitones from the speaker's usual, slopes a second."""
        pitch = np.array(self._pitch) if self._pitch else np.full(1, np.nan)
        level = np.array(self._level) if self._level else np.full(1, self._speaker.level_db.value)
        usual = self._speaker
        known = np.flatnonzero(~np.isnan(pitch))
        last = int(known[-1]) + 1 if len(known) else len(pitch)
        at_end = pitch[max(0, last - END_HOPS) : last]
        is_known = len(known) >= 4
        end = 12.0 * (float(np.nanmedian(at_end)) - usual.pitch_log2.value) if is_known else 0.0
        run_s = self._last_run_s if self._run_hops < 2 else self._run_hops * HOP_S
        audible = level[: max(last, 3)]
        span_s = min(max(self.stretch_s, 0.2), RATE_HOPS * HOP_S)
        move = _move(12.0 * pitch[known])
        return {
            "pitch_at_end": float(np.clip(end, -8.0, 8.0)),
            "pitch_slope": _slope(12.0 * pitch[max(0, last - SLOPE_HOPS) : last], 30.0),
            "pitch_move": move,
            "pitch_moved": abs(move),
            "final_length": float(np.clip(math.log((run_s + 0.02) / (usual.run_s.value + 0.02)), -1.5, 1.5)),
            "level_at_end": float(np.clip(audible[-END_HOPS:].mean() - usual.level_db.value, -20.0, 10.0)),
            "level_slope": _slope(audible[-LEVEL_HOPS:], 100.0),
            "rate": float(np.clip(math.log((self._rate(span_s) + 0.5) / (usual.rate.value + 0.5)), -1.5, 1.5)),
        }


def _said(read: Reading) -> dict[str, float]:
    """What the words say, once they are those of this pause."""
    return {
        "filler_last": float(read.is_filler_last), "open_last": float(read.is_open_last),
        "question_closed": float(read.is_question_closed), "answer_given": float(read.is_answer_given),
        "answer_missing": float(read.is_answer_missing), "closer_last": float(read.is_closer_last),
        "clause_open": float(read.is_clause_open), "sentence_end": read.sentence_end,
        "sentence_over": max(read.sentence_end, 0.0), "one_word": float(read.count == 1),
    }  # fmt: skip


NOTHING_SAID = dict.fromkeys(_said(reading_of.NOTHING), 0.0)


def _move(semitones: NDArray[np.float64]) -> float:
    """How far the last voiced sounds lie from the middle of what was voiced in the last second, -8..8 semitones.

    A level end holds the turn, a fall or a rise offers it (Gravano and Hirschberg 2011).
    """
    if len(semitones) < MOVE_KNOWN_HOPS:
        return 0.0
    middle = float(np.median(semitones))
    near = semitones[np.abs(semitones - middle) < OCTAVE_JUMP]
    if len(near) < MOVE_KNOWN_HOPS:
        return 0.0
    return float(np.clip(np.median(near[-MOVE_HOPS:]) - middle, -8.0, 8.0))


def _slope(values: NDArray[np.float64], most: float) -> float:
    """Least-squares slope a second, limited to +-most; 0 with fewer than four known values. Robust to octave jumps."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 4:
        return 0.0
    heights = values[known]
    middle = np.median(heights)
    known, heights = known[np.abs(heights - middle) < OCTAVE_JUMP], heights[np.abs(heights - middle) < OCTAVE_JUMP]
    if len(known) < 4:
        return 0.0
    at_s = known * HOP_S
    at_s = at_s - at_s.mean()
    return float(np.clip((at_s @ (heights - heights.mean())) / (at_s @ at_s), -most, most))
