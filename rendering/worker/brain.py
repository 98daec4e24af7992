"""The scripted brain: deterministic replies from rules and from the persona's own words. PURE.

It never invents a fact. It answers small talk from a short table, says plainly that it is an AI replica when asked,
and otherwise quotes the sentences of the persona's context and documents that share the most telling words with the
question. When nothing fits it says so.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rendering.dialogue.seams import Line
from trustcore.policy.clamp import DEFAULT_MILLI, EMOTION_WORDS, MAX_MILLI

MAX_MESSAGE_CHARS = 1000
MAX_SENTENCE_CHARS = 240

_STOP_TEXT = (
    "a an and are as at be been but by can could did do does for from had has have how i if in is it its me my of on "
    "or our shall should so that the their them then there they this to us was we were what when where which who why "
    "will with would you your please tell about"
)
_STOP_WORDS = frozenset(_STOP_TEXT.split())
# Whatever begins like an emotion tag: up to its end if that is near, else as far as it reads like a tag.
_TAG_LIKE = re.compile(
    r"""<\s*/?\s*emotion\w*(?:[^<>]{0,120}>|(?:\s*[\w-]+\s*=\s*(?:"[^"<>\s]*"?|'[^'<>\s]*'?|[^\s<>"']+))*\s*/?)""",
    re.IGNORECASE,
)
_TAG = re.compile(r"""<emotion((?:\s+[a-z]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))+)\s*/>""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*["']([^"'<>]*)["']""", re.IGNORECASE)
_WORD, _MILLI = re.compile(r"[a-z_]{1,24}"), re.compile(r"[0-9]{1,4}")
_SENTENCE_END = re.compile(r"(?<=[.!?।])\s+")


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


def parse_tagged_text(text: str) -> tuple[Line, ...]:
    """Split text into sentences; an emotion tag holds from where it stands until the next one.

    `<emotion value="joy" intensity="700"/>`; the intensity, in thousandths, may be left out. What begins like a tag and
    is none is dropped with all that belongs to it, and changes nothing: no tag is ever spoken.
    """
    lines: list[Line] = []
    emotion, milli, reached = None, 0, 0
    for found in _TAG_LIKE.finditer(text):
        lines += _tagged(text[reached : found.start()], emotion, milli)
        emotion, milli = _read_tag(found.group()) or (emotion, milli)
        reached = found.end()
    return (*lines, *_tagged(text[reached:], emotion, milli))


def without_tags(text: str) -> str:
    """The words of a text that may be spoken: the last look before the voice."""
    left = _TAG_LIKE.sub(" ", text)
    while left != text:  # what stood around a tag may read like one once that is gone
        text, left = left, _TAG_LIKE.sub(" ", left)
    return " ".join(left.split())


def _tagged(text: str, emotion: str | None, milli: int) -> list[Line]:
    return [Line(sentence, emotion, milli if emotion else 0, "tag") for sentence in _sentences(text)]


def _read_tag(tag: str) -> tuple[str, int] | None:
    """Word and thousandths of a tag, or None when it is not well formed."""
    whole = _TAG.fullmatch(tag)
    if whole is None:
        return None
    pairs = [(name.lower(), value) for name, value in _ATTRIBUTE.findall(whole.group(1))]
    given = dict(pairs)
    word, milli = given.get("value", "").lower(), given.get("intensity", str(DEFAULT_MILLI))
    is_whole = len(given) == len(pairs) and set(given) <= {"value", "intensity"}
    if not is_whole or not _WORD.fullmatch(word) or not _MILLI.fullmatch(milli) or int(milli) > MAX_MILLI:
        return None
    return EMOTION_WORDS.get(word, word), int(milli)


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
        self._passages += [(s, s) for source in sources for s in _sentences(source)]
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
                return tuple(Line(s, rule.emotion, rule.milli) for s in _sentences(answer))
        found = self._retrieve(message)
        if found:
            return tuple(line for answer in found for line in parse_tagged_text(answer))[:4]
        return (
            Line("I do not know that, and I will not guess."),
            Line("You could ask it in other words, or ask a person."),
        )

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


def _sentences(text: str) -> list[str]:
    """Sentences of at most MAX_SENTENCE_CHARS; a longer one is cut at a comma or a space."""
    out: list[str] = []
    for sentence in _SENTENCE_END.split(text.strip()):
        rest = sentence.strip()
        while len(rest) > MAX_SENTENCE_CHARS:
            cut = max(rest.rfind(", ", 0, MAX_SENTENCE_CHARS), 0) or max(rest.rfind(" ", 0, MAX_SENTENCE_CHARS), 0)
            cut = cut or MAX_SENTENCE_CHARS
            out.append(rest[: cut + 1].strip())
            rest = rest[cut + 1 :].strip()
        if rest:
            out.append(rest)
    return out


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
