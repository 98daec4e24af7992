"""The conversation inside a session: messages in, speech and captions out, on the session's media clock.

Event names and shapes follow the Tavus app messages (`conversation.*`); our own start with `trustcore.`.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.brains.scripted import MAX_MESSAGE_CHARS, ScriptedBrain
from rendering.dialogue.seams import Line
from rendering.dialogue.tags import parse_tagged_text, without_tags
from rendering.engine.motion.life.prosody import of_sound
from rendering.engine.motion.mouth.features import RATE_HZ as HEARING_RATE_HZ
from rendering.protocol import EmotionSource, LeaseEvent
from rendering.speech.utterance import resample as to_rate
from rendering.worker.allowance import Allowance
from rendering.worker.audio import SoundLine, resample
from rendering.worker.stage import Shown, Stage
from trustcore.policy.clamp import DEFAULT_MILLI
from trustcore.primitives.clock import to_rfc3339, utc_now
from trustcore.primitives.errors import Fault

SPEECH_LEAD_S = 0.10  # the picture in which the lips begin to move must not be under way already
MAX_CHANNEL_MESSAGE_CHARS = 4096
MAX_TURNS_WAITING = 4
MAX_WORDS_AT_ONCE = 20  # messages of the data channel that may come together
KEPT_LINES = 40  # of what was said, for a page that is loaded again; one message of the data channel holds them
WORDS_A_SECOND = 4.0  # and how many a second after that: each may become an entry of the log


class Utterance(Protocol):
    """What a voice gives for one sentence."""

    @property
    def pcm(self) -> NDArray[np.int16]: ...  # [N]

    @property
    def rate_hz(self) -> int: ...

    @property
    def visemes(self) -> tuple[Any, ...]: ...  # empty when the voice does not say when its sounds begin


class Voice(Protocol):
    """A voice (`rendering.speech`)."""

    def say(self, text: str) -> Utterance: ...


@dataclass(frozen=True)
class _Turn:
    lines: tuple[Line, ...]
    emotion: str | None = None  # of the message that is answered; overrides the lines' own
    milli: int = 0

    def wish_of(self, line: Line) -> tuple[str, int, EmotionSource] | None:
        """Word, thousandths and source of the emotion for a line, or None to keep the face as it is."""
        if self.emotion:
            return self.emotion, self.milli, "message"
        return (line.emotion, line.milli, line.source) if line.emotion else None


class Talk:
    """One replica talking with one viewer.

    Args:
        media_now_s: the time on the session's media clock.
        emit: sends one event to the viewer.
        on_shown: told of every change of emotion, lowered or not.
        on_first_sound: told when the sound of an answer is laid, for the latency marks.
        on_sound_failed: told why an answer can only be read; the viewer is told by an event.
    """

    def __init__(
        self, *, brain: ScriptedBrain, voice: Voice, stage: Stage, line: SoundLine, executor: Executor,
        conversation_id: str, media_now_s: Callable[[], float], emit: Callable[[str], Any],
        on_shown: Callable[[Shown, float], None], on_first_sound: Callable[[], None] = lambda: None,
        on_sound_failed: Callable[[Fault], None] = lambda fault: None,
    ) -> None:
        self._brain = brain
        self._voice = voice
        self._stage = stage
        self._line = line
        self._executor = executor
        self._conversation_id = conversation_id
        self._media_now_s = media_now_s
        self._emit = emit
        self._on_shown = on_shown
        self._on_first_sound = on_first_sound
        self._on_sound_failed = on_sound_failed
        self._turns: asyncio.Queue[_Turn] = asyncio.Queue(MAX_TURNS_WAITING)
        self._turn_count = 0
        self._sequence = 0
        self._face: dict[str, Any] = {}  # properties of the last emotion event
        self._speaking: asyncio.Task[None] | None = None
        self._saying = 0  # which line of the turn is heard now
        self._told = 0  # how many of its lines were told
        self._interruptions = 0
        self._may_speak = asyncio.Event()
        self._may_speak.set()
        self._said: deque[dict[str, str]] = deque(maxlen=KEPT_LINES)
        self._words = Allowance(MAX_WORDS_AT_ONCE, WORDS_A_SECOND)

    async def run(self) -> None:
        """Say one turn after the other, until cancelled."""
        while True:
            rest: _Turn | None = await self._turns.get()
            begun = self._interruptions
            while rest is not None:
                await self._may_speak.wait()
                if self._interruptions != begun:
                    break
                rest = await self._speak(rest)

    async def _speak(self, turn: _Turn) -> _Turn | None:
        """Say a turn. What a pause cut off of it comes back."""
        self._saying = self._told = 0
        self._speaking = asyncio.create_task(self._say_turn(turn))
        try:
            await self._speaking
        except asyncio.CancelledError:
            # An interruption or a pause cancels the turn; the end of the session cancels this task itself.
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            if not self._may_speak.is_set():
                return replace(turn, lines=turn.lines[self._saying :])
        except Fault as error:
            # Without a voice the answer is still there to read.
            self.event("trustcore.sound_failed", {"code": error.code})
            self._on_sound_failed(error)
            for line in turn.lines[self._told :]:
                self._tell_said("replica", line.text)
        return None

    def pause(self) -> None:
        """The viewer is away: stop speaking within one frame. What was cut, and what waits, is said after `resume`."""
        self._may_speak.clear()
        self._hush()

    def resume(self) -> None:
        self._may_speak.set()

    def catch_up(self) -> None:
        """Tell a page that was loaded again what was said before."""
        self.event("trustcore.transcript", {"lines": list(self._said)})

    def greet(self) -> None:
        """The viewer's channel is open: say hello, and tell what the face has shown since before that."""
        if self._face:
            self.event("trustcore.emotion", self._face)
        self._enqueue(_Turn(self._brain.greeting()))

    def hear(self, text: str, emotion: str | None = None, milli: int | None = None) -> None:
        """A message of the viewer: answer it, showing `emotion` if one was asked for."""
        message = " ".join(text.split())[:MAX_MESSAGE_CHARS]
        if not message:
            return
        self._tell_said("user", message)
        self._enqueue(_Turn(self._brain.reply(message), emotion, DEFAULT_MILLI if milli is None else int(milli)))

    def echo(self, text: str) -> None:
        """Say these very words (Tavus `conversation.echo`)."""
        self._enqueue(_Turn(parse_tagged_text(text[:MAX_MESSAGE_CHARS])))

    def interrupt(self) -> None:
        """Stop speaking within one frame and forget what was about to be said."""
        while not self._turns.empty():
            self._turns.get_nowait()
        self._interruptions += 1
        self._hush()

    def _hush(self) -> None:
        now_s = self._media_now_s()
        if self._line.cut(now_s):
            self._stage.hush(now_s)
        if self._speaking is not None:
            self._speaking.cancel()

    def show(self, word: str, milli: int, source: EmotionSource = "message") -> None:
        """Change the face now, within the grant's limits."""
        self._show(word, milli, source, self._media_now_s())

    def on_control_event(self, event: LeaseEvent) -> None:
        """What control pushes into the conversation: a message, an emotion, an interruption."""
        body = event.body
        if event.kind == "message":
            self.hear(str(body.get("text") or ""), body.get("emotion"), body.get("milli"))
        elif event.kind == "emotion":
            self.show(str(body.get("emotion") or ""), int(body.get("milli") or 0))
        elif event.kind == "interrupt":
            self.interrupt()

    def on_channel_message(self, text: str) -> None:
        """One message of the viewer's data channel. What is not understood, too long or too fast is ignored."""
        if len(text) > MAX_CHANNEL_MESSAGE_CHARS or not self._words.take(self._media_now_s()):
            return
        try:
            act = self._asked_for(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return
        act()  # outside, so that a fault of ours is not taken for a message that makes no sense

    def _asked_for(self, message: Any) -> Callable[[], None]:
        """What one message wants. Raises all kinds of errors for what is none."""
        kind, properties = message["event_type"], message.get("properties") or {}
        if kind == "conversation.respond":
            wish, milli = properties.get("emotion"), properties.get("milli")
            return partial(
                self.hear, str(properties["text"]), None if wish is None else str(wish),
                None if milli is None else int(milli))
        if kind == "conversation.set_emotion":
            return partial(self.show, str(properties["emotion"]), int(properties.get("milli", DEFAULT_MILLI)))
        if kind == "conversation.interrupt":
            return self.interrupt
        raise KeyError(kind)

    def event(self, event_type: str, properties: dict[str, Any]) -> None:
        """Send one event to the viewer."""
        self._emit(self.event_text(event_type, properties))

    def event_text(self, event_type: str, properties: dict[str, Any]) -> str:
        """The next event as it travels on the data channel."""
        self._sequence += 1
        return json.dumps({
            "message_type": "trustcore" if event_type.startswith("trustcore.") else "conversation",
            "event_type": event_type, "conversation_id": self._conversation_id, "seq": self._sequence,
            "turn_idx": self._turn_count, "timestamp": to_rfc3339(utc_now()), "properties": properties,
        })

    def _tell_said(self, role: str, speech: str, **properties: Any) -> None:
        self._said.append({"role": role, "speech": speech})
        self.event("conversation.utterance", {"role": role, "speech": speech, **properties})

    def _enqueue(self, turn: _Turn) -> None:
        self._turn_count += 1
        # Whoever wrote the lines: a tag in them is neither spoken nor shown.
        spoken = [replace(line, text=without_tags(line.text)) for line in turn.lines]
        try:
            self._turns.put_nowait(replace(turn, lines=tuple(line for line in spoken if line.text)))
        except asyncio.QueueFull:
            self.event("trustcore.busy", {"text": "One thing at a time, please. Ask that again in a moment."})

    async def _say_turn(self, turn: _Turn) -> None:
        loop = asyncio.get_running_loop()
        started = False
        try:
            for number, line in enumerate(turn.lines):
                utterance = await loop.run_in_executor(self._executor, self._voice.say, line.text)
                samples = await loop.run_in_executor(self._executor, resample, utterance.pcm, utterance.rate_hz)
                spoken = await loop.run_in_executor(self._executor, of_sound, utterance.pcm, utterance.rate_hz)
                heard = None
                if not utterance.visemes:
                    heard = await loop.run_in_executor(self._executor, _hear, self._stage, utterance)
                start_s = self._line.lay(samples, self._media_now_s() + SPEECH_LEAD_S)
                if heard is None:
                    self._stage.say(utterance.visemes, start_s, spoken)
                else:
                    self._stage.follow(heard, start_s, spoken)
                if wish := turn.wish_of(line):
                    self._show(*wish, start_s)
                await asyncio.sleep(max(0.0, start_s - self._media_now_s()))
                if not started:
                    started = True
                    self._stage.listen(False, start_s)
                    self._on_first_sound()
                    self.event("conversation.started_speaking", {"role": "replica"})
                self._saying, self._told = number, number + 1
                self._tell_said("replica", line.text, media_time_s=round(start_s, 3))
                # The next sentence is prepared while this one still sounds.
                await asyncio.sleep(max(0.0, self._line.busy_until_s() - self._media_now_s() - 0.3))
            await asyncio.sleep(max(0.0, self._line.busy_until_s() - self._media_now_s()))
        finally:
            self._stage.listen(True, self._media_now_s())
            if started:
                is_cut = self._line.busy_until_s() > self._media_now_s() + 0.05
                self.event("conversation.stopped_speaking", {"role": "replica", "interrupted": is_cut})

    def _show(self, word: str, milli: int, source: EmotionSource, at_s: float) -> None:
        shown = self._stage.show(word, milli, at_s, source)
        self._face = {
            "emotion": shown.emotion, "shown_milli": shown.shown_milli, "word": shown.word, "asked": shown.asked,
            "asked_milli": shown.asked_milli, "clamped": shown.is_clamped, "limited_by": shown.limited_by,
            "source": shown.source, "media_time_s": round(at_s, 3)}
        self.event("trustcore.emotion", self._face)
        self._on_shown(shown, at_s)


def _hear(stage: Stage, utterance: Utterance) -> Any:
    pcm = to_rate(utterance.pcm, utterance.rate_hz, HEARING_RATE_HZ)
    return stage.hear((pcm / np.float32(32768)).astype(np.float32))
