"""From text to what can be laid on the sound line and followed by the lips, off the event loop."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.answer import BOUNDS, bounded
from rendering.dialogue.phrases import PHRASES, sentence
from rendering.dialogue.seams import StreamingVoice
from rendering.engine.motion.life.prosody import of_sound
from rendering.engine.motion.mouth.features import RATE_HZ as HEARING_RATE_HZ
from rendering.speech.utterance import resample as to_rate
from rendering.worker.audio import RATE_HZ, Samples, resample
from rendering.worker.stage import Stage
from trustcore.primitives.errors import Fault


class Utterance(Protocol):
    """What a voice gives for one sentence."""

    @property
    def pcm(self) -> NDArray[np.int16]: ...  # [N]

    @property
    def rate_hz(self) -> int: ...

    @property
    def visemes(self) -> tuple[Any, ...]: ...  # empty when the voice does not say when its sounds begin


class Voice(Protocol):
    """A voice that says a sentence at once (`rendering.speech`)."""

    def say(self, text: str) -> Utterance: ...


@dataclass(frozen=True)
class Spoken:
    """A piece of speech, ready to be laid."""

    samples: Samples  # [N] at 48 kHz
    visemes: tuple[Any, ...]
    heard: Any | None  # where the voice gives no visemes: what the lips follow
    prosody: NDArray[Any]  # [N, 4]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE_HZ


class Pronouncer:
    """A voice and all that is done with its sound before it is heard.

    Args:
        voice: one that streams (`StreamingVoice`), or one that says a sentence at once.
        executor: where what takes a while is done.
    """

    def __init__(self, voice: Voice | StreamingVoice, stage: Stage, executor: Executor, language: str) -> None:
        self._voice = voice
        self._stage = stage
        self._executor = executor
        self._language = language
        self._kept: Mapping[str, tuple[Spoken, ...]] = {}

    def phrase(self, text: str) -> tuple[Spoken, ...]:
        """A sentence that was prepared for the case that the voice fails; nothing when it was not."""
        return self._kept.get(text, ())

    async def keep_phrases(self) -> None:
        """Prepare the fixed sentences. One that the voice does not give is left out."""
        kept = {}
        for phrase in PHRASES:
            text = sentence(phrase, self._language)
            try:
                kept[text] = tuple([
                    piece async for piece in bounded(
                        self._pieces(text), "voice", BOUNDS.voice_first_s, BOUNDS.voice_next_s)])
            except Fault:
                continue
        self._kept = kept

    async def pronounce(self, text: str) -> AsyncIterator[Spoken]:
        """The pieces of `text` in order. Raises what the voice raises."""
        if kept := self._kept.get(text):
            for piece in kept:
                yield piece
            return
        pieces = self._pieces(text)
        try:
            async for piece in pieces:
                yield piece
        finally:
            await pieces.aclose()  # type: ignore[attr-defined]

    async def _pieces(self, text: str) -> AsyncIterator[Spoken]:
        loop = asyncio.get_running_loop()
        if not hasattr(self._voice, "speak"):
            utterance = await loop.run_in_executor(self._executor, self._voice.say, text)
            yield await loop.run_in_executor(self._executor, self._ready, utterance)
            return
        utterances = self._voice.speak(text, language=self._language)
        try:
            async for utterance in utterances:
                yield await loop.run_in_executor(self._executor, self._ready, utterance)
        finally:
            if close := getattr(utterances, "aclose", None):
                await close()

    def _ready(self, utterance: Utterance) -> Spoken:
        heard = None if utterance.visemes else _hear(self._stage, utterance)
        return Spoken(
            resample(utterance.pcm, utterance.rate_hz), utterance.visemes, heard,
            of_sound(utterance.pcm, utterance.rate_hz))


def _hear(stage: Stage, utterance: Utterance) -> Any:
    pcm = to_rate(utterance.pcm, utterance.rate_hz, HEARING_RATE_HZ)
    return stage.hear((pcm / np.float32(32768)).astype(np.float32))
