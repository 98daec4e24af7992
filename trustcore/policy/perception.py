"""Whether a viewer's feelings may be guessed at, and how far. PURE: control rules, the worker rules again.

EU AI Act (Regulation (EU) 2024/1689) Art. 5(1)(f) prohibits inferring emotions of natural persons in the areas of
workplace and education institutions. Consent does not lift it. So in those contexts, and where the context is not
known, the answer is "off" whatever was asked for, and nothing that could guess is loaded on either side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Level = Literal["off", "limited", "full"]
LEVELS: tuple[Level, ...] = get_args(Level)  # each holds the ones before it
ACT = "EU AI Act (Regulation (EU) 2024/1689) Art. 5(1)(f)"

# What may be asked for in `layers.perception.emotion_recognition` of a persona. "auto" is the Tavus word for what the
# law lets: the lesser one here.
ASKED: dict[str, Level] = {"off": "off", "limited": "limited", "full": "full", "auto": "limited"}

OPEN_CONTEXT = "public"
PROHIBITED_CONTEXTS = ("workplace", "education")
PROHIBITED_AUDIENCES = ("employees",)  # people at work, wherever they sit: the voices of a call centre's agents
PROHIBITED_PURPOSES = ("education",)
PROTECTED_AUDIENCES = ("minors",)

Reason = Literal["", "perception.prohibited", "perception.context_unknown", "perception.minors"]

REASONS: dict[Reason, str] = {
    "perception.prohibited": f"At work and in education emotions may not be inferred: {ACT}.",
    "perception.context_unknown": f"Nobody said where the viewer is, so the strictest rule holds: {ACT}.",
    "perception.minors": "Nobody guesses at the feelings of minors here.",
}


@dataclass(frozen=True)
class Ruling:
    """`level`: what may be perceived. `reason`: why less than was asked for; "" where it was not refused."""

    level: Level
    reason: Reason = ""

    @property
    def is_refused(self) -> bool:
        return bool(self.reason)


def rule(asked: str, *, context_of_use: str, audience: str, purpose: str) -> Ruling:
    """What may be perceived of a viewer in one use.

    Args:
        asked: one of LEVELS; anything else is "off".
        context_of_use: where the viewer is; only "public" opens anything.
    """
    level: Level = next((level for level in LEVELS if level == asked), "off")
    if level == "off":
        return Ruling("off")
    if context_of_use in PROHIBITED_CONTEXTS or audience in PROHIBITED_AUDIENCES or purpose in PROHIBITED_PURPOSES:
        return Ruling("off", "perception.prohibited")
    if context_of_use != OPEN_CONTEXT:
        return Ruling("off", "perception.context_unknown")
    if audience in PROTECTED_AUDIENCES:
        return Ruling("off", "perception.minors")
    return Ruling(level)


def asked_level(layers: Mapping[str, Any]) -> Level:
    """What a persona's `layers` ask for; "off" unless they say otherwise in words that are known."""
    perception = layers.get("perception")
    if not isinstance(perception, Mapping) or perception.get("perception_model") == "off":
        return "off"
    return ASKED.get(str(perception.get("emotion_recognition", "off")), "off")


def includes(level: str, part: Literal["face", "voice"]) -> bool:
    """Whether a level reads this part of a viewer. "limited" hears the voice alone and asks for no camera."""
    return level == "full" or (level == "limited" and part == "voice")
