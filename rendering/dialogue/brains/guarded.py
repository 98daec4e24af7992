"""Holds any brain to its persona: the truth first, then the guardrails, on what is heard and on what will be said."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from rendering.dialogue.brains.guardrails import Guardrail, LeakCheck, denies_replica
from rendering.dialogue.brains.phrases import phrases_of
from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.clauses import clauses
from rendering.dialogue.seams import Brain, Exchange, Guarded, Line, ToolCall

HONESTY = "honesty"
ROLE = "role"


class GuardedBrain:
    """A brain behind its persona's rules (`Brain`).

    1. A question about what the replica is gets the fixed, true answer; the brain is not asked.
    2. A message that names a guarded topic is refused; the brain is not asked.
    3. Each line is checked before it goes on, together with the one before it, so that a topic is found across a cut.
       What is caught is not said, the brain is stopped, and the refusal is said in its place.

    Args:
        inner: what thinks.
        script: the persona's scripted brain, for the greeting and the true answers.
        role: the persona's system prompt, which is never read out.
    """

    def __init__(
        self, inner: Brain, script: ScriptedBrain, guardrails: Sequence[Guardrail], role: str, language: str,
    ) -> None:
        self._inner = inner
        self._script = script
        self._guardrails = tuple(guardrails)
        self._leak = LeakCheck(role)
        self._language = language

    def greeting(self) -> tuple[Line, ...]:
        return self._script.greeting()

    async def answer(self, exchange: Exchange) -> AsyncIterator[Line | ToolCall | Guarded]:
        """The answer, held to the rules. Raises PartFailed as the inner brain does."""
        language = exchange.language or self._language
        if truth := self._script.truth(exchange.heard, language):
            for line in truth:
                for piece in clauses(line.text):
                    yield replace(line, text=piece)
            return
        if caught := next((rail for rail in self._guardrails if rail.catches(exchange.heard)), None):
            yield _event(caught, "heard")
            for line in self._refusal(language):
                yield line
            return
        before = ""
        answer: Any = self._inner.answer(exchange)
        async with aclosing(answer):
            async for part in answer:
                if isinstance(part, Line):
                    if held := self._held_back(f"{before} {part.text}"):
                        yield held
                        for line in self._instead_of(held, language):
                            yield line
                        return
                    before = part.text
                yield part

    async def warm_up(self) -> None:
        await self._inner.warm_up()

    def _held_back(self, text: str) -> Guarded | None:
        if denies_replica(text):
            return Guarded(HONESTY, "The answer denied that a replica speaks.", "said")
        if self._leak.is_leaked(text):
            return Guarded(ROLE, "The answer read out the persona's instructions.", "said")
        caught = next((rail for rail in self._guardrails if rail.catches(text)), None)
        return _event(caught, "said") if caught else None

    def _instead_of(self, held: Guarded, language: str) -> Sequence[Line]:
        return self._script.disclosure(language) if held.guardrail == HONESTY else self._refusal(language)

    @staticmethod
    def _refusal(language: str) -> tuple[Line, ...]:
        return tuple(Line(text) for text in clauses(phrases_of(language).refused))


def _event(rail: Guardrail, where: Any) -> Guarded:
    return Guarded(rail.name, rail.reason, where, rail.guardrail_id)
