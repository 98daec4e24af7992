"""Rows as a turn-taker hears them: levels, pitch and speech of every hop, then the features of every hop in a pause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.seams import HOP_S, HOP_SAMPLES
from rendering.dialogue.turns.features import Speaker, Turn
from rendering.dialogue.turns.hearing import Hearing, LevelVoice, Sound
from rendering.training.turns.scene import Row, Word

Floats = NDArray[np.float64]

NO_WORDS_SHARE, WRONG_WORD_SHARE = 0.25, 0.08
LAGS_S = (0.0, 0.6)  # of one recogniser; the same for a speaker's turns
WRONG_WORDS = ("table", "light", "green", "seven", "paper", "on", "the", "river", "later", "what", "him", "ago")


@dataclass(frozen=True)
class HeardRow:
    """One row, a value for each hop. `speech` by the network's detector, `by_level` by level and pitch."""

    row: Row
    sounds: tuple[Sound, ...]
    speech: Floats
    by_level: Floats


@dataclass(frozen=True)
class Moments:
    """Every hop in a pause. [N] each, [N, F] features.

    `span`: which silence of all. `silence_s`: true silence so far. `on_in_s`: until the speaker goes on; infinite at
    the end of a turn. `length_s`: of the whole silence, infinite at the end.
    """

    features: Floats
    span: NDArray[np.int64]
    silence_s: Floats
    on_in_s: Floats
    length_s: Floats
    boundary: NDArray[np.str_]

    @property
    def is_end(self) -> NDArray[np.bool_]:
        """[N] true where the silence is the end of the turn."""
        return np.isinf(self.length_s)


def hear(rows: Iterable[Row], detect: Any) -> Iterator[HeardRow]:
    """Hear each row.

    Args:
        detect: gives [hops] how likely each hop is speech from [N] int16 at 16 kHz, causally.
    """
    for row in rows:
        count = len(row.pcm) // HOP_SAMPLES
        hops = row.pcm[: count * HOP_SAMPLES].reshape(count, HOP_SAMPLES)
        hearing, level_voice = Hearing(), LevelVoice()
        sounds = tuple(hearing.push(hop) for hop in hops)
        by_level = np.array([level_voice.push(sound) for sound in sounds])
        yield HeardRow(row, sounds, detect(row.pcm)[:count], by_level)


def moments(
    heard: Sequence[HeardRow], draw: np.random.Generator | None = None, lag_s: float = 0.5, has_words: bool = True,
    each: int = 1,
) -> Moments:
    """The features at every hop of every silence.

    Args:
        draw: vary the words' lag, their errors, their absence and the detector of speech, as training wants. None
            takes the given lag, right words and the network's detector.
        lag_s: after the end of a word, when it is understood.
        has_words: False hears without a recogniser.
        each: only every so many hops, as training wants: neighbours are nearly alike.
    """
    parts: list[tuple[Any, ...]] = []
    speaker = Speaker()
    for number, one in enumerate(heard):
        if one.row.is_first_of_speaker:
            speaker = Speaker()
            lag_s = lag_s if draw is None else float(draw.uniform(*LAGS_S))
        parts += _moments_of(one, speaker, number, draw, lag_s, has_words, each)
    features, span, silence_s, on_in_s, length_s, boundary = zip(*parts, strict=True)
    return Moments(
        np.array(features), np.array(span), np.array(silence_s), np.array(on_in_s), np.array(length_s),
        np.array(boundary),
    )  # fmt: skip


def _moments_of(
    one: HeardRow, speaker: Speaker, number: int, draw: np.random.Generator | None, lag_s: float, has_words: bool,
    each: int,
) -> Iterator[tuple[Any, ...]]:
    row = one.row
    speech, words = one.speech, row.words if has_words else ()
    if draw is not None:
        speech = one.speech if draw.random() < 0.6 else one.by_level
        words = _misheard(words, draw) if draw.random() > NO_WORDS_SHARE else ()
    turn = Turn(speaker)
    turn.begin(row.asked)
    begins = int((row.turn_start_s - 0.3) / HOP_S)
    spans = list(enumerate(row.silence_spans))
    for hop, sound in enumerate(one.sounds):
        at_s = (hop + 1) * HOP_S
        if hop == begins and not row.barges_in:
            turn.begin(row.asked)
        turn.push(sound, float(speech[hop]), said_by(words, at_s - lag_s))
        if spans and at_s > spans[0][1][1] and len(spans) > 1:
            spans.pop(0)
        index, (start_s, end_s) = spans[0]
        if hop % each or not start_s < at_s <= end_s:
            continue
        is_end = index == len(row.silence_spans) - 1
        yield (
            turn.features(), number * 100 + index, at_s - start_s, np.inf if is_end else end_s - at_s,
            np.inf if is_end else end_s - start_s, row.boundaries[index],
        )  # fmt: skip


def said_by(words: Sequence[Word], at_s: float) -> str:
    """The words that ended by then."""
    return " ".join(word.word for word in words if word.end <= at_s)


def _misheard(words: Sequence[Word], draw: np.random.Generator) -> tuple[Word, ...]:
    return tuple(
        Word(WRONG_WORDS[int(draw.integers(len(WRONG_WORDS)))], word.start, word.end)
        if draw.random() < WRONG_WORD_SHARE else word
        for word in words
    )  # fmt: skip
