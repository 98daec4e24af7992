"""What is said in one go, and who hears of it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rendering.dialogue.answer import Answer, Thought
from rendering.dialogue.seams import Line, MarkName, ToolCall
from rendering.dialogue.tags import without_tags
from rendering.protocol import EmotionSource
from rendering.worker.pronouncing import Spoken
from trustcore.primitives.errors import Fault


@dataclass
class Speech:
    """Something to be said: an answer under way, or the clauses of one that is thought of when its turn comes."""

    lines: Callable[[], AsyncIterator[Thought]]
    answer: Answer[Spoken] | None = None
    emotion: str | None = None  # of the message that is answered; overrides the lines' own
    milli: int = 0
    is_greeting: bool = False
    turn: int = 0  # of the viewer, for the marks; 0 when nobody spoke for it
    next_piece: int = 0
    clause: int = -1  # the one that is heard
    told: int = 0  # how many of its clauses were told
    faults_told: int = 0
    is_excused: bool = False  # the viewer was told that it takes a moment
    is_over: bool = False

    @classmethod
    def of(cls, lines: Sequence[Line], **more: Any) -> "Speech":
        """Clauses that are known already."""
        return cls(lambda: each(lines), **more)

    def wish_of(self, line: Line) -> tuple[str, int, EmotionSource] | None:
        """Word, thousandths and source of the emotion for a line, or None to keep the face as it is."""
        if self.emotion:
            return self.emotion, self.milli, "message"
        return (line.emotion, line.milli, line.source) if line.emotion else None


@dataclass
class SpeechListeners:
    """Who is told what of the speaking."""

    show: Callable[[str, int, EmotionSource, float], None]  # an emotion, at a media time
    first_sound: Callable[[], None]
    fault: Callable[[Fault], None]
    mark: Callable[[int, MarkName, float], None] = lambda turn, name, at_s: None
    called: Callable[[ToolCall], None] = lambda call: None  # a tool; the viewer's channel was told


async def each(lines: Sequence[Line]) -> AsyncIterator[Thought]:
    for line in lines:
        yield line


def nothing() -> AsyncIterator[Thought]:
    return each(())


async def spoken_lines(items: AsyncIterator[Thought]) -> AsyncIterator[Thought]:
    """Whoever wrote the lines: a tag in them is neither spoken nor shown."""
    try:
        async for item in items:
            if not isinstance(item, Line):
                yield item
            elif text := without_tags(item.text):
                yield replace(item, text=text)
    finally:
        if close := getattr(items, "aclose", None):
            await close()
