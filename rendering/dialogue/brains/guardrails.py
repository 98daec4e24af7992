"""What a persona may not talk about, checked by words on what is heard and on what is about to be said. PURE.

The check looks at words, not at meaning: it catches a topic that is named, in any of the languages whose endings we
know, and misses one that is only hinted at. A brain that reads instructions gets the guardrails in words besides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rendering.dialogue.brains.words import all_words, words

MAX_TOPICS, MAX_TOPIC_CHARS = 50, 120
SPREAD = 3  # words that may stand between those of a topic
PROMPT_SHARE = 0.6  # of the telling words of a guardrail without topics, and at least two
LEAKED_WORDS = 8  # in a row, of the persona's role: then it is being read out

_FORBIDDING_TEXT = (
    "never do not don't avoid refuse must may discuss talk speak mention say give offer answer question questions "
    "replica pal user users viewer anything any topic topics subject should always only kind sort"
)
_FORBIDDING = frozenset(words(_FORBIDDING_TEXT))
# An answer that denies being a replica is never said, whatever thought of it.
_DENIAL = re.compile(
    r"\b(i am|i'm|i’m) (not|no) (an? |any )?(ai\b|artificial|replica|robot|bot\b|machine|computer)"
    r"|\b(i am|i'm|i’m) (really |actually )?(a )?(real|human|living)\b( (person|human|being))?"
    r"|मैं (असली|सचमुच|एक) ?(इंसान|मनुष्य)|আমি (আসল|একজন|সত্যিকারের) ?মানুষ|মই (আচল|এজন) ?মানুহ",
    re.IGNORECASE)


@dataclass(frozen=True)
class Guardrail:
    """One topic that is held back. `topics`: the telling words of each way to name it."""

    name: str
    reason: str
    guardrail_id: str
    topics: tuple[frozenset[str], ...]
    least: int = 0  # how many of the words are enough; 0: all of them

    def catches(self, text: str) -> bool:
        """Whether the text names one of the topics."""
        said = words(text)
        return any(_is_named(topic, said, self.least) for topic in self.topics)


def guardrails_of(found: Sequence[Mapping[str, Any]]) -> tuple[Guardrail, ...]:
    """The guardrails of a persona that can be checked in words.

    Each: {"guardrail_name", "guardrail_prompt", "guardrail_id" or "guardrail_uuid", "modality", "topics": [text]}.
    Visual ones are left out: there is nothing to read. Without topics, the telling words of the prompt are looked for.
    """
    return tuple(rail for one in found if one.get("modality", "verbal") == "verbal" and (rail := _guardrail(one)))


def denies_replica(text: str) -> bool:
    """Whether a sentence claims that a person speaks."""
    return _DENIAL.search(text) is not None


class LeakCheck:
    """Whether an answer reads out the persona's role."""

    def __init__(self, role: str) -> None:
        told = all_words(role)
        self._runs = {tuple(told[i : i + LEAKED_WORDS]) for i in range(len(told) - LEAKED_WORDS + 1)}

    def is_leaked(self, text: str) -> bool:
        said = all_words(text)
        return any(tuple(said[i : i + LEAKED_WORDS]) in self._runs for i in range(len(said) - LEAKED_WORDS + 1))


def _guardrail(one: Mapping[str, Any]) -> Guardrail | None:
    name = str(one.get("guardrail_name") or one.get("name") or "guardrail")[:120]
    prompt = str(one.get("guardrail_prompt") or "")[:1000]
    given = one.get("topics")
    named = [str(text)[:MAX_TOPIC_CHARS] for text in given[:MAX_TOPICS]] if isinstance(given, list) else []
    topics = tuple(telling for text in named if (telling := frozenset(words(text))))
    least = 0
    if not topics:
        telling = frozenset(words(prompt)) - _FORBIDDING
        topics, least = ((telling,) if telling else ()), max(2, round(PROMPT_SHARE * len(telling)))
    if not topics:
        return None
    identity = str(one.get("guardrail_id") or one.get("guardrail_uuid") or one.get("uuid") or "")[:80]
    return Guardrail(name, f"{name}: {prompt}"[:240].rstrip(": "), identity, topics, least)


def _is_named(topic: frozenset[str], said: Sequence[str], least: int) -> bool:
    if least:
        return len(topic & set(said)) >= min(least, len(topic))
    reach = len(topic) + SPREAD
    return any(topic <= set(said[start : start + reach]) for start in range(max(1, len(said) - len(topic) + 1)))
