"""One answer on its way: the brain's clauses become spoken pieces, one clause ahead of the one that sounds.

It is gathered in a task of its own and nothing of it is heard until somebody takes the pieces, so that it can be
prepared while the viewer may still go on, and thrown away. Each part has a bound; a part that fails is told once, and
what it left undone comes as pieces that can only be read, or not at all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from rendering.dialogue.seams import Guarded, Line, Part, PartFailed, ToolCall
from trustcore.primitives.errors import Fault

Sound = TypeVar("Sound")
Item = TypeVar("Item")

Thought = Line | ToolCall | Guarded  # what a brain gives

CLAUSES_AHEAD = 1
MAX_CLAUSES = 64
MAX_PIECES_A_CLAUSE = 200


@dataclass(frozen=True)
class Bounds:
    """How long each part may take, in seconds: for its first word, and for each one after it."""

    ears_s: float = 1.5
    brain_first_s: float = 8.0
    brain_next_s: float = 5.0
    voice_first_s: float = 4.0
    voice_next_s: float = 3.0


BOUNDS = Bounds()


@dataclass(frozen=True)
class Piece(Generic[Sound]):
    """A part of a clause. `sound` is None where it can only be read."""

    clause: int  # its number in the answer
    line: Line
    sound: Sound | None
    is_first: bool  # of its clause


async def bounded(items: AsyncIterator[Item], part: Part, first_s: float, next_s: float) -> AsyncIterator[Item]:
    """The items of a part, each within its time.

    Raises:
        PartFailed: trouble "stalled"; or whatever the part itself raises.
    """
    limit_s = first_s
    try:
        while True:
            try:
                async with asyncio.timeout(limit_s):
                    item = await anext(items)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise PartFailed(f"The {part} gave nothing in time.", part=part, trouble="stalled") from error
            limit_s = next_s
            yield item
    finally:
        if close := getattr(items, "aclose", None):
            # Letting go of a stalled part must not take longer than waiting for it.
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await close()


class Answer(Generic[Sound]):
    """An answer while it is thought out and spoken.

    Args:
        lines: the clauses, as a brain gives them.
        pronounce: a clause's pieces, ready to be heard.
        on_line, on_sound: told when the first clause and the first piece are there.
    """

    def __init__(
        self, lines: AsyncIterator[Thought], pronounce: Callable[[str], AsyncIterator[Sound]], *,
        bounds: Bounds = BOUNDS, on_line: Callable[[], None] = lambda: None,
        on_sound: Callable[[], None] = lambda: None,
    ) -> None:
        self._pronounce = pronounce
        self._bounds = bounds
        self._on_line, self._on_sound = on_line, on_sound
        self._on_aside: Callable[[ToolCall | Guarded], None] | None = None
        self._asides: list[ToolCall | Guarded] = []
        self._pieces: list[Piece[Sound]] = []
        self._is_pronouncing = False
        self._clause_heard = 0  # how far whoever takes the pieces has come
        self._changed = asyncio.Event()
        self.faults: list[Fault] = []  # of the parts, in their order
        self.has_called = False  # whether the brain called a tool
        self.is_complete = False  # whether all was said that was thought of
        self._task = asyncio.create_task(self._gather(lines))
        self._task.add_done_callback(lambda _: self._changed.set())

    async def piece(self, index: int) -> Piece[Sound] | None:
        """Piece number `index`, when it is there; None behind the last one.

        Raises whatever went wrong that is no part's fault.
        """
        while index >= len(self._pieces):
            if self._task.done():
                if not self._task.cancelled():
                    self._task.result()
                return None
            self._changed.clear()
            await self._changed.wait()
        piece = self._pieces[index]
        self._clause_heard = max(self._clause_heard, piece.clause)
        self._changed.set()
        return piece

    def is_ready(self, index: int) -> bool:
        """Whether piece number `index` is there, or nothing will come any more."""
        return index < len(self._pieces) or self._task.done()

    @property
    def waits_for(self) -> Part:
        """Whom the next piece waits for."""
        return "voice" if self._is_pronouncing else "brain"

    def start_of(self, clause: int) -> int:
        """The index of a clause's first piece."""
        return next((i for i, piece in enumerate(self._pieces) if piece.clause == clause), len(self._pieces))

    def tell_asides(self, tell: Callable[[ToolCall | Guarded], None]) -> None:
        """From now on `tell` hears what the brain gives besides clauses, and first what it gave so far. Not before the
        answer is heard: one that is taken back asks nobody for anything.
        """
        self._on_aside = tell
        while self._asides:
            tell(self._asides.pop(0))

    async def close(self) -> None:
        """Stop gathering, and wait until every part has let go."""
        self.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self._task.cancel()

    # --- gathering --------------------------------------------------------------------------------------------------

    async def _gather(self, lines: AsyncIterator[Thought]) -> None:
        clause, has_voice = 0, True
        thought = bounded(lines, "brain", self._bounds.brain_first_s, self._bounds.brain_next_s)
        try:
            async for item in thought:
                if not isinstance(item, Line):
                    self._note_aside(item)
                    continue
                if clause == 0:
                    self._on_line()
                has_voice = await self._speak(clause, item) if has_voice else self._only_read(clause, item)
                clause += 1
                if clause >= MAX_CLAUSES:
                    break
                await self._wait_for_listener(clause)
            self.is_complete = True
        except Fault as fault:
            self.faults.append(fault)
        finally:
            await thought.aclose()  # type: ignore[attr-defined]

    def _note_aside(self, aside: ToolCall | Guarded) -> None:
        self.has_called = self.has_called or isinstance(aside, ToolCall)
        if self._on_aside is None:
            self._asides.append(aside)
        else:
            self._on_aside(aside)

    async def _speak(self, clause: int, line: Line) -> bool:
        """Gather a clause's pieces. False when the voice failed; what it has not said can be read."""
        pieces = bounded(self._pronounce(line.text), "voice", self._bounds.voice_first_s, self._bounds.voice_next_s)
        count = 0
        self._is_pronouncing = True
        try:
            async for sound in pieces:
                self._add(Piece(clause, line, sound, count == 0))
                count += 1
                if count >= MAX_PIECES_A_CLAUSE:
                    break
        except Fault as fault:
            self.faults.append(fault)
            if not count:
                self._only_read(clause, line)
            return False
        finally:
            self._is_pronouncing = False
            await pieces.aclose()  # type: ignore[attr-defined]
        return True

    def _only_read(self, clause: int, line: Line) -> bool:
        self._add(Piece(clause, line, None, True))
        return False

    def _add(self, piece: Piece[Sound]) -> None:
        if not self._pieces:
            self._on_sound()
        self._pieces.append(piece)
        self._changed.set()

    async def _wait_for_listener(self, clause: int) -> None:
        while clause > self._clause_heard + CLAUSES_AHEAD:
            self._changed.clear()
            await self._changed.wait()
