"""The turn-taker: fed 20 ms at a time, says who has the floor. Implements `rendering.dialogue.seams.TurnTaker`."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

from rendering.dialogue.seams import EDGE_HINT, HOP_S, Floor, FloorDecision, FlowSettings, Hop
from rendering.dialogue.turns import policy
from rendering.dialogue.turns.features import Speaker, Turn
from rendering.dialogue.turns.hearing import Hearing
from rendering.dialogue.turns.model import Judgement, TurnModel
from rendering.dialogue.turns.policy import Patience, Pause, Settings

EDGE_HOPS = 10  # how long one hint of the viewer's page counts
LOOKED_BACK_HOPS = 75  # over which speech on top of the replica is added up
NOISE_S = 0.16  # a sound this short, without words, was no turn


class Judge(Protocol):
    """Says how likely the turn is over."""

    def hear(self, hop: Hop, is_pause: bool) -> None:
        """Take the sound of every hop."""

    def judge(self, turn: Turn) -> Judgement:
        """Judge this moment of a pause."""


class OwnJudge:
    """The small model of this product."""

    def __init__(self, model: TurnModel) -> None:
        self._model = model

    def hear(self, hop: Hop, is_pause: bool) -> None:
        """Nothing: the features hold all it needs."""

    def judge(self, turn: Turn) -> Judgement:
        """See `TurnModel.judge`."""
        return self._model.judge(turn.features())


class SilenceJudge:
    """Silence alone: over when the pause has lasted `timeout_s`."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def hear(self, hop: Hop, is_pause: bool) -> None:
        """Nothing."""

    def judge(self, turn: Turn) -> Judgement:
        """The pause as a share of the time-out."""
        over = min(turn.pause_s / self._timeout_s, 1.0)
        return Judgement(over, (0.0, 0.0, 0.0, 1.0 - over), (("pause", over),))


class ModelTurnTaker:
    """Decides by a judge and a policy. Keeps what is usual for the speaker over the whole conversation."""

    def __init__(self, judge: Judge, settings: Settings, interruptibility: Patience = "medium") -> None:
        self._judge, self._settings, self._interruptibility = judge, settings, interruptibility
        self._hearing = Hearing()
        self._turn = Turn(Speaker())
        self._over_replica: deque[bool] = deque(maxlen=LOOKED_BACK_HOPS)
        self._edge: tuple[float, int] | None = None  # the hint, and for how many hops it still counts
        self._since_backchannel_s = math.inf
        self._last = Judgement(0.0, (0.0, 0.0, 0.0, 0.0), ())

    def push(self, hop: Hop, *, words: str, is_replica_speaking: bool) -> Floor:
        """Take one hop; see the protocol."""
        self._turn.push(self._hearing.push(hop.pcm), hop.speech, words)
        self._judge.hear(hop, is_pause=self._turn.has_started and not self._turn.is_speaking)
        self._since_backchannel_s += HOP_S
        self._keep_edge(hop)
        if is_replica_speaking:
            return self._over(words)
        self._over_replica.clear()
        if not self._turn.has_started or self._turn.is_speaking:
            return Floor("listen", 0.0, (0.0, 0.0, 0.0, 1.0))
        return self._in_pause(words)

    def reset(self, *, asked: str = "") -> None:
        """A new turn; see the protocol. Speech that goes on at this moment belongs to it."""
        self._turn.begin(asked)
        self._edge = None
        self._over_replica.clear()

    def _in_pause(self, words: str) -> Floor:
        turn = self._turn
        judged = self._judge.judge(turn)
        over = policy.with_edge(judged.over, self._edge[0] if self._edge else None)
        if turn.pause_s >= self._settings.timeout_s and turn.turn_s < NOISE_S and not words.strip():
            turn.begin_again()
            return Floor("listen", 0.0, (0.0, 0.0, 0.0, 1.0), ("too_short",))
        pause = Pause(over, turn.pause_s, turn.stretch_s, self._since_backchannel_s)
        decision = policy.decide(pause, self._settings)
        if decision == "backchannel":
            self._since_backchannel_s = 0.0
        why = tuple(name for name, _ in judged.reasons) + ((EDGE_HINT,) if self._edge else ())
        return Floor(decision, over, _scaled(judged, over), why)

    def _over(self, words: str) -> Floor:
        """The replica speaks: does the viewer take the floor?"""
        self._over_replica.append(self._turn.is_speaking)
        speech_s = sum(self._over_replica) * HOP_S
        takes = self._turn.is_speaking and policy.interrupts(speech_s, words, self._interruptibility)
        decision: FloorDecision = "yield" if takes else "hold"
        return Floor(decision, 0.0, (0.0, 0.0, 0.0, 1.0), ("speech_over_replica",) if takes else ())

    def _keep_edge(self, hop: Hop) -> None:
        if self._turn.is_speaking:
            self._edge = None  # it spoke of a pause that is over
        elif hop.edge_end is not None:
            self._edge = (hop.edge_end, EDGE_HOPS)
        elif self._edge is not None:
            left = self._edge[1] - 1
            self._edge = (self._edge[0], left) if left > 0 else None


def turn_taker(flow: FlowSettings, model: TurnModel, smart: Callable[[], Judge]) -> ModelTurnTaker:
    """The turn-taker of a persona's settings.

    Args:
        model: the product's own, which also brings the settings chosen for each patience.
        smart: makes the judge of "smart_turn", where that is chosen.

    Raises:
        PartFailed: what was chosen is not installed.
    """
    patience = flow.turn_taking_patience
    if flow.turn_detection_model == "smart_turn":
        settings = Settings(policy.SMART_SHARE, policy.SMART_DELAY_S, 2 * policy.SILENCE_S[patience])
        return ModelTurnTaker(smart(), settings, flow.replica_interruptibility)
    if flow.turn_detection_model == "silence":
        timeout_s = policy.SILENCE_S[patience]
        return ModelTurnTaker(
            SilenceJudge(timeout_s), Settings(1.0, timeout_s, timeout_s), flow.replica_interruptibility
        )
    return ModelTurnTaker(OwnJudge(model), policy.settings_of(model.facts, patience), flow.replica_interruptibility)


def _scaled(judged: Judgement, over: float) -> tuple[float, float, float, float]:
    """The shares of going on, so that all sum to one beside `over`."""
    total = sum(judged.on)
    if total <= 0:
        return (0.0, 0.0, 0.0, 1.0 - over)
    first, second, third, later = (share / total * (1.0 - over) for share in judged.on)
    return (first, second, third, later)
