"""The listening half of a conversation: microphone in, floor decided, words understood, answer prepared and let go.

    hop -> Turn -> floor -> acts -> Ears, Brain, Voice -> the mouth

What the acts of `floor` say is done here, at once and in their order; whatever waits runs in tasks that are cancelled
with the turn they belong to. The mouth (`rendering.worker.talk`) speaks; it is told when to stop and what to say.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rendering.dialogue import phrases
from rendering.dialogue.answer import BOUNDS, Answer, Bounds, Thought
from rendering.dialogue.floor import Act, FloorMachine, Replica
from rendering.dialogue.seams import (
    EDGE_HINT,
    HOP_S,
    Brain,
    Ears,
    Exchange,
    Floor,
    FlowSettings,
    Heard,
    Hop,
    Listening,
    MarkName,
    Observer,
    PartFailed,
    Said,
    TurnTaker,
)
from rendering.dialogue.silence import SilenceTurnTaker
from rendering.dialogue.speech_edge import SpeechEdge
from trustcore.primitives.errors import Fault

PRE_ROLL_S = 0.4  # heard before speech was sure: the first sound of a word is soft
MAX_UTTERANCE_S = 30.0  # of sound understood at once; a longer one is understood in parts
MAX_WORDS_CHARS = 1000
PARTIAL_EVERY_S = 0.2
SURE_SPEECH_S = 0.8  # of speech without a word understood: that was somebody, so they are asked to say it again
PARDON_EVERY_S = 15.0
MOST_PARDONS = 2  # in a row: after that it is noise, or nothing that asking again would mend


class Mouth(Protocol):
    """The speaking half."""

    @property
    def replica(self) -> Replica:
        """What it does at this moment."""

    @property
    def last_sentence(self) -> str:
        """What the replica said last, "" before it said anything."""

    def history(self) -> Sequence[Said]:
        """What was said and heard so far."""

    def begin(self, lines: AsyncIterator[Thought], turn: int) -> Answer[Any]:
        """Gather an answer, unheard. `turn`: for its marks."""

    def commit(self, answer: Answer[Any], turn: int) -> None:
        """Let it be heard as soon as nothing else is."""

    def take_back(self, answer: Answer[Any]) -> None:
        """It is not wanted any more; nothing of it was heard."""

    def hold(self) -> None:
        """Fall silent within one frame and keep the rest."""

    def go_on(self) -> None:
        """Say what was held back, from the clause that was cut."""

    def let_go(self) -> None:
        """What was held back, or waits, will not be said."""

    def say_phrase(self, phrase: phrases.Phrase) -> None:
        """Say one of the fixed sentences."""

    def nod(self) -> None:
        """Show that the replica listens."""


@dataclass
class Listeners:
    """Who is told what. `event` sends one event to the viewer; `trouble` tells both sides of a part that failed."""

    event: Callable[[str, dict[str, Any]], None]
    user_said: Callable[[str], None]
    trouble: Callable[[Fault], None]
    observer: Observer
    notes: Callable[[], Sequence[str]] = tuple


@dataclass
class _Turn:
    """One turn of the viewer while it is open."""

    number: int
    begun_at_s: float
    listening: Listening | None
    pcm: list[np.ndarray] = field(default_factory=list)  # of the utterance at hand
    before: str = ""  # words of the parts before it
    words: str = ""  # so far
    told: str = ""
    told_at_s: float = 0.0
    answer: Answer[Any] | None = None
    understanding: int = 0  # counts the attempts; a late word of an earlier one is nobody's
    is_understood: bool = False
    is_let_go: bool = False  # the answer may be heard
    is_deaf: bool = False  # the ears failed


class Conductor:
    """Hears one viewer.

    Args:
        ears, turn_taker, brain: the parts. A turn taker that fails is replaced by silence.
        now_s: media time.
    """

    def __init__(
        self, *, ears: Ears, brain: Brain, flow: FlowSettings, mouth: Mouth, tell: Listeners, language: str,
        now_s: Callable[[], float], turn_taker: TurnTaker | None = None, expected: Sequence[str] = (),
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._ears, self._brain, self._flow, self._mouth, self._tell = ears, brain, flow, mouth, tell
        self._language = language
        self._now_s = now_s
        self._taker: TurnTaker = turn_taker or SilenceTurnTaker(flow.turn_taking_patience)
        self._expected = expected
        self._bounds = bounds
        self._floor = FloorMachine(flow)
        self._edge = SpeechEdge()
        self._before: deque[Hop] = deque(maxlen=round(PRE_ROLL_S / HOP_S))
        self._turn: _Turn | None = None
        self._count = 0
        self._voiced_at_s = 0.0
        self._pause_at_s: float | None = None
        self._pardon_at_s = -PARDON_EVERY_S
        self._pardons = 0
        self._is_deaf = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failure: BaseException | None = None
        self.hinted = 0  # hops of a pause that were decided with a hint of the viewer's page

    # --- what comes in ----------------------------------------------------------------------------------------------

    def heard(self, hop: Hop) -> None:
        """Take one hop of the microphone. Called on the event loop, fifty times a second; never waits."""
        if self._failure is not None:
            raise self._failure
        hop = self._edge.push(hop)
        replica = self._mouth.replica
        self._before.append(hop)
        self._listen_on(hop)
        words = self._turn.words if self._turn else ""
        floor = self._decide(hop, words, replica)
        self.hinted += EDGE_HINT in floor.why
        self._mark_pause()
        for act in self._floor.step(hop, floor, words, replica):
            self._do(act)
        if self._turn is not None and not self._floor.is_open:
            self._end_turn(take_back=False)

    def touch(self) -> None:
        """The viewer wrote something."""
        for act in self._floor.touch(self._now_s()):
            self._do(act)

    def reset(self) -> None:
        """Nobody has the floor: the viewer is away, or whatever was going on was interrupted."""
        self._end_turn(take_back=True)
        self._floor.reset()
        self._taker.reset()
        self._before.clear()

    async def close(self) -> None:
        """Let go of everything."""
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- one hop ----------------------------------------------------------------------------------------------------

    def _decide(self, hop: Hop, words: str, replica: Replica) -> Floor:
        is_speaking = replica.does == "sounding"
        try:
            return self._taker.push(hop, words=words, is_replica_speaking=is_speaking)
        except Fault as fault:
            self._tell.trouble(fault)
            self._taker = SilenceTurnTaker(self._flow.turn_taking_patience)
            return self._taker.push(hop, words=words, is_replica_speaking=is_speaking)

    def _mark_pause(self) -> None:
        """Where the viewer stopped, and when that was noticed."""
        if self._before[-1].speech >= 0.5:
            self._voiced_at_s, self._pause_at_s = self._before[-1].at_s, None
        elif self._pause_at_s is None:
            self._pause_at_s = self._now_s()

    def _listen_on(self, hop: Hop) -> None:
        turn = self._turn
        if turn is None or self._is_deaf:
            return
        turn.pcm.append(hop.pcm)
        if turn.answer is not None or turn.listening is None:
            return  # it is being understood; what comes now counts when they go on
        turn.listening.push(hop.pcm)
        if len(turn.pcm) * HOP_S >= MAX_UTTERANCE_S:
            self._close_part(turn)
            return
        turn.words = _joined(turn.before, turn.listening.partial().text)
        if turn.words != turn.told and hop.at_s - turn.told_at_s >= PARTIAL_EVERY_S:
            turn.told, turn.told_at_s = turn.words, hop.at_s
            self._tell_streaming(turn.words, final=False)

    def _tell_streaming(self, words: str, *, final: bool) -> None:
        self._tell.event("conversation.utterance.streaming", {
            "role": "user", "speech": words, "final": final, "is_interrupted": False, "content_index": 0})

    # --- acts -------------------------------------------------------------------------------------------------------

    def _do(self, act: Act) -> None:
        turn = self._turn
        if act == "begin":
            self._begin()
        elif act == "prepare" and turn is not None:
            self._prepare(turn)
        elif act == "discard" and turn is not None:
            self._discard(turn)
        elif act == "speak" and turn is not None:
            self._speak(turn)
        elif act == "forget":
            self._forget()
        elif act == "yield":
            self._mouth.hold()
        elif act == "resume":
            self._mouth.go_on()
        elif act == "let_go":
            self._mouth.let_go()
        elif act == "backchannel":
            self._mouth.nod()
        elif act == "nudge":
            self._mouth.say_phrase("nudge")

    def _begin(self) -> None:
        self._end_turn(take_back=False)
        self._count += 1
        first, now_s = self._before[0], self._before[-1].at_s
        self._turn = _Turn(self._count, first.at_s, None)
        self._turn.listening = self._open_ears()
        self._taker.reset(asked=self._mouth.last_sentence)
        self._turn.pcm = [hop.pcm for hop in self._before]
        if self._turn.listening is not None:
            self._turn.listening.push(np.concatenate(self._turn.pcm))
        self._tell.event("conversation.user.started_speaking", {"role": "user", "media_time_s": round(now_s, 3)})

    def _open_ears(self) -> Listening | None:
        """Begin an utterance. None when these ears never will: the viewer is told once, and can write."""
        if self._is_deaf:
            return None
        try:
            return self._ears.listen(language=self._language, expected=self._expected)
        except Fault as fault:
            self._tell.trouble(fault)
            self._is_deaf = True
            self._mouth.say_phrase("deaf")
            return None

    def _prepare(self, turn: _Turn) -> None:
        turn.understanding += 1
        turn.is_understood = False
        self._mark(turn, "user_stopped", self._voiced_at_s)
        self._mark(turn, "pause_noticed", self._pause_at_s or self._now_s())
        self._mark(turn, "prepare", self._now_s())
        turn.answer = self._mouth.begin(self._thought(turn, turn.understanding), turn.number)

    def _discard(self, turn: _Turn) -> None:
        """The viewer goes on: what was prepared is thrown away, and the whole turn is understood anew."""
        turn.understanding += 1
        turn.is_let_go = False
        if turn.answer is not None:
            self._mouth.take_back(turn.answer)
            turn.answer = None
        if turn.listening is not None:
            turn.listening.cancel()
        self._listen_again(turn)

    def _speak(self, turn: _Turn) -> None:
        if turn.answer is None:
            return
        self._mark(turn, "floor_taken", self._now_s())
        turn.is_let_go = True
        if turn.is_understood:
            self._tell_understood(turn)
        self._mouth.commit(turn.answer, turn.number)

    def _forget(self) -> None:
        """Sounds that asked for nothing. Who surely spoke and was not understood is asked to say it again."""
        turn, now_s = self._turn, self._now_s()
        self._end_turn(take_back=True)
        if turn is None or self._flow.wake_phrase or self._floor.is_held or self._mouth.replica.does != "silent":
            return
        was_speech = self._voiced_at_s - turn.begun_at_s - PRE_ROLL_S >= SURE_SPEECH_S and not turn.words
        if not was_speech and not turn.is_deaf:
            return
        if self._pardons < MOST_PARDONS and now_s - self._pardon_at_s >= PARDON_EVERY_S:
            self._pardon_at_s, self._pardons = now_s, self._pardons + 1
            self._mouth.say_phrase("pardon")

    def _end_turn(self, *, take_back: bool) -> None:
        turn, self._turn = self._turn, None
        if turn is None:
            return
        if turn.listening is not None and (take_back or not turn.is_let_go):
            turn.listening.cancel()
        if take_back and turn.answer is not None:
            self._mouth.take_back(turn.answer)
        self._tell.event("conversation.user.stopped_speaking", {
            "role": "user", "duration": round(max(0.0, self._voiced_at_s - turn.begun_at_s), 3)})

    # --- understanding ----------------------------------------------------------------------------------------------

    async def _thought(self, turn: _Turn, understanding: int) -> AsyncIterator[Thought]:
        """Words, then what the brain makes of them."""
        words = _joined(turn.before, (await self._last_word(turn)).text)[:MAX_WORDS_CHARS]
        if turn.understanding != understanding:
            return
        turn.words, turn.is_understood = words, True
        self._mark(turn, "words_final", self._now_s())
        if turn.is_let_go and words:
            self._tell_understood(turn)
        if turn is self._turn:
            for act in self._floor.understood(words):
                self._do(act)
        if not words or turn.understanding != understanding or (turn is not self._turn and not turn.is_let_go):
            return
        self._pardons = 0
        exchange = Exchange(words, tuple(self._mouth.history()), tuple(self._tell.notes()), self._language)
        thought = self._brain.answer(exchange)
        try:
            async for item in thought:
                yield item
        finally:
            await thought.aclose()  # type: ignore[attr-defined]

    async def _last_word(self, turn: _Turn) -> Heard:
        """What was said. Ears that fail leave what they had understood until then."""
        if turn.listening is None:
            return Heard("", True)
        so_far = turn.listening.partial().text
        try:
            async with asyncio.timeout(self._bounds.ears_s):
                return await turn.listening.finish()
        except TimeoutError:
            fault: Fault = PartFailed("The ears gave no words in time.", part="ears", trouble="stalled")
        except Fault as error:
            fault = error
        self._tell.trouble(fault)
        turn.is_deaf = True
        return Heard(so_far, True)

    def _tell_understood(self, turn: _Turn) -> None:
        self._tell_streaming(turn.words, final=True)
        self._tell.user_said(turn.words)

    def _close_part(self, turn: _Turn) -> None:
        """A very long utterance is understood in parts, so that neither sound nor work grows without end."""
        listening, turn.pcm, turn.listening = turn.listening, [], None
        assert listening is not None

        async def understand() -> None:
            text = (await self._last_word(_Turn(turn.number, 0.0, listening))).text
            turn.before = _joined(turn.before, text)[-MAX_WORDS_CHARS:]
            if turn is not self._turn:
                return
            if not turn.before:
                for act in self._floor.give_up():
                    self._do(act)
            else:
                self._listen_again(turn)

        self._start(understand())

    def _listen_again(self, turn: _Turn) -> None:
        """Another utterance of the same turn, from the sound that was kept of it."""
        turn.listening = self._open_ears()
        if turn.listening is not None and turn.pcm:
            turn.listening.push(np.concatenate(turn.pcm))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._note_done)

    def _note_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()

    def _mark(self, turn: _Turn, name: MarkName, at_s: float) -> None:
        self._tell.observer.mark(turn.number, name, at_s)


def _joined(before: str, text: str) -> str:
    return f"{before} {text}".strip()
