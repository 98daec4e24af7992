"""A conversation with scripted ears, brain and voice, on the running loop's clock: what was said into it, what came."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rendering.dialogue.answer import BOUNDS, Bounds
from rendering.dialogue.flow import flow_settings
from rendering.dialogue.seams import HEARING_RATE_HZ, HOP_S, HOP_SAMPLES, Exchange, Heard, Hop, Line, Samples
from rendering.speech.utterance import Utterance, VisemeSpan
from rendering.worker.audio import RATE_HZ, SoundLine
from rendering.worker.stage import Stage
from rendering.worker.talk import Talk
from tests.common.still_face import StillFace

LOUD = 3000
SOFT = 150
Step = Callable[[], Any]


def hop(at_s: float, *, speaks: bool, level: int = LOUD) -> Hop:
    """20 ms of somebody, or of nobody."""
    pcm = np.full(HOP_SAMPLES, level if speaks else 0, np.int16)
    return Hop(pcm, at_s, 0.95 if speaks else 0.02)


class ScriptedEars:
    """Understands one text after the other, one for each utterance; partly so far as it was heard."""

    def __init__(self, *texts: str, words_a_second: float = 6.0) -> None:
        self.texts = list(texts)
        self.rate = words_a_second
        self.opened: list[ScriptedListening] = []
        self.before_finish: Callable[[], Any] = lambda: asyncio.sleep(0)
        self.is_mumbled = False  # nothing is understood before the end

    def listen(self, *, language: str, expected: Sequence[str] = ()) -> "ScriptedListening":
        self.opened.append(ScriptedListening(self, self.texts[0] if self.texts else ""))
        return self.opened[-1]

    def next(self) -> None:
        """What is said from now on is the next text."""
        self.texts.pop(0)

    async def warm_up(self, expected: Sequence[str] = ()) -> None:
        return

    @property
    def open_ones(self) -> list["ScriptedListening"]:
        return [one for one in self.opened if not one.is_over]


class ScriptedListening:
    def __init__(self, ears: ScriptedEars, text: str) -> None:
        self._ears, self._words = ears, text.split()
        self.samples = 0
        self.is_over = False

    def push(self, pcm: Samples) -> None:
        assert not self.is_over, "sound for an utterance that is over"
        self.samples += len(pcm)

    def partial(self) -> Heard:
        if self._ears.is_mumbled:
            return Heard("", False)
        heard_s = max(0.0, self.samples / HEARING_RATE_HZ - 0.4)
        return Heard(" ".join(self._words[: int(heard_s * self._ears.rate)]), False)

    async def finish(self) -> Heard:
        try:
            await self._ears.before_finish()
            return Heard(" ".join(self._words), True)
        finally:
            self.is_over = True

    def cancel(self) -> None:
        self.is_over = True


class ScriptedThinker:
    """A brain that answers "You said ...", clause by clause, and keeps what it was asked."""

    def __init__(self, clauses: int = 3) -> None:
        self.asked: list[Exchange] = []
        self.clauses = clauses
        self.running = 0
        self.before_clause: Callable[[int], Any] = lambda number: asyncio.sleep(0)

    def greeting(self) -> tuple[Line, ...]:
        return (Line("Hello. I am an AI replica."),)

    async def answer(self, exchange: Exchange) -> AsyncIterator[Line]:
        self.asked.append(exchange)
        self.running += 1
        try:
            for number in range(self.clauses):
                await self.before_clause(number)
                yield Line(f"You said {exchange.heard}, part {number} of it here.")
        finally:
            self.running -= 1

    async def warm_up(self) -> None:
        return


class ScriptedVoice:
    """Every text lasts `seconds`, in pieces."""

    def __init__(self, seconds: float = 0.6, pieces: int = 2) -> None:
        self.seconds, self.pieces = seconds, pieces
        self.spoken: list[str] = []
        self.speaking: list[str] = []
        self.before_piece: Callable[[str, int], Any] = lambda text, number: asyncio.sleep(0)

    async def speak(self, text: str, *, language: str) -> AsyncIterator[Utterance]:
        self.speaking.append(text)
        self.spoken.append(text)
        try:
            for number in range(self.pieces):
                await self.before_piece(text, number)
                seconds = self.seconds / self.pieces
                pcm = np.full(int(seconds * RATE_HZ), 1000, np.int16)
                yield Utterance(pcm, RATE_HZ, (), (VisemeSpan("aa", 0.0, seconds),))
        finally:
            self.speaking.remove(text)

    async def warm_up(self) -> None:
        return


@dataclass
class Face(StillFace):
    """Notes when it is told to close the mouth, and to nod."""

    hushed_at_s: list[float] = field(default_factory=list)
    nodded_at_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def stop(self, now_s: float) -> None:
        self.hushed_at_s.append(now_s)

    def nod(self, now_s: float) -> None:
        self.nodded_at_s.append(now_s)


class Room:
    """A talk, its viewer's microphone, and all that was told of it. Made on a running loop."""

    def __init__(
        self, *texts: str, flow: dict[str, Any] | None = None, clauses: int = 3, seconds: float = 0.6,
        bounds: Bounds = BOUNDS, face: Any = None, **more: Any,
    ) -> None:
        self.ears, self.brain = ScriptedEars(*texts), ScriptedThinker(clauses)
        self.voice, self.face, self.line = ScriptedVoice(seconds), face or Face(), SoundLine()
        self.told: list[dict[str, Any]] = []
        self.faults: list[Any] = []
        self.marks: list[tuple[int, str, float]] = []
        loop = asyncio.get_running_loop()
        self._begin_s = loop.time()
        self._loop = loop
        self._executor = ThreadPoolExecutor(1)
        self.talk = Talk(
            brain=self.brain, voice=self.voice, stage=Stage(self.face, {}), line=self.line, executor=self._executor,
            conversation_id="c1", media_now_s=self.now_s, emit=lambda text: self.told.append(json.loads(text)),
            on_shown=lambda *_: None, on_fault=self.faults.append, ears=self.ears, observer=self,
            flow=flow_settings({"turn_taking_patience": "low", **(flow or {})}), bounds=bounds, **more)
        self.running = asyncio.create_task(self.talk.run())

    def mark(self, turn: int, name: str, at_s: float) -> None:
        self.marks.append((turn, name, at_s))

    def trouble(self, part: str, trouble: str, at_s: float) -> None:
        self.marks.append((0, f"{part} {trouble}", at_s))

    def now_s(self) -> float:
        return self._loop.time() - self._begin_s

    async def hear(self, seconds: float, *, speaks: bool, level: int = LOUD) -> None:
        """The microphone for so long."""
        for _ in range(round(seconds / HOP_S)):
            self.talk.heard(hop(self.now_s(), speaks=speaks, level=level))
            await asyncio.sleep(HOP_S)

    async def silence_until(self, is_true: Callable[[], Any], seconds: float = 8.0) -> None:
        """Silence on the microphone until something is so."""
        end_s = self.now_s() + seconds
        while not is_true():
            assert self.now_s() < end_s, (self.events(), self.faults)
            await self.hear(HOP_S, speaks=False)

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        return [one["properties"] | {"kind": one["event_type"]} for one in self.told if kind in one["event_type"]]

    def said(self, role: str = "replica") -> list[str]:
        return [one["properties"]["speech"] for one in self.told
                if one["event_type"] == "conversation.utterance" and one["properties"]["role"] == role]

    def is_quiet(self) -> bool:
        """Whether nothing of the replica is heard from now on, but for what is laid later."""
        return self.line.busy_until_s() <= self.now_s() + 0.01

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        self._executor.shutdown(wait=False)
