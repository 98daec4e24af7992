"""A voice that gives sound and no times still moves the lips; one with times is followed exactly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.engine.motion.mouth.hearing import Heard, hear
from rendering.engine.motion.mouth.spoken import SpokenMouth
from rendering.engine.motion.visemes import CLOSURE, MOUTH
from rendering.motion_models import motion_releases, mouth_models
from rendering.speech import Utterance
from rendering.speech.voices import EspeakVoice
from rendering.worker.audio import SoundLine
from rendering.worker.stage import Stage
from rendering.worker.talk import Talk
from tests.common.mouths import shipped_models

TEXT = "My mother may bring more maps."


class TimelessVoice:
    """A voice that keeps the times of its sounds to itself."""

    def __init__(self) -> None:
        self._voice = EspeakVoice("en-us")

    def say(self, text: str) -> Utterance:
        spoken = self._voice.say(text)
        return Utterance(spoken.pcm, spoken.rate_hz, (), ())


class OnlyMouth:
    """A performer without a replica: the real mouth of a session, and nothing else."""

    def __init__(self) -> None:
        models = mouth_models()
        self.mouth = SpokenMouth(models.motion if models else None)
        self.followed: list[float] = []
        self.said: list[float] = []

    life_facts: Mapping[str, Any] = {}

    def say(self, visemes: Sequence[Any], start_s: float, spoken: np.ndarray | None = None) -> None:
        self.said.append(start_s)
        self.mouth.add(visemes, start_s)

    def hear(self, samples: np.ndarray) -> Heard:
        models = mouth_models()
        return hear(models.recogniser if models else None, samples, has_motion_model=models is not None)

    def follow(self, heard: Heard, start_s: float, spoken: np.ndarray | None = None) -> None:
        self.followed.append(start_s)
        self.mouth.follow(heard, start_s)

    def stop(self, now_s: float) -> None:
        self.mouth.cut(now_s)

    def set_emotion(self, name: str, milli: int, now_s: float) -> None:
        self.mouth.feel(name, milli, now_s)

    def set_listening(self, is_listening: bool, now_s: float) -> None:
        return

    def state_at(self, t_s: float) -> np.ndarray:
        return self.mouth.at(t_s)


async def speak(voice: Any, performer: OnlyMouth) -> None:
    """Let a conversation say TEXT with this voice."""
    with ThreadPoolExecutor(1) as executor:
        talk = Talk(
            brain=ScriptedBrain({}, "Asha"), voice=voice, stage=Stage(performer, {}), line=SoundLine(),
            executor=executor, conversation_id="c1", media_now_s=lambda: 0.0, emit=lambda event: None,
            on_shown=lambda shown, at_s: None,
        )  # fmt: skip
        talk.echo(TEXT)
        running = asyncio.create_task(talk.run())
        for _ in range(400):
            if performer.followed or performer.said:
                break
            await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_voice_without_times_is_followed_by_ear() -> None:
    performer = OnlyMouth()
    await speak(TimelessVoice(), performer)
    assert (len(performer.followed), performer.said) == (1, [])
    start_s = performer.followed[0]
    jaw = [performer.state_at(start_s + t)[MOUTH.index("jaw")] for t in np.arange(0.1, 1.8, 0.03)]
    assert max(jaw) > 0.2
    performer.stop(start_s + 0.6)
    assert performer.state_at(start_s + 1.2)[MOUTH.index("jaw")] < 0.1


async def test_heard_lips_close_where_exact_ones_do() -> None:
    shipped_models()
    heard, exact = OnlyMouth(), OnlyMouth()
    await speak(TimelessVoice(), heard)
    await speak(EspeakVoice("en-us"), exact)
    assert exact.said and not exact.followed
    times_s = np.arange(0.0, 2.0, 0.01)
    rows = [
        np.stack([p.state_at(start_s + t) for t in times_s])
        for p, start_s in ((heard, heard.followed[0]), (exact, exact.said[0]))
    ]
    assert np.corrcoef(rows[0][:, CLOSURE], rows[1][:, CLOSURE])[0, 1] > 0.6


def test_what_moves_the_mouth_is_named_for_the_record() -> None:
    for release in motion_releases():
        assert set(release) == {"name", "release", "sha256"}
        assert len(release["sha256"]) == 64
    if mouth_models() is None:
        pytest.skip("no models of the mouth are installed")
    assert motion_releases()[0]["name"] == "mouth"
