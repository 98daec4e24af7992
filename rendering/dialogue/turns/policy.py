"""From how likely the end is to what is done about it. Pure numbers; the settings come with the model's file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rendering.dialogue.seams import FloorDecision
from rendering.dialogue.turns.words import is_backchannel, wants_floor

Patience = Literal["low", "medium", "high"]

PREPARE_SHARE = 0.5
PREPARE_AFTER_S = 0.1
EDGE_MOST = 1.0  # log odds; the viewer's page may shift the decision by no more, see `with_edge`
EDGE_SURE = 2.0
BACKCHANNEL_EVERY_S = 6.0
BACKCHANNEL_AFTER_STRETCH_S = 2.5
BACKCHANNEL_PAUSE_S = (0.2, 0.5)
BACKCHANNEL_SHARE = 0.25
SILENCE_S: Mapping[Patience, float] = {"low": 0.6, "medium": 1.0, "high": 1.6}
SMART_SHARE, SMART_DELAY_S = 0.5, 0.2  # as its makers use it
# Speech in seconds that interrupts the replica: with words that ask for the floor, and without any. The longest
# backchannels last half a second, so a replica that is not to stop for one waits that long when it has no words.
INTERRUPTS_S: Mapping[Patience, tuple[float, float]] = {"high": (0.2, 0.3), "medium": (0.2, 0.55), "low": (0.5, 1.0)}
BACKCHANNEL_LONGEST_S = 1.2


@dataclass(frozen=True)
class Settings:
    """The three numbers that are swept.

    `threshold`: share from which the turn counts as over. `delay_s`: no answer sooner after the last speech.
    `timeout_s`: an answer at the latest, whatever the model says.
    """

    threshold: float
    delay_s: float
    timeout_s: float


@dataclass(frozen=True)
class Pause:
    """One moment in a pause of the viewer. `since_backchannel_s`: since the last sign of listening was proposed."""

    over: float
    pause_s: float
    stretch_s: float
    since_backchannel_s: float = math.inf


def settings_of(facts: Mapping[str, Any], patience: Patience) -> Settings:
    """The settings that were chosen for a patience when the model was built."""
    threshold, delay_s, timeout_s = facts["patience"][patience]
    return Settings(float(threshold), float(delay_s), float(timeout_s))


def decide(pause: Pause, settings: Settings) -> FloorDecision:
    """What to do in a pause: speak, prepare, give a sign of listening, or wait."""
    is_over = pause.over >= settings.threshold and pause.pause_s >= settings.delay_s
    if is_over or pause.pause_s >= settings.timeout_s:
        return "speak"
    if pause.over >= min(PREPARE_SHARE, settings.threshold) and pause.pause_s >= PREPARE_AFTER_S:
        return "prepare"
    first_s, last_s = BACKCHANNEL_PAUSE_S
    fits = first_s <= pause.pause_s <= last_s and pause.stretch_s >= BACKCHANNEL_AFTER_STRETCH_S
    if fits and pause.over <= BACKCHANNEL_SHARE and pause.since_backchannel_s >= BACKCHANNEL_EVERY_S:
        return "backchannel"
    return "wait"


def with_edge(over: float, edge_end: float | None) -> float:
    """`over` moved by what the viewer's page says.

    The page is the viewer's: it may lie. It moves the log odds by at most EDGE_MOST; the delay before an answer and
    the time-out stay, so a lying page is answered at most as fast, or as late, as its own conversation allows anyway.
    """
    if edge_end is None or not math.isfinite(edge_end):
        return over
    share = min(max(edge_end, 0.0), 1.0)
    hint = min(max(_log_odds(share), -EDGE_SURE), EDGE_SURE) / EDGE_SURE * EDGE_MOST
    return 1.0 / (1.0 + math.exp(-_log_odds(over) - hint))


def interrupts(speech_s: float, words: str, interruptibility: Patience) -> bool:
    """Whether the viewer's speech over the replica takes the floor.

    Args:
        speech_s: speech of the viewer within the last moments.
        words: what was understood of it; may lag or be empty.
    """
    with_words_s, without_s = INTERRUPTS_S[interruptibility]
    if is_backchannel(words):
        return speech_s >= BACKCHANNEL_LONGEST_S
    return speech_s >= (with_words_s if wants_floor(words) else without_s)


def _log_odds(share: float) -> float:
    bounded = min(max(share, 1e-6), 1.0 - 1e-6)
    return math.log(bounded / (1.0 - bounded))
