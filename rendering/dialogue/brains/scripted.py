"""The scripted brain: deterministic replies from rules and from the persona's own words. PURE.

It never invents a fact. It answers small talk from a short table, says plainly that it is an AI replica when asked,
and otherwise quotes the sentences of the persona's context and documents that fit the question best. When nothing fits
it says so. What the viewer says is only ever compared with; it changes no rule.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rendering.dialogue.brains.phrases import Phrases, Rule, phrases_of
from rendering.dialogue.brains.retrieval import Found, Passage, Retrieval
from rendering.dialogue.brains.words import words
from rendering.dialogue.clauses import clauses, sentences
from rendering.dialogue.seams import Exchange, Line, Said
from rendering.dialogue.tags import parse_tagged_text, speakable

MAX_MESSAGE_CHARS = 1000
MAX_LINES = 4
SECOND_SHARE = 0.7  # a second passage is said only when its score is at most this share of the first: no near double
LEAST_SECOND_SHARE = 0.3  # ... and at least this one
CLOSE_COVER = 0.95  # a scripted question that holds this share of what was asked goes before small talk


class ScriptedBrain:
    """Answers in the voice of one persona (`Brain`).

    Args:
        persona: {"name", "system_prompt", "context", "documents": [{"name", "text"}], "greeting"}, all optional. Lines
            "Q: ..." followed by "A: ..." in the context are a script: the question is matched, the answer is said.
        person_name: whom the replica shows.
        language: of the conversation, where an exchange does not say.
    """

    def __init__(self, persona: Mapping[str, Any], person_name: str, language: str = "en") -> None:
        self._person_name = person_name
        self._persona_name = str(persona.get("name") or "")
        self._greeting = str(persona.get("greeting") or "")
        self._language = language
        documents = [_document(one) for one in persona.get("documents") or ()]
        self._topics = [name for name, _ in documents if name][:3]
        script, prose = _split_script(str(persona.get("context") or ""))
        spoken = [Passage(s, s, name) for name, text in [("", prose), *documents] for s in _said_of(text)]
        self._script = Retrieval(script)
        self._all = Retrieval([*script, *spoken])

    def greeting(self) -> tuple[Line, ...]:
        """What is said first. It always discloses, whatever the persona's own greeting says."""
        phrases = phrases_of(self._language)
        disclosure = self._filled(phrases.disclosure, phrases)
        own = parse_tagged_text(self._greeting)
        # The same words, not only the same word: "no replica, it is really me" must not pass for a disclosure.
        if any(line.text == disclosure for line in own[:2]):
            return own
        opening = Line(f"{phrases.hello} {disclosure}", "joy", 300)
        return (opening, *(own or (Line(phrases.invitation),)))

    def reply(self, text: str, before: Sequence[Said] = (), language: str = "") -> tuple[Line, ...]:
        """The answer to one message, sentence by sentence: at most four, the same for the same exchange."""
        if truth := self.truth(text, language):
            return truth
        message = _message(text)
        phrases = phrases_of(language or self._language)
        found = next((rule for rule in phrases.rules if rule.pattern.search(message)), None)
        scripted = self._script.find(message)
        if found and not (scripted and scripted[0].cover >= CLOSE_COVER and _is_whole(message, scripted[0])):
            return self._by_rule(found, phrases)
        best = _best(self._all.find(message, before))
        if best:
            return tuple(line for answer in best for line in parse_tagged_text(answer))[:MAX_LINES]
        return tuple(Line(sentence) for sentence in phrases.unknown)

    def truth(self, text: str, language: str = "") -> tuple[Line, ...]:
        """The answer to a question about what the replica is, who agreed, and how it is marked; empty for any other."""
        phrases = phrases_of(language or self._language)
        truths = (rule for rule in phrases.rules if rule.is_truth)
        found = next((rule for rule in truths if rule.pattern.search(_message(text))), None)
        return self._by_rule(found, phrases) if found else ()

    def disclosure(self, language: str = "") -> tuple[Line, ...]:
        """That this is a replica, and of whom."""
        phrases = phrases_of(language or self._language)
        return (Line(self._filled(phrases.disclosure, phrases)),)

    async def answer(self, exchange: Exchange) -> AsyncIterator[Line]:
        """The same answer clause by clause (`Brain`)."""
        for line in self.reply(exchange.heard, exchange.before, exchange.language):
            for piece in clauses(line.text):
                yield replace(line, text=piece)

    async def warm_up(self) -> None:
        """Nothing waits to be loaded."""

    def _by_rule(self, rule: Rule, phrases: Phrases) -> tuple[Line, ...]:
        return tuple(Line(s, rule.emotion, rule.milli) for s in sentences(self._filled(rule.answer, phrases)))

    def _filled(self, text: str, phrases: Phrases) -> str:
        topics = phrases.topics.format(names=", ".join(self._topics)) if self._topics else phrases.no_topics
        return text.format(
            person=self._person_name or phrases.no_person, persona=self._persona_name or phrases.no_persona,
            topics=topics)


def _message(text: str) -> str:
    return " ".join(text[:MAX_MESSAGE_CHARS].split())


def _best(found: Sequence[Found]) -> list[str]:
    """The one or two answers that are worth saying."""
    best = [one.passage.answer for one in found[:1]]
    if len(found) > 1 and LEAST_SECOND_SHARE <= found[1].score / found[0].score <= SECOND_SHARE:
        best.append(found[1].passage.answer)
    return list(dict.fromkeys(best))


def _is_whole(message: str, found: Found) -> bool:
    """Whether the scripted question asks for nothing else than the message does."""
    return set(words(found.passage.asked)) <= set(words(message))


def _split_script(context: str) -> tuple[list[Passage], str]:
    script: list[Passage] = []
    prose: list[str] = []
    question = ""
    for line in context.splitlines():
        text = line.strip()
        if text[:2].lower() == "q:":
            question = text[2:].strip()
        elif text[:2].lower() == "a:" and question:
            script.append(Passage(question, text[2:].strip()))
            question = ""
        else:
            prose.append(text)
    return script, "\n".join(prose)


def _document(document: object) -> tuple[str, str]:
    """Name and text."""
    if isinstance(document, Mapping):
        return str(document.get("name") or ""), str(document.get("text") or "")
    return "", str(document)


def _said_of(text: str) -> list[str]:
    """The sentences of a source that can be said."""
    return [sentence for sentence in sentences(text) if speakable(sentence)]
