"""The speaking half of a conversation: answers are heard one after the other, clause by clause, on the media clock.

    clauses -> voice -> sound line and lips

One speech is heard at a time. It may be cut within one frame: for good, or to be taken up again at the clause that was
cut. A part that fails is spoken around and told; the replica does not fall silent without a word.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from rendering.dialogue import phrases
from rendering.dialogue.answer import BOUNDS, Answer, Bounds, Piece, Thought
from rendering.dialogue.floor import Replica
from rendering.dialogue.history import History
from rendering.dialogue.seams import Guarded, Line, MarkName, PartFailed, Said, ToolCall
from rendering.worker.app_events import AppEvents
from rendering.worker.audio import SoundLine
from rendering.worker.pronouncing import Pronouncer, Spoken
from rendering.worker.speech import Speech, SpeechListeners, nothing, spoken_lines
from rendering.worker.stage import Stage
from trustcore.primitives.errors import Fault

# From laying a piece to its first sample: a packet of sound that is being made, and most of the time a picture is begun
# before it is due. The picture under way then shows closed lips, so they follow the sound by up to one picture.
SPEECH_LEAD_S = 0.045
LAY_NEXT_BEFORE_S = 0.3  # before what sounds now ends
SLOW_AFTER_S = 1.2  # of waiting until the replica says that it takes a moment
MAX_WAITING = 4
KEPT_LINES = 40  # of what was said, for a page that is loaded again; one message of the data channel holds them


class Speaker:
    """The replica's mouth (`rendering.dialogue.conductor.Mouth`)."""

    def __init__(
        self, *, pronouncer: Pronouncer, stage: Stage, line: SoundLine, events: AppEvents, language: str,
        media_now_s: Callable[[], float], tell: SpeechListeners, bounds: Bounds = BOUNDS,
    ) -> None:
        self._pronouncer = pronouncer
        self._stage = stage
        self._line = line
        self._events = events
        self._language = language
        self._now_s = media_now_s
        self._tell = tell
        self._bounds = bounds
        self._history = History()
        self._waiting: deque[Speech] = deque()
        self._arrived = asyncio.Event()
        self._current: Speech | None = None
        self._task: asyncio.Task[None] | None = None
        self._from_s: float | None = None  # since when the current speech is heard
        self._clause_s = (0.0, 0.0)  # when the clause that is heard began and ends
        self._is_cut = False
        self._interruptions = 0
        self._is_away = self._is_held = False
        self._may_speak = asyncio.Event()
        self._may_speak.set()
        self._closing: set[asyncio.Task[None]] = set()
        self._said: deque[dict[str, str]] = deque(maxlen=KEPT_LINES)
        self.last_sentence = ""

    async def run(self) -> None:
        """Say one speech after the other, until cancelled."""
        keeping: asyncio.Task[None] | None = None
        try:
            while True:
                await self._say_next()
                if keeping is None:  # not before the greeting, which waits for the same voice
                    keeping = asyncio.create_task(self._pronouncer.keep_phrases())
        finally:
            if keeping is not None:
                keeping.cancel()
            for speech in self._waiting:
                self._drop(speech)
            await asyncio.gather(*self._closing, return_exceptions=True)

    async def _say_next(self) -> None:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        self._current = speech = self._waiting.popleft()
        begun = self._interruptions
        try:
            while not speech.is_over:
                await self._may_speak.wait()
                if self._interruptions != begun or speech.is_over:
                    break
                await self._say(speech)
        finally:
            self._current = self._from_s = None
            self._drop(speech)

    async def _say(self, speech: Speech) -> None:
        """Say a speech to its end, or until it is cut."""
        self._task = asyncio.create_task(self._say_pieces(speech))
        try:
            await self._task
        except asyncio.CancelledError:
            # A cut cancels the speech; the end of the session cancels this task itself.
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                self._task.cancel()
                raise
            if speech.answer is not None:
                speech.next_piece = speech.answer.start_of(max(0, speech.clause))
        else:
            speech.is_over = True

    # --- what the conversation asks for -----------------------------------------------------------------------------

    def say(self, speech: Speech) -> None:
        """Say it after whatever is being said. When too much waits already, the viewer is told and it is dropped."""
        self._events.turn += 1
        if len(self._waiting) >= MAX_WAITING:
            self._drop(speech)
            self._events.send(
                "trustcore.busy", {"text": "One thing at a time, please. Ask that again in a moment."})
            return
        self._waiting.append(speech)
        self._arrived.set()

    def interrupt(self) -> None:
        """Stop speaking within one frame and forget what was about to be said."""
        self.let_go()
        self._hush()

    def pause(self) -> None:
        """The viewer is away: stop speaking within one frame. What was cut, and what waits, is said after `resume`."""
        self._is_away = True
        self._settle()
        self._hush()

    def resume(self) -> None:
        self._is_away = False
        self._settle()

    def transcript(self) -> list[dict[str, str]]:
        """What was said, for a page that was loaded again."""
        return list(self._said)

    def user_said(self, text: str) -> None:
        """Words of the viewer, typed or understood."""
        self._history.user(text)
        self._told("user", text)

    # --- Mouth ------------------------------------------------------------------------------------------------------

    @property
    def replica(self) -> Replica:
        speech = self._current
        if self._is_stopped or (speech is None and not self._waiting):
            return Replica()
        is_heard = speech is not None and self._from_s is not None and self._from_s <= self._now_s()
        return Replica("sounding" if is_heard else "pending", speech is None or not speech.is_greeting)

    def history(self) -> Sequence[Said]:
        return self._history.said()

    def begin(self, lines: AsyncIterator[Thought], turn: int = 0) -> Answer[Spoken]:
        return Answer(
            spoken_lines(lines), self._pronouncer.pronounce, bounds=self._bounds,
            on_line=lambda: self._mark(turn, "first_clause"), on_sound=lambda: self._mark(turn, "first_sound"))

    def commit(self, answer: Answer[Spoken], turn: int) -> None:
        self.say(Speech(nothing, answer=answer, turn=turn))

    def take_back(self, answer: Answer[Spoken]) -> None:
        answer.cancel()
        self._waiting = deque(speech for speech in self._waiting if speech.answer is not answer)
        if self._current is not None and self._current.answer is answer:
            self._current.is_over = True
            self._hush()

    def hold(self) -> None:
        self._is_held = True
        self._settle()
        self._hush()

    def go_on(self) -> None:
        self._is_held = False
        self._settle()

    def let_go(self) -> None:
        while self._waiting:
            self._drop(self._waiting.popleft())
        self._interruptions += 1
        self._is_held = False
        self._settle()

    def say_phrase(self, phrase: phrases.Phrase) -> None:
        self.say(Speech.of([Line(phrases.sentence(phrase, self._language))]))

    def nod(self) -> None:
        self._stage.nod(self._now_s())

    # --- speaking ---------------------------------------------------------------------------------------------------

    async def _say_pieces(self, speech: Speech) -> None:
        if speech.answer is None:
            speech.answer = self.begin(speech.lines(), speech.turn)
        answer, started, self._is_cut = speech.answer, False, False
        begun_s = self._now_s()
        answer.tell_asides(self._tell_aside)
        try:
            while (piece := await self._next(speech, answer)) is not None:
                if len(answer.faults) > speech.faults_told and piece.sound is None:
                    self._tell_faults(speech, answer)
                speech.next_piece += 1
                if piece.sound is None:
                    self._tell_clause(speech, piece, None)
                    continue
                start_s = self._lay(piece.sound)
                self._mark(speech.turn, "sound_laid", start_s)
                if wish := speech.wish_of(piece.line) if piece.is_first else None:
                    self._tell.show(*wish, start_s)
                self._from_s = start_s if self._from_s is None else self._from_s
                await self._until(start_s)
                if not started:
                    started, begun_s = True, start_s
                    self._stage.listen(False, start_s)
                    self._tell.first_sound()
                    self._events.send("conversation.started_speaking", {"role": "replica"})
                if piece.is_first:
                    self._tell_clause(speech, piece, start_s)
                self._clause_s = (start_s if piece.is_first else self._clause_s[0], self._line.busy_until_s())
                # The next piece is laid while this one still sounds.
                await self._until(self._line.busy_until_s() - LAY_NEXT_BEFORE_S)
            await self._around_faults(speech, answer)
            await self._until(self._line.busy_until_s())
        finally:
            self._from_s = None
            self._stage.listen(True, self._now_s())
            if started:
                self._tell_stopped(speech, begun_s)

    async def _next(self, speech: Speech, answer: Answer[Spoken]) -> Piece[Spoken] | None:
        """The next piece; while it is slow to come, the viewer hears that it takes a moment."""
        if not answer.is_ready(speech.next_piece) and not speech.is_excused:
            try:
                async with asyncio.timeout(SLOW_AFTER_S):
                    return await answer.piece(speech.next_piece)
            except TimeoutError:
                speech.is_excused, part = True, answer.waits_for
                self._tell.fault(PartFailed(f"The {part} takes its time.", part=part, trouble="slow_start"))
                await self._say_kept("moment")
        return await answer.piece(speech.next_piece)

    async def _around_faults(self, speech: Speech, answer: Answer[Spoken]) -> None:
        """Say what went wrong, in a sentence that was prepared before it did."""
        if not answer.faults and not speech.next_piece and answer.has_called:
            if not speech.is_excused:
                await self._say_kept("moment")  # the app is asked; what it says becomes the next speech
            return
        if not answer.faults and not speech.next_piece:
            answer.faults.append(PartFailed("The brain had nothing to say.", part="brain", trouble="garbage"))
        if not answer.faults:
            return
        self._tell_faults(speech, answer)
        if _part_of(answer.faults[0]) != "voice":
            await self._say_kept("sorry")
        elif self._pronouncer.phrase(phrases.sentence("mute", self._language)):
            await self._say_kept("mute")

    async def _say_kept(self, phrase: phrases.Phrase) -> None:
        """A sentence outside the answer. One that was not prepared can only be read."""
        text = phrases.sentence(phrase, self._language)
        for index, sound in enumerate(self._pronouncer.phrase(text)):
            start_s = self._lay(sound)
            if index == 0:
                self._from_s = start_s if self._from_s is None else self._from_s
                await self._until(start_s)
        self._told("replica", text)

    def _lay(self, sound: Spoken) -> float:
        """Lay a piece behind what sounds, and give it to the lips. Returns the media time at which it is heard."""
        start_s = self._line.lay(sound.samples, self._now_s() + SPEECH_LEAD_S)
        if sound.heard is None:
            self._stage.say(sound.visemes, start_s, sound.prosody)
        else:
            self._stage.follow(sound.heard, start_s, sound.prosody)
        return start_s

    def _hush(self) -> None:
        now_s = self._now_s()
        if self._line.cut(now_s):
            self._stage.hush(now_s)
        if self._task is not None and not self._task.done():
            self._is_cut = True
            self._task.cancel()

    @property
    def _is_stopped(self) -> bool:
        return self._is_away or self._is_held

    def _settle(self) -> None:
        if self._is_stopped:
            self._may_speak.clear()
        else:
            self._may_speak.set()

    async def _until(self, media_s: float) -> None:
        await asyncio.sleep(max(0.0, media_s - self._now_s()))

    # --- telling ----------------------------------------------------------------------------------------------------

    def _tell_clause(self, speech: Speech, piece: Piece[Spoken], start_s: float | None) -> None:
        text = piece.line.text
        more = {} if start_s is None else {"media_time_s": round(start_s, 3)}
        speech.clause = piece.clause
        self.last_sentence = text
        self._history.replica(text)
        self._told("replica", text, **more)
        self._events.send("conversation.utterance.streaming", {
            "role": "replica", "speech": text, "final": False, "is_interrupted": False,
            "content_index": piece.clause})

    def _tell_stopped(self, speech: Speech, begun_s: float) -> None:
        properties: dict[str, Any] = {
            "role": "replica", "interrupted": self._is_cut, "duration": round(max(0.0, self._now_s() - begun_s), 3)}
        if self._is_cut:
            first_s, last_s = self._clause_s
            share = (self._now_s() - first_s) / max(last_s - first_s, 1e-3)
            properties["interrupted_at"] = {
                "media_time_s": round(self._now_s(), 3), "content_index": speech.clause,
                "speech": self._history.cut(share)}
        self._events.send("conversation.stopped_speaking", properties)

    def _tell_faults(self, speech: Speech, answer: Answer[Spoken]) -> None:
        for fault in answer.faults[speech.faults_told :]:
            self._tell.fault(fault)
        speech.faults_told = len(answer.faults)

    def _tell_aside(self, aside: ToolCall | Guarded) -> None:
        if isinstance(aside, ToolCall):
            self._events.send("conversation.tool_call", {
                "name": aside.name, "arguments": dict(aside.arguments), "tool_call_id": aside.call_id})
            self._tell.called(aside)
        else:
            self._events.send("conversation.guardrail_triggered", {
                "guardrail": aside.guardrail, "guardrail_id": aside.guardrail_id, "reason": aside.reason,
                "where": aside.where})

    def _told(self, role: str, speech: str, **properties: Any) -> None:
        self._said.append({"role": role, "speech": speech})
        self._events.send("conversation.utterance", {"role": role, "speech": speech, **properties})

    def _mark(self, turn: int, name: MarkName, at_s: float | None = None) -> None:
        if turn:
            self._tell.mark(turn, name, self._now_s() if at_s is None else at_s)

    def _drop(self, speech: Speech) -> None:
        """Its parts let go in their own time: the next speech does not wait for them."""
        if speech.answer is not None:
            closing = asyncio.create_task(speech.answer.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


def _part_of(fault: Fault) -> str:
    return str(fault.facts.get("part") or "voice")
