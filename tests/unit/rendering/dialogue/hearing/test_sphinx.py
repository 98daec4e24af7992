"""The embedded ears: the real recogniser in its process, on the voice of flite."""

import asyncio
import shutil
import signal

import numpy as np
import pytest

from rendering.dialogue.answer import BOUNDS
from rendering.dialogue.hearing import sphinx
from rendering.dialogue.hearing.expected import sentences_for
from rendering.dialogue.hearing.sphinx import SphinxEars
from rendering.dialogue.seams import Heard, PartFailed
from rendering.speech.voices import FliteVoice

pytestmark = pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")
PERSONA = {"context": "Q: What happened to my claim?\nA: It is settled.\nQ: Where is your office?\nA: In Guwahati."}


def spoken(text: str) -> np.ndarray:
    """A fifth of a second of silence, the words, and as much again."""
    silence = np.zeros(3200, np.int16)
    return np.concatenate((silence, FliteVoice().say(text).pcm, silence))


async def hear(ears: SphinxEars, text: str, expected: tuple[str, ...]) -> tuple[Heard, Heard]:
    """The last partial before the end, and the final."""
    listening = ears.listen(language="en", expected=expected)
    pcm = spoken(text)
    for at in range(0, len(pcm), 320):
        listening.push(pcm[at : at + 320])
    for _ in range(200):  # it comes faster than speech here, and the machine may be busy
        await asyncio.sleep(0.05)
        if len(listening.partial().text.split()) >= max(1, len(text.split()) - 1):
            break
    partial = listening.partial()
    return partial, await listening.finish()


async def test_it_understands_what_a_viewer_is_likely_to_say() -> None:
    ears = SphinxEars()
    try:
        await ears.warm_up()
        expected = sentences_for(PERSONA)
        partial, final = await hear(ears, "What happened to my claim?", expected)
        assert final.text == "what happened to my claim" and final.is_final and 0.5 < final.confidence <= 1
        assert not partial.is_final and partial.text.startswith("what happened")
        _, other = await hear(ears, "Where is your office?", expected)
        assert other.text == "where is your office"
    finally:
        ears.close()


async def test_what_is_about_something_else_is_not_understood_rather_than_misunderstood() -> None:
    ears = SphinxEars()
    try:
        _, final = await hear(ears, "Who won the football match yesterday?", sentences_for(PERSONA))
        assert final.text == "" and final.is_final and final.confidence < 0.5
    finally:
        ears.close()


async def test_what_was_made_ready_before_is_heard_like_any_other() -> None:
    ears = SphinxEars()
    try:
        ears.expect(language="bn", expected=("where is your office",))
        assert ears._process is None
        ears.expect(language="en-IN", expected=("where is your office",))
        _, final = await hear(ears, "Where is your office?", ("where is your office",))
        assert final.text == "where is your office"
    finally:
        ears.close()


async def test_words_that_no_dictionary_has_are_learned_from_the_voice() -> None:
    ears = SphinxEars()
    try:
        _, final = await hear(ears, "Where is Guwahati?", ("where is guwahati",))
        assert final.text == "where is guwahati"
    finally:
        ears.close()


async def test_another_language_is_refused_in_words() -> None:
    with pytest.raises(PartFailed) as refused:
        SphinxEars().listen(language="bn")
    assert refused.value.facts == {"part": "ears", "trouble": "missing", "language": "bn"}


async def test_a_process_that_dies_or_hangs_is_a_fault_and_the_next_utterance_has_another() -> None:
    ears = SphinxEars()
    try:
        await ears.warm_up()
        listening = ears.listen(language="en", expected=("hello",))
        assert ears._process is not None
        ears._process._program.kill()
        with pytest.raises(PartFailed) as died:
            await listening.finish()
        assert died.value.facts["trouble"] == "broken"
        await ears.warm_up()
        listening = ears.listen(language="en", expected=("hello",))
        ears._process._program.send_signal(signal.SIGSTOP)
        with pytest.raises(PartFailed) as hung:
            await listening.finish()
        assert hung.value.facts["trouble"] == "stalled"
        await ears.warm_up()
        ears._process._program.send_signal(signal.SIGSTOP)
        for _ in range(3):  # nobody asks for the last word, and the sound must not pile up
            listening = ears.listen(language="en", expected=("hello",))
            for _ in range(1900):
                listening.push(np.zeros(320, np.int16))
        assert not ears._process.is_alive
        _, final = await hear(ears, "Hello.", ("hello",))
        assert final.text == "hello"
    finally:
        ears.close()


async def test_a_process_that_hangs_is_ended_before_the_conversation_gives_up() -> None:
    ears = SphinxEars()
    try:
        await ears.warm_up()
        hung = ears._process
        assert hung is not None
        listening = ears.listen(language="en", expected=("hello",))
        hung._program.send_signal(signal.SIGSTOP)
        with pytest.raises(PartFailed):
            async with asyncio.timeout(BOUNDS.ears_s):
                await listening.finish()
        assert not hung.is_alive
        ears.listen(language="en", expected=("hello",))
        assert ears._process is not hung
    finally:
        ears.close()


async def test_what_was_cancelled_says_nothing_more_and_what_is_too_long_is_not_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sphinx, "FINISH_WITHIN_S", 20.0)  # 40 s come at once here, and not in their own time
    ears = SphinxEars()
    try:
        first = ears.listen(language="en", expected=("hello",))
        first.push(spoken("Hello."))
        first.cancel()
        second = ears.listen(language="en", expected=("hello",))
        for _ in range(50):
            second.push(np.zeros(16_000, np.int16))
        assert second._room == 0
        assert (await second.finish()).text == "" and first.partial().text == ""
    finally:
        ears.close()
