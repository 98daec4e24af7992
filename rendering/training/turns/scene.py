"""Conversations of two: when each speaks, what the viewer's microphone hears of it, and the truth about every pause.

A row has the schema of eot-bench (id, language, audio, silence_spans, words, messages) and the truth beside it. The
microphone hears the viewer alone; the replica is known by its times, as in a call without echo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rendering.training.turns import cues, voices
from rendering.training.turns.line import over_line
from rendering.training.turns.prosody import SOUND_HZ, Ending, shaped
from rendering.training.turns.texts import BACKCHANNELS, Script, Split, draw_script
from rendering.training.turns.voices import Speaker

Floats = NDArray[np.float64]

TURNS_OF_ONE_SPEAKER = 4
AFTER_S = 2.6  # silence recorded after the turn
BREATH_SHARE = 0.25
REPLICA_S_PER_WORD = 0.33
BACKCHANNEL_SHARE = 0.3
BARGE_IN_SHARE = 0.1


@dataclass(frozen=True)
class Word:
    """One word and when it was said; inside a stretch the time is shared out by the words' letters."""

    word: str
    start: float
    end: float


@dataclass(frozen=True)
class Row:
    """One turn of the viewer. `silence_spans` in seconds, the last is the end; `boundaries` say what each pause is.

    `replica`: when the replica spoke. `backchannels`: small signs of listening over it. `barges_in`: the turn began
    well before the replica was done.
    """

    id: str
    pcm: NDArray[np.int16]  # [N] at SOUND_HZ
    silence_spans: tuple[tuple[float, float], ...]
    words: tuple[Word, ...]
    asked: str
    turn_start_s: float
    boundaries: tuple[str, ...]
    replica: tuple[float, float]
    backchannels: tuple[tuple[float, float], ...] = ()
    barges_in: bool = False
    is_first_of_speaker: bool = True
    language: str = "en"
    speaker: Speaker = field(default_factory=lambda: Speaker("", ""))


def rows(split: Split, count: int, seed: int) -> Iterator[Row]:
    """`count` turns of a split; the same seed and voices give the same rows."""
    for number in range(conversations(count)):
        yield from conversation(split, number, count, seed)


def conversations(count: int) -> int:
    """How many conversations hold so many turns."""
    return (count + TURNS_OF_ONE_SPEAKER - 1) // TURNS_OF_ONE_SPEAKER


def conversation(split: Split, number: int, count: int, seed: int) -> list[Row]:
    """The turns of one speaker, the `number`th of a split of `count` turns. It needs none of the others."""
    draw = np.random.default_rng([seed, ("train", "development", "held_out").index(split), number])
    speaker = voices.draw_speaker(split, draw)
    is_telephone, gain_db, noise_db = draw.random() < 0.3, draw.uniform(-26, -6), draw.uniform(12, 45)
    turns = []
    for turn in range(min(TURNS_OF_ONE_SPEAKER, count - number * TURNS_OF_ONE_SPEAKER)):
        row, sound = _row(f"{split}-{number}-{turn}", speaker, draw_script(split, draw), turn == 0, draw)
        pcm = over_line(sound, float(gain_db), float(noise_db), is_telephone, draw)
        turns.append(replace(row, pcm=pcm))
    return turns


def _row(name: str, speaker: Speaker, script: Script, is_first: bool, draw: np.random.Generator) -> tuple[Row, Floats]:
    replica_s = 0.4 + REPLICA_S_PER_WORD * len(script.asked.split()) if script.asked else 0.0
    barges_in = bool(script.asked) and draw.random() < BARGE_IN_SHARE
    gap_s = float(draw.uniform(-1.2, -0.7)) if barges_in else cues.draw_gap_s(draw)
    start_s = max(0.4 + replica_s + gap_s, 0.3)
    turn, spans, words, boundaries = _turn(speaker, script, start_s, draw)
    sound = np.zeros(len(turn) + int((start_s + AFTER_S) * SOUND_HZ))
    sound[int(start_s * SOUND_HZ) :][: len(turn)] = turn
    backchannels = []
    if replica_s > 2.0 and not barges_in and draw.random() < BACKCHANNEL_SHARE:
        at_s = float(draw.uniform(0.6, start_s - 1.0))
        word = voices.say(speaker, str(draw.choice(BACKCHANNELS)), ".")
        said = _fitted(word, float(draw.uniform(*cues.BACKCHANNEL_S)))
        sound[int(at_s * SOUND_HZ) :][: len(said)] += 0.6 * said
        backchannels.append((at_s, at_s + len(said) / SOUND_HZ))
    spans[-1] = (spans[-1][0], len(sound) / SOUND_HZ)
    row = Row(
        name, np.zeros(0, np.int16), tuple(spans), tuple(words), script.asked, start_s, tuple(boundaries),
        (0.4, 0.4 + replica_s), tuple(backchannels), barges_in, is_first, speaker=speaker,
    )  # fmt: skip
    return row, sound


def _turn(
    speaker: Speaker, script: Script, start_s: float, draw: np.random.Generator
) -> tuple[Floats, list[tuple[float, float]], list[Word], list[str]]:
    """The sound of a turn, its silences in seconds of the row, its words, and what each silence is."""
    parts: list[Floats] = []
    spans: list[tuple[float, float]] = []
    words: list[Word] = []
    at = 0
    for index, segment in enumerate(script.segments):
        place = index / max(len(script.segments) - 1, 1)
        sound = _spoken(speaker, segment.text, cues.draw_ending(segment.boundary, place, draw), segment.boundary, draw)
        parts.append(sound)
        words += _words(segment.text, start_s + at / SOUND_HZ, len(sound) / SOUND_HZ)
        at += len(sound)
        is_last = index == len(script.segments) - 1
        pause_s = 0.0 if is_last else cues.draw_pause_s(segment.boundary, draw)
        spans.append((start_s + at / SOUND_HZ, start_s + at / SOUND_HZ + pause_s))
        parts.append(_pause(pause_s if not is_last else 0.6, np.abs(sound).max(), draw))
        at += 0 if is_last else len(parts[-1])
    return np.concatenate(parts), spans, words, [segment.boundary for segment in script.segments]


def _spoken(speaker: Speaker, text: str, ending: Ending, boundary: str, draw: np.random.Generator) -> Floats:
    """One stretch. Half of espeak-ng's get their ending from its own SSML; all pass the pitch-shifter."""
    mark = cues.punctuation(boundary, draw)  # type: ignore[arg-type]
    by_markup = speaker.program == "espeak" and draw.random() < 0.5
    sound = voices.say(speaker, text, mark, ending if by_markup else None)
    rest = Ending(ending.shift_semitones, 0.0, 0.3, 1.0, 0.2, ending.fall_db) if by_markup else ending
    return shaped(sound, rest)


def _pause(pause_s: float, loudest: float, draw: np.random.Generator) -> Floats:
    """Silence, sometimes with a breath in it."""
    silence = np.zeros(int(pause_s * SOUND_HZ))
    if pause_s > 0.35 and draw.random() < BREATH_SHARE:
        length = int(draw.uniform(0.12, 0.25) * SOUND_HZ)
        first = int(draw.integers(int(0.08 * SOUND_HZ), len(silence) - length))
        breath = np.convolve(draw.normal(0, 1, length), [1, -0.8], "same") * np.hanning(length)
        silence[first : first + length] = breath * loudest * draw.uniform(0.004, 0.03)
    return silence


def _words(text: str, at_s: float, span_s: float) -> list[Word]:
    spoken = text.split()
    shares = np.cumsum([0.0, *(len(word) + 1.5 for word in spoken)])
    times = at_s + span_s * shares / shares[-1]
    return [Word(word, float(times[i]), float(times[i + 1])) for i, word in enumerate(spoken)]


def _fitted(sound: Floats, seconds: float) -> Floats:
    """Cut or stretched by repeating nothing: a backchannel longer than wanted fades out at its end."""
    length = min(len(sound), int(seconds * SOUND_HZ))
    fade = np.ones(length)
    fade[-800:] = np.linspace(1, 0, 800)
    return sound[:length] * fade
