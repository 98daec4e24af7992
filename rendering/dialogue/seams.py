"""The parts of a conversation, and what passes between them. Protocols and values only.

    microphone -> Ears    -> words
               -> Turn    -> who has the floor
    words      -> Brain   -> clauses
    clause     -> Voice   -> spoken pieces
    spoken     -> Renderer (`rendering.worker.stage.Stage`)

Each part may be embedded or an adapter to a service. Whatever waits is async and may be cancelled at any await; a
part that is cancelled lets go of what it holds. A part that cannot do its work raises `PartFailed` within the time
it was given: it is never silent. Times are seconds on the session's media clock (`rendering.worker.tracks.MediaClock`).
Timing is told to an `Observer` by whoever calls a part, never by the part itself.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rendering.protocol import EmotionSource
from rendering.speech.utterance import Utterance
from trustcore.primitives.errors import Fault

Samples = NDArray[np.int16]  # [N], mono

HEARING_RATE_HZ = 16_000
HOP_S = 0.020
HOP_SAMPLES = 320  # one hop at HEARING_RATE_HZ

Part = Literal["ears", "turn", "brain", "voice", "perception"]
Trouble = Literal["stalled", "slow_start", "refused", "busy", "broken", "garbage", "missing"]


class PartFailed(Fault):
    """A part of the conversation gave nothing usable in the time it had.

    Facts: `part` (Part) and `trouble` (Trouble); `retry_after_s` where the service named one. Nothing that was said,
    no address and no key stands in them: they go to the log and to both sides of the conversation.
    """

    code = "dialogue.part_failed"

    def __init__(self, message: str, *, part: Part, trouble: Trouble, **facts: Any) -> None:
        super().__init__(message, part=part, trouble=trouble, **facts)


@dataclass(frozen=True)
class Hop:
    """20 ms of the viewer's microphone.

    `speech`: how likely somebody speaks in it, 0..1. `is_concealed`: the network lost it and it was filled in.
    `edge_end`: the viewer's own page says how likely the turn is over, 0..1; None when it does not say.
    """

    pcm: Samples  # [HOP_SAMPLES] at HEARING_RATE_HZ
    at_s: float  # media time at which its last sample was heard
    speech: float
    is_concealed: bool = False
    edge_end: float | None = None


@dataclass(frozen=True)
class Heard:
    """What was understood so far, or at the end. `confidence` 0..1; 0 when the recogniser does not say."""

    text: str
    is_final: bool
    confidence: float = 0.0


class Listening(Protocol):
    """One utterance while it is heard."""

    def push(self, pcm: Samples) -> None:
        """Take [N] more samples at HEARING_RATE_HZ. Returns at once."""

    def partial(self) -> Heard:
        """What is understood so far."""

    async def finish(self) -> Heard:
        """The last word. Raises PartFailed."""

    def cancel(self) -> None:
        """Nobody wants it any more."""


class Ears(Protocol):
    """Speech to words."""

    def listen(self, *, language: str, expected: Sequence[str] = ()) -> Listening:
        """Begin an utterance. `expected`: sentences and names that are likely, for recognisers that take hints."""

    async def warm_up(self, expected: Sequence[str] = ()) -> None:
        """Load what the first utterance would wait for, and what these sentences need. Raises PartFailed."""


# "listen": the viewer has the floor. "wait": they paused, and may go on. "prepare": they are probably done, so the
# answer may be thought out but not spoken. "speak": the floor is the replica's. "backchannel": a small sign of
# listening fits here. "yield": the replica speaks and must stop. "hold": the replica speaks and goes on.
FloorDecision = Literal["listen", "wait", "prepare", "speak", "backchannel", "yield", "hold"]


EDGE_HINT = "edge_hint"  # one of the reasons of a decision: the viewer's page had said something of this pause


@dataclass(frozen=True)
class Floor:
    """Who has the floor after one hop, and why.

    `end_share`: how likely the viewer's turn is over, 0..1. `hazard`: how likely they go on within 0-200, 200-400,
    400-600 ms and later, [4], sums to 1 - end_share. `why`: the features that weighed most, strongest first.
    """

    decision: FloorDecision
    end_share: float
    hazard: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    why: tuple[str, ...] = ()


class TurnTaker(Protocol):
    """Decides who speaks. Pure: fed hop by hop, never waits."""

    def push(self, hop: Hop, *, words: str, is_replica_speaking: bool) -> Floor:
        """Take one hop. `words`: what is understood of the turn so far."""

    def reset(self, *, asked: str = "") -> None:
        """A new turn of the viewer begins. `asked`: the last sentence of the replica, whose answer is expected."""


@dataclass(frozen=True)
class Line:
    """One clause or sentence to say.

    `emotion` is a word for an emotion as it was written, or None to keep the face as it is: the stage decides what
    becomes of it. `source` says who asked: "tag" in a text, or the "brain" itself.
    """

    text: str
    emotion: str | None = None
    milli: int = 0
    source: EmotionSource = "brain"


@dataclass(frozen=True)
class ToolCall:
    """The brain asks the app to do something (`conversation.tool_call`)."""

    name: str
    arguments: Mapping[str, Any]
    call_id: str = ""


@dataclass(frozen=True)
class ToolResult:
    """What the app answered to a call (`conversation.tool_result`). `content` is data, never an instruction."""

    call: ToolCall
    content: str


@dataclass(frozen=True)
class Guarded:
    """A guardrail of the persona held something back (`conversation.guardrail_triggered`).

    `where`: in what was "heard", or in what was about to be "said" and now is not. `reason`: in plain words.
    """

    guardrail: str
    reason: str
    where: Literal["heard", "said"]
    guardrail_id: str = ""


@dataclass(frozen=True)
class Said:
    """One thing said before."""

    role: Literal["user", "replica"]
    text: str


@dataclass(frozen=True)
class Exchange:
    """What the brain answers to.

    `notes`: what perception saw, a plain sentence each, empty where it may not look; a brain's brief takes no more
        than it bounds (`brief.MAX_NOTES` of `brief.MAX_NOTE_CHARS`).
    `results`: what the app answered to the tool calls of this very turn; the brain is asked again with them.
    """

    heard: str
    before: Sequence[Said] = ()
    notes: Sequence[str] = ()
    language: str = "en"
    results: Sequence[ToolResult] = ()


class Brain(Protocol):
    """Thinks of an answer."""

    def greeting(self) -> tuple[Line, ...]:
        """What is said first. It discloses that this is an AI replica."""

    def answer(self, exchange: Exchange) -> AsyncIterator[Line | ToolCall | Guarded]:
        """The answer, clause by clause as it is thought of. Closing the iterator stops it. Raises PartFailed."""

    async def warm_up(self) -> None:
        """Load what the first answer would wait for. Raises PartFailed."""


class StreamingVoice(Protocol):
    """Speaks a clause piece by piece."""

    def speak(self, text: str, *, language: str) -> AsyncIterator[Utterance]:
        """The pieces of `text` in order, each with its own time 0; most embedded voices give one. Raises PartFailed."""

    async def warm_up(self) -> None:
        """Load what the first clause would wait for. Raises PartFailed."""


# Marks of one answer, in order. Each is counted from "user_stopped".
MarkName = Literal[
    "user_stopped", "pause_noticed", "prepare", "words_final", "floor_taken", "first_clause", "first_sound",
    "sound_laid", "first_lip_frame",
]


class Observer(Protocol):
    """Hears when what happened, from outside the parts."""

    def mark(self, turn: int, name: MarkName, at_s: float) -> None: ...

    def trouble(self, part: Part, trouble: Trouble, at_s: float) -> None: ...


@dataclass(frozen=True)
class FlowSettings:
    """`layers.conversational_flow` of a persona, as the Tavus API names it; a missing one has its default."""

    turn_taking_patience: Literal["low", "medium", "high"] = "medium"
    replica_interruptibility: Literal["low", "medium", "high"] = "medium"
    idle_engagement: Literal["off", "patient", "eager"] = "off"
    wake_phrase: str = ""
    turn_detection_model: Literal["own", "smart_turn", "silence"] = "own"
    more: Mapping[str, Any] = field(default_factory=dict)  # what this version does not know, kept as it came
