"""The embedded voices as a streaming voice: clause by clause, without the silence that voices begin with."""

import asyncio
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rendering.dialogue.seams import PartFailed
from rendering.dialogue.voices.embedded import LEAD_SILENCE_S, PAUSE_AFTER_S, EmbeddedVoice
from rendering.speech import Utterance, VoiceFault, pick_voice
from rendering.speech.utterance import without_silence

TEXT = "Your claim reached us on Friday, and the payment takes five working days."


def said(voice: EmbeddedVoice, text: str, language: str = "en") -> list[Utterance]:
    async def story() -> list[Utterance]:
        return [piece async for piece in voice.speak(text, language=language)]

    return asyncio.run(story())


@pytest.mark.parametrize(("language", "text", "count"), [
    ("en", TEXT, 2), ("hi", "नमस्ते। आप कैसे हैं?", 2), ("as", "আপোনাৰ দাবী পাইছো।", 1),
])  # fmt: skip
def test_each_clause_is_a_piece_that_begins_with_sound(language: str, text: str, count: int) -> None:
    if language == "en" and shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    pieces = said(EmbeddedVoice(ThreadPoolExecutor(1)), text, language)
    assert len(pieces) == count
    for piece in pieces:
        first = next(span for span in piece.visemes if span.viseme != "sil")
        assert first.start_s == pytest.approx(LEAD_SILENCE_S, abs=0.002) or piece.visemes[0] == first
        assert piece.visemes[0].start_s == 0.0 and piece.visemes[-1].end_s == pytest.approx(piece.seconds, abs=0.002)
        assert np.abs(piece.pcm[: piece.rate_hz // 2].astype(int)).max() > 1000


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_only_silence_is_taken_away() -> None:
    whole = pick_voice().say("Hello there.")
    cut = without_silence(whole, lead_s=LEAD_SILENCE_S, tail_s=PAUSE_AFTER_S)
    lead = round((next(s for s in whole.visemes if s.viseme != "sil").start_s - LEAD_SILENCE_S) * whole.rate_hz)
    assert lead > 0.1 * whole.rate_hz and np.array_equal(whole.pcm[lead : lead + len(cut.pcm)], cut.pcm)
    assert np.abs(whole.pcm[:lead].astype(int)).max() < 0.02 * np.abs(whole.pcm.astype(int)).max()
    silent = Utterance(whole.pcm, whole.rate_hz, (), ())
    assert without_silence(silent, lead_s=0, tail_s=0) is silent


class Failing:
    name, language = "failing", "en"

    def __init__(self, cause: str) -> None:
        self.cause = cause

    def say(self, text: str) -> Utterance:
        raise VoiceFault("The voice program did not answer.", cause=self.cause)


@pytest.mark.parametrize(("cause", "trouble"), [("FileNotFoundError", "missing"), ("TimeoutExpired", "broken")])
def test_a_voice_that_fails_says_which_trouble_it_is(cause: str, trouble: str) -> None:
    with pytest.raises(PartFailed) as failed:
        said(EmbeddedVoice(ThreadPoolExecutor(1), pick=lambda language: Failing(cause)), "Hello.")
    assert failed.value.facts == {"part": "voice", "trouble": trouble}


def test_the_voice_works_in_the_thread_it_was_given() -> None:
    threads: list[str] = []

    class Noted:
        name, language = "noted", "en"

        def say(self, text: str) -> Utterance:
            threads.append(threading.current_thread().name)
            return Utterance(np.zeros(10, np.int16), 16_000, (), ())

    said(EmbeddedVoice(ThreadPoolExecutor(1, "speech"), pick=lambda language: Noted()), TEXT)
    assert threads == ["speech_0", "speech_0"]
