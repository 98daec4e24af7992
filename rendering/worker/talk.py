"""The conversation inside a session: what viewer and control send, the microphone, and what is answered.

    microphone -> conductor -> floor, words, answer \\
    messages   ------------------------------------- > speaker -> sound line, lips, events

Event names and shapes follow the Tavus app messages (`conversation.*`); our own start with `trustcore.`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any

from rendering.dialogue.answer import BOUNDS, Bounds
from rendering.dialogue.brains.scripted import MAX_MESSAGE_CHARS
from rendering.dialogue.conductor import Conductor, Listeners
from rendering.dialogue.flow import DEFAULT_FLOW
from rendering.dialogue.seams import (
    Brain,
    Ears,
    Exchange,
    FlowSettings,
    Hop,
    Line,
    MarkName,
    Observer,
    Part,
    PartFailed,
    StreamingVoice,
    ToolCall,
    Trouble,
    TurnTaker,
)
from rendering.dialogue.tags import parse_tagged_text
from rendering.dialogue.tool_calls import CallingBrain
from rendering.dialogue.turns.edge import MOST_A_SECOND, EdgeHints, is_hint
from rendering.protocol import EmotionSource, LeaseEvent
from rendering.worker.allowance import Allowance
from rendering.worker.app_events import AppEvents
from rendering.worker.audio import SoundLine
from rendering.worker.pronouncing import Pronouncer, Voice
from rendering.worker.speaking import Speaker
from rendering.worker.speech import Speech, SpeechListeners
from rendering.worker.stage import Shown, Stage
from trustcore.policy.clamp import DEFAULT_MILLI
from trustcore.primitives.errors import Fault

MAX_CHANNEL_MESSAGE_CHARS = 4096
TOOL_WITHIN_S = 20.0  # for an app to answer a tool call; then the replica says that it could not
MAX_WORDS_AT_ONCE = 20  # messages of the data channel that may come together
WORDS_A_SECOND = 4.0  # and how many a second after that: each may become an entry of the log
TROUBLES_AT_ONCE, TROUBLES_A_SECOND = 10, 0.2  # told: a part that is down fails at every turn


class NoMarks:
    """An observer that keeps nothing."""

    def mark(self, turn: int, name: MarkName, at_s: float) -> None:
        return

    def trouble(self, part: Part, trouble: Trouble, at_s: float) -> None:
        return


async def nothing_to_close() -> None:
    return


class Talk:
    """One replica talking with one viewer.

    Args:
        media_now_s: the time on the session's media clock.
        emit: sends one event to the viewer.
        on_shown: told of every change of emotion, lowered or not.
        on_first_sound: told when the sound of an answer is laid, for the latency marks.
        on_fault: told which part failed and how; the viewer is told by an event.
        ears: without them the viewer can only write.
        turn_taker: without one, silence decides.
        notes: what perception saw, in plain words; empty where it may not look.
        tool_within_s: how long the app may take to answer a tool call.
        ask_app: tells the app of a tool call itself; gives its answer, or None where that will come by the API.
        close_parts: lets go of what the parts hold, when the session ends.
    """

    def __init__(
        self, *, brain: Brain, voice: Voice | StreamingVoice, stage: Stage, line: SoundLine,
        executor: Executor, conversation_id: str, media_now_s: Callable[[], float], emit: Callable[[str], Any],
        on_shown: Callable[[Shown, float], None], on_first_sound: Callable[[], None] = lambda: None,
        on_fault: Callable[[Fault], None] = lambda fault: None, language: str = "en",
        flow: FlowSettings = DEFAULT_FLOW, ears: Ears | None = None, turn_taker: TurnTaker | None = None,
        observer: Observer | None = None, notes: Callable[[], Sequence[str]] = tuple, expected: Sequence[str] = (),
        bounds: Bounds = BOUNDS, close_parts: Callable[[], Awaitable[None]] = nothing_to_close,
        tool_within_s: float = TOOL_WITHIN_S, ask_app: Callable[[ToolCall], Awaitable[str | None]] | None = None,
    ) -> None:
        self._brain = CallingBrain(brain)
        self._called: dict[str, asyncio.TimerHandle] = {}  # tools, by the call's id, until the app answers
        self._ask_app = ask_app
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._close_parts = close_parts
        self._tool_within_s = tool_within_s
        self._stage = stage
        self._language = language
        self._media_now_s = media_now_s
        self._on_shown = on_shown
        self._on_fault = on_fault
        self._observer = observer or NoMarks()
        self._notes = notes
        self._events = AppEvents(conversation_id, emit)
        self._face: dict[str, Any] = {}  # properties of the last emotion event
        self._is_greeted = False
        self._words = Allowance(MAX_WORDS_AT_ONCE, WORDS_A_SECOND)
        self._hints = EdgeHints()
        self._read_hints = Allowance(MOST_A_SECOND, MOST_A_SECOND)  # of their own: ten a second would eat up the words'
        self._troubles = Allowance(TROUBLES_AT_ONCE, TROUBLES_A_SECOND)
        self._speaker = Speaker(
            pronouncer=Pronouncer(voice, stage, executor, language), stage=stage, line=line, events=self._events,
            language=language, media_now_s=media_now_s, bounds=bounds,
            tell=SpeechListeners(self._show, on_first_sound, self._note_fault, self._observer.mark, self._note_call))
        self._conductor: Conductor | None = None
        if ears is not None:
            self._conductor = Conductor(
                ears=ears, brain=self._brain, flow=flow, mouth=self._speaker, language=language, now_s=media_now_s,
                turn_taker=turn_taker, expected=expected, bounds=bounds,
                tell=Listeners(self.event, self._speaker.user_said, self._note_fault, self._observer, notes))

    @property
    def hinted(self) -> int:
        """Moments in pauses that were decided with a hint of the viewer's page."""
        return 0 if self._conductor is None else self._conductor.hinted

    async def run(self) -> None:
        """Speak and listen, until cancelled."""
        if self._conductor is None:
            await self._speaker.run()
            return
        try:
            await self._speaker.run()
        finally:
            await self._conductor.close()

    async def close(self) -> None:
        """Let go of the parts, whether it ever ran or not."""
        self._forget_calls()
        await self._close_parts()

    def heard(self, hop: Hop) -> None:
        """Take 20 ms of the viewer's microphone. Called on the event loop; never waits."""
        if self._conductor is not None:
            hint = self._hints.for_hop()
            self._conductor.heard(hop if hint is None else replace(hop, edge_end=hint))

    def pause(self) -> None:
        """The viewer is away: stop speaking within one frame. What was cut, and what waits, is said after `resume`."""
        self._forget_floor()
        self._speaker.pause()

    def resume(self) -> None:
        self._speaker.resume()

    def catch_up(self) -> None:
        """Tell a page that was loaded again what was said before."""
        self.event("trustcore.transcript", {"lines": self._speaker.transcript()})

    def meet(self) -> None:
        """The viewer's channel is open: say hello, or go on where the page that was loaded again left off."""
        if self._is_greeted:
            self.catch_up()
            self.resume()
        else:
            self._is_greeted = True
            self.greet()

    def greet(self) -> None:
        """Say hello, and tell what the face has shown since before that."""
        if self._face:
            self.event("trustcore.emotion", self._face)
        self.say(self._brain.greeting(), is_greeting=True)

    def say(self, lines: Sequence[Line], *, is_greeting: bool = False) -> None:
        """Say these clauses after whatever is being said."""
        self._speaker.say(Speech.of(lines, is_greeting=is_greeting))

    def hear(self, text: str, emotion: str | None = None, milli: int | None = None) -> None:
        """A message of the viewer: answer it, showing `emotion` if one was asked for."""
        message = " ".join(text.split())[:MAX_MESSAGE_CHARS]
        if not message:
            return
        if self._conductor is not None:
            self._conductor.touch()
        exchange = Exchange(message, tuple(self._speaker.history()), tuple(self._notes()), self._language)
        self._speaker.user_said(message)
        self._speaker.say(Speech(
            lambda: self._brain.answer(exchange), emotion=emotion,
            milli=DEFAULT_MILLI if milli is None else int(milli)))

    def echo(self, text: str) -> None:
        """Say these very words (Tavus `conversation.echo`)."""
        self.say(parse_tagged_text(text[:MAX_MESSAGE_CHARS]))

    def interrupt(self) -> None:
        """Stop speaking within one frame and forget what was about to be said."""
        self._forget_floor()
        self._forget_calls()
        self._speaker.interrupt()

    def tool_result(self, call_id: str, content: str) -> None:
        """The app's answer to a tool call. One that was not asked for, comes too late or twice is nobody's."""
        waiting = self._called.pop(call_id, None)
        if waiting is None:
            return
        waiting.cancel()
        self._stop_asking(call_id)
        if (exchange := self._brain.answered(call_id, content)) is not None:
            self._speaker.say(Speech(lambda: self._brain.answer(exchange)))

    def _note_call(self, call: ToolCall) -> None:
        loop = asyncio.get_running_loop()
        self._called[call.call_id] = loop.call_later(
            self._tool_within_s, self._give_up, call.call_id,
            PartFailed("The app did not answer a tool call.", part="brain", trouble="stalled"))
        if self._ask_app is not None:
            self._asking[call.call_id] = asyncio.create_task(self._ask(call, self._ask_app))

    async def _ask(self, call: ToolCall, ask_app: Callable[[ToolCall], Awaitable[str | None]]) -> None:
        try:
            content = await ask_app(call)
        except Fault as fault:
            self._asking.pop(call.call_id, None)
            self._give_up(call.call_id, fault)
            return
        self._asking.pop(call.call_id, None)
        if content is not None:
            self.tool_result(call.call_id, content)

    def _give_up(self, call_id: str, fault: Fault) -> None:
        """The app is silent: the viewer is not left waiting. Other calls of the same answer are not waited for."""
        waiting = self._called.pop(call_id, None)
        if waiting is None:
            return
        waiting.cancel()
        self._stop_asking(call_id)
        self._forget_calls()
        self._note_fault(fault)
        self._speaker.say_phrase("sorry")

    def _stop_asking(self, call_id: str) -> None:
        if (asking := self._asking.pop(call_id, None)) is not None:
            asking.cancel()

    def _forget_calls(self) -> None:
        for call_id, waiting in self._called.items():
            waiting.cancel()
            self._stop_asking(call_id)
            self._brain.forget(call_id)
        self._called.clear()

    def _forget_floor(self) -> None:
        if self._conductor is not None:
            self._conductor.reset()

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
        elif event.kind == "tool_result":
            self.tool_result(str(body.get("tool_call_id") or ""), str(body.get("result") or ""))
        elif event.kind == "interrupt":
            self.interrupt()

    def on_channel_message(self, text: str) -> None:
        """One message of the viewer's data channel. What is not understood, too long or too fast is ignored."""
        now_s = self._media_now_s()
        if is_hint(text):  # never anything but a hint, whatever else it says
            if self._read_hints.take(now_s):
                self._hints.take_text(text, now_s)
            return
        if len(text) > MAX_CHANNEL_MESSAGE_CHARS or not self._words.take(now_s):
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
        self._events.send(event_type, properties)

    def event_text(self, event_type: str, properties: dict[str, Any]) -> str:
        """The next event as it travels on the data channel."""
        return self._events.text(event_type, properties)

    def _note_fault(self, fault: Fault) -> None:
        """A part failed: the viewer hears of it, and so does whoever runs this session."""
        part: Part = fault.facts.get("part") or "voice"
        trouble: Trouble = fault.facts.get("trouble") or "broken"
        self._observer.trouble(part, trouble, self._media_now_s())
        if not self._troubles.take(self._media_now_s()):
            return
        if part == "voice" and trouble != "slow_start":
            self.event("trustcore.sound_failed", {"code": fault.code})
        self.event("trustcore.part_failed", {"part": part, "trouble": trouble})
        self._on_fault(fault)

    def _show(self, word: str, milli: int, source: EmotionSource, at_s: float) -> None:
        shown = self._stage.show(word, milli, at_s, source)
        self._face = {
            "emotion": shown.emotion, "shown_milli": shown.shown_milli, "word": shown.word, "asked": shown.asked,
            "asked_milli": shown.asked_milli, "clamped": shown.is_clamped, "limited_by": shown.limited_by,
            "source": shown.source, "media_time_s": round(at_s, 3)}
        self.event("trustcore.emotion", self._face)
        self._on_shown(shown, at_s)
