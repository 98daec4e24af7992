"""How patient, how interruptible, how talkative: `layers.conversational_flow` of a persona, and what it means. PURE.

Field names and values are the Tavus API's. It is read leniently, as its clients write it: "verylow" or "Very High" is
a neighbour's word for the end of the scale, and what nobody knows is kept and changes nothing.
"""

from collections.abc import Mapping
from typing import Any, Literal

from rendering.dialogue.seams import FlowSettings

Level = Literal["low", "medium", "high"]

MAX_WAKE_PHRASE_CHARS = 80
MAX_UNKNOWN_FIELDS = 20

_LEVELS: Mapping[str, Level] = {
    "low": "low", "verylow": "low", "lowest": "low", "none": "low", "off": "low", "min": "low",
    "medium": "medium", "normal": "medium", "default": "medium", "auto": "medium", "mid": "medium",
    "high": "high", "veryhigh": "high", "highest": "high", "max": "high",
}  # fmt: skip
_ENGAGEMENTS: Mapping[str, Literal["off", "patient", "eager"]] = {
    "off": "off", "none": "off", "false": "off", "patient": "patient", "on": "patient", "true": "patient",
    "low": "patient", "medium": "patient", "eager": "eager", "high": "eager",
}  # fmt: skip
_MODELS: Mapping[str, Literal["own", "smart_turn", "silence"]] = {
    "own": "own", "sparrow1": "own", "sparrow0": "own", "smartturn": "smart_turn", "silence": "silence",
    "timebased": "silence", "vad": "silence",
}  # fmt: skip
_KNOWN = frozenset({
    "turn_taking_patience", "replica_interruptibility", "pal_interruptibility", "idle_engagement", "wake_phrase",
    "turn_detection_model",
})

DEFAULT_FLOW = FlowSettings()

# After how much silence of both the replica speaks again, and at most how often in a row.
NUDGE_AFTER_S: Mapping[str, float] = {"patient": 20.0, "eager": 8.0}
MOST_NUDGES = 2


def flow_settings(raw: object) -> FlowSettings:
    """The settings that `layers.conversational_flow` means. What is missing or makes no sense has its default."""
    given = raw if isinstance(raw, Mapping) else {}
    interruptibility = given.get("replica_interruptibility", given.get("pal_interruptibility"))
    wake_phrase = given.get("wake_phrase")
    more = {str(name): value for name, value in given.items() if name not in _KNOWN}
    return FlowSettings(
        turn_taking_patience=_LEVELS.get(_word(given.get("turn_taking_patience")), "medium"),
        replica_interruptibility=_LEVELS.get(_word(interruptibility), "medium"),
        idle_engagement=_ENGAGEMENTS.get(_word(given.get("idle_engagement")), "off"),
        wake_phrase=" ".join(wake_phrase.split())[:MAX_WAKE_PHRASE_CHARS] if isinstance(wake_phrase, str) else "",
        turn_detection_model=_MODELS.get(_word(given.get("turn_detection_model")), "own"),
        more=dict(list(more.items())[:MAX_UNKNOWN_FIELDS]),
    )


def _word(value: Any) -> str:
    return "" if value is None else "".join(letter for letter in str(value).lower() if letter.isalnum())
