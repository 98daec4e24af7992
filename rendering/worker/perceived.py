"""The worker's door for what is perceived of the viewer. Closed unless grant, law and consent all hold right now.

The grant says how far; the law is asked again here, so that a grant that says too much opens nothing; the consent is a
token that control pushes when the viewer agreed, and takes away when they take it back. It belongs to one connection: a
page that was loaded again asks its viewer again. What passes is kept for some seconds in memory and nowhere else.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from rendering.dialogue.seams import Hop
from rendering.errors import VectorInvalid
from rendering.perception.notes import PerceptionNotes
from rendering.perception.vectors import EVENT_TYPE, MAX_MESSAGE_CHARS, MOST_A_SECOND, Vector, read_vector
from rendering.perception.voice import ArousalMeter
from rendering.worker.allowance import Allowance
from rendering.worker.stage import Stage
from trustcore.policy import perception
from trustcore.primitives.grants import Grant

REVOKED = "trustcore.perception_revoked"  # the page's own word: heeded at once, whatever control says and when
PREFIX = '{"event_type":"trustcore.perception'
ANALYSIS = "conversation.perception_analysis"
AT_ONCE = 3.0  # vectors that the network may have held back and delivers together
EDGE_SILENT_S = 3.0  # after which the server may read the voice itself
OWN_EVERY_S = 0.5


@dataclass
class Dropped:
    """Vectors that did not pass, by why."""

    forbidden: int = 0
    no_consent: int = 0
    invalid: int = 0
    too_fast: int = 0


class Perceived:
    """What one session knows of its viewer's mood."""

    def __init__(
        self, grant: Grant, stage: Stage, now_s: Callable[[], float], emit: Callable[[str, dict[str, Any]], Any],
    ) -> None:
        """`emit(event_type, properties)` sends an event to the viewer's page, which is all that ever hears of it."""
        self.level = perception.rule(
            grant.perception, context_of_use=grant.context_of_use, audience=grant.audience, purpose=grant.purpose).level
        self.dropped = Dropped()
        self._stage, self._now_s, self._emit = stage, now_s, emit
        self._token = ""
        self._number = 0
        self._allowance = Allowance(AT_ONCE, MOST_A_SECOND * 1.1)  # clocks differ a little
        self._notes = PerceptionNotes()
        self._told: tuple[str, ...] = ()
        self._meter = ArousalMeter()
        self._edge_voice_s = self._own_s = float("-inf")

    @property
    def notes(self) -> tuple[str, ...]:
        """For `Exchange.notes`: plain words about the last seconds; empty unless the viewer agreed."""
        return self._notes.notes(self._now_s()) if self._token else ()

    def on_control_event(self, body: Mapping[str, Any]) -> None:
        """Control tells that the viewer agreed, or took it back."""
        self.forget()
        self._token = str(body.get("consent") or "") if self.level != "off" else ""

    def forget(self) -> None:
        """The consent is over, or the connection that it was given on: at once, and as if it had never been."""
        self._token, self._number, self._told = "", 0, ()
        self._edge_voice_s = float("-inf")
        self._notes.forget()
        self._meter.forget()
        self._stage.forget_mood(self._now_s())

    def take(self, text: str) -> bool:
        """One message of the data channel. True when it was about perception, whether it passed or was dropped."""
        kind, properties = _opened(text)
        if kind == REVOKED:
            self.forget()
        elif kind == EVENT_TYPE:
            self._take_vector(properties)
        else:
            return False
        return True

    def hear(self, hop: Hop) -> None:
        """20 ms of the microphone, for a viewer who agreed and whose browser does not read the voice itself."""
        now_s = self._now_s()
        if not self._token or now_s - self._edge_voice_s < EDGE_SILENT_S:
            return
        self._meter.push(hop.pcm, hop.speech)
        if now_s - self._own_s >= OWN_EVERY_S and (voice := self._meter.reading()) is not None:
            self._own_s = now_s
            self._keep(Vector(self._number, None, voice))

    def _take_vector(self, properties: Any) -> None:
        if self.level == "off":
            self.dropped.forbidden += 1
        elif not self._allowance.take(self._now_s()):
            self.dropped.too_fast += 1
        else:
            try:
                token, vector = read_vector(properties, self.level)
            except VectorInvalid:
                self.dropped.invalid += 1
                return
            if not self._token or not compare_digest(token.encode(), self._token.encode()):
                self.dropped.no_consent += 1
            elif vector.number <= self._number:
                self.dropped.invalid += 1  # said before
            else:
                self._number = vector.number
                if vector.voice is not None:
                    self._edge_voice_s = self._now_s()
                self._keep(vector)

    def _keep(self, vector: Vector) -> None:
        now_s = self._now_s()
        self._notes.add(vector, now_s)
        self._stage.perceive(*vector.mood, now_s)
        told = self._notes.notes(now_s)
        if told and told != self._told:
            self._told = told
            self._emit(ANALYSIS, {"analysis": " ".join(told), "frames": []})


def _opened(text: str) -> tuple[str, Any]:
    """Kind and properties of a message as our page writes them, unchecked; "" for what is none of ours."""
    if not text.startswith(PREFIX):
        return "", None  # most messages are none; they are parsed once, where they belong
    if len(text) > MAX_MESSAGE_CHARS:
        return EVENT_TYPE, None  # no vector is so long
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return EVENT_TYPE, None
    return str(message.get("event_type", "")), message.get("properties")
