"""The scripted brain: deterministic replies from rules and from the persona's own words. PURE.

It never invents a fact. It answers small talk from a short table, says plainly that it is an AI replica when asked,
and otherwise quotes the sentences of the persona's context and documents that share the most telling words with the
question. When nothing fits it says so.
"""

import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rendering.dialogue.clauses import sentences
from rendering.dialogue.seams import Exchange, Line
from rendering.dialogue.tags import parse_tagged_text

MAX_MESSAGE_CHARS = 1000

_STOP_TEXT = (
    "a an and are as at be been but by can could did do does for from had has have how i if in is it its me my of on "
    "or our shall should so that the their them then there they this to us was we were what when where which who why "
    "will with would you your please tell about"
)
_STOP_WORDS = frozenset(_STOP_TEXT.split())


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    answer: str
    emotion: str | None = None
    milli: int = 0


def _rule(pattern: str, answer: str, emotion: str | None = None, milli: int = 0) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), answer, emotion, milli)


_RULES: tuple[_Rule, ...] = (
    _rule(r"\b(are you|is this|am i talking to)\b.*\b(real|human|person|ai|a bot|robot|fake|replica|alive)\b",
          "I am an AI replica of {person}. {person} agreed to this use, and is not on this call. "
          "Every picture you see is signed, and your page checks each one."),
    _rule(r"\b(consent|agree[ds]?|permission|allowed)\b.*\b(you|this|face|likeness)\b|\bwho (agreed|consented)\b",
          "{person} gave consent for this use and can withdraw it at any moment. If that happens, I stop at once."),
    _rule(r"\b(watermark|signed|signature|verif(y|ied)|authentic|trust you)\b",
          "Each picture carries a hidden mark and a signature. The small sign over the picture tells you what your "
          "own browser could check."),
    _rule(r"^\W*(hi|hello|hey|good (morning|afternoon|evening)|namaste|nomoskar)\b[^?]*$",
          "Hello. It is good to talk with you. What would you like to know?", "joy", 400),
    _rule(r"\bhow are you\b", "I am well, thank you for asking. How can I help you today?", "joy", 300),
    _rule(r"\b(thanks|thank you|great|wonderful|perfect)\b[^?]*$", "You are very welcome.", "joy", 500),
    _rule(r"\b(bye|goodbye|see you|that is all|that's all)\b",
          "Thank you for your time. Goodbye, and take care.", "joy", 300),
    _rule(r"\b(who are you|your name|introduce yourself)\b",
          "I am {persona}, an AI replica of {person}. I answer from what I was given, and say so when I do not know."),
    _rule(r"\b(passed away|died|death|lost my|funeral|grief)\b",
          "I am very sorry to hear that. Take the time you need. I can read you the next steps whenever you are ready.",
          "sadness", 500),
    _rule(r"\b(angry|furious|unacceptable|complain|complaint|frustrated|annoyed)\b",
          "I understand, and I am sorry for the trouble. Tell me what happened, and I will look at what I can do.",
          "sadness", 300),
    _rule(r"\b(surprise me|guess what)\b", "Oh! Now I am curious. Tell me more.", "surprise", 600),
    _rule(r"\b(what can you (do|help)|help me|how does this work)\b",
          "Ask me a question in your own words. {topics}"),
)


class ScriptedBrain:
    """Answers in the voice of one persona.

    Args:
        persona: {"name", "system_prompt", "context", "documents": [{"name", "text"}], "greeting"}, all optional. Lines
            "Q: ..." followed by "A: ..." in the context are a script: the question is matched, the answer is said.
        person_name: whom the replica shows.
    """

    def __init__(self, persona: Mapping[str, Any], person_name: str) -> None:
        self._names = {"person": person_name or "this person", "persona": str(persona.get("name") or "a helper")}
        self._greeting = str(persona.get("greeting") or "")
        script, prose = _split_script(str(persona.get("context") or ""))
        sources = [prose, *(_document_text(document) for document in persona.get("documents") or ())]
        self._passages = [(question, answer) for question, answer in script]
        self._passages += [(s, s) for source in sources for s in sentences(source)]
        self._weights = _word_weights(question for question, _ in self._passages)
        self._names["topics"] = self._topics([_document_name(d) for d in persona.get("documents") or ()])

    def greeting(self) -> tuple[Line, ...]:
        """What is said first. It always discloses, whatever the persona's own greeting says."""
        opening = "Hello. I am an AI replica of {person}.".format(**self._names)
        own = parse_tagged_text(self._greeting)
        # The same words, not only the same word: "no replica, it is really me" must not pass for a disclosure.
        if any(line.text == opening.removeprefix("Hello. ") for line in own[:2]):
            return own
        return (Line(opening, "joy", 300), *(own or (Line("What would you like to know?"),)))

    def reply(self, text: str) -> tuple[Line, ...]:
        """The answer to one message: at most four sentences, the same for the same message."""
        message = " ".join(text[:MAX_MESSAGE_CHARS].split())
        for rule in _RULES:
            if rule.pattern.search(message):
                answer = rule.answer.format(**self._names)
                return tuple(Line(s, rule.emotion, rule.milli) for s in sentences(answer))
        found = self._retrieve(message)
        if found:
            return tuple(line for answer in found for line in parse_tagged_text(answer))[:4]
        return (
            Line("I do not know that, and I will not guess."),
            Line("You could ask it in other words, or ask a person."),
        )

    async def answer(self, exchange: Exchange) -> AsyncIterator[Line]:
        """The same answer, a line at a time (`Brain`)."""
        for line in self.reply(exchange.heard):
            yield line

    async def warm_up(self) -> None:
        """Nothing waits to be loaded."""

    def _retrieve(self, message: str) -> list[str]:
        asked = set(_words(message))
        scored = []
        for index, (question, answer) in enumerate(self._passages):
            shared = asked & set(_words(question))
            score = sum(self._weights[word] for word in shared) / math.sqrt(1 + len(_words(question)))
            if shared:
                scored.append((-score, index, answer))
        scored.sort()
        best = [answer for _, _, answer in scored[:2]]
        # A second passage is worth saying only when it fits nearly as well as the first.
        if len(scored) > 1 and scored[1][0] > 0.7 * scored[0][0]:
            best = best[:1]
        return list(dict.fromkeys(best))

    @staticmethod
    def _topics(names: list[str]) -> str:
        known = [name for name in names if name][:3]
        return f"I know about {', '.join(known)}." if known else "I answer from what I was given."


def _split_script(context: str) -> tuple[list[tuple[str, str]], str]:
    script: list[tuple[str, str]] = []
    prose: list[str] = []
    question = ""
    for line in context.splitlines():
        text = line.strip()
        if text[:2].lower() == "q:":
            question = text[2:].strip()
        elif text[:2].lower() == "a:" and question:
            script.append((question, text[2:].strip()))
            question = ""
        elif text:
            prose.append(text)
    return script, " ".join(prose)


def _document_text(document: object) -> str:
    return str(document.get("text") or "") if isinstance(document, Mapping) else str(document)


def _document_name(document: object) -> str:
    return str(document.get("name") or "") if isinstance(document, Mapping) else ""


def _words(text: str) -> list[str]:
    """Telling words, with plural and tense endings off so that "claims" meets "claim"."""
    found = re.findall(r"[^\W_]+", text.lower())
    return [_stem(word) for word in found if word not in _STOP_WORDS and len(word) > 1]


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _word_weights(passages: Iterable[str]) -> Mapping[str, float]:
    counts: Counter[str] = Counter()
    total = 0
    for passage in passages:
        total += 1
        counts.update(set(_words(passage)))
    return {word: math.log(1 + total / count) for word, count in counts.items()}
