"""Tool calls that wait for the app's answer, and what the brain is asked again with it. PURE."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from rendering.dialogue.seams import Brain, Exchange, Guarded, Line, PartFailed, ToolCall, ToolResult

MAX_ASKED = 32  # exchanges whose calls wait; of more the oldest is forgotten
MAX_RESULTS = 16  # of one turn; a brain that calls on and on never speaks


@dataclass
class _Asked:
    """One exchange and the calls that its answer made."""

    exchange: Exchange
    calls: list[ToolCall] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)


class CallingBrain:
    """A brain whose tool calls can be answered (`Brain`). Every call gets an id that no other call has."""

    def __init__(self, inner: Brain) -> None:
        self._inner = inner
        self._open: dict[str, _Asked] = {}
        self._count = 0

    def greeting(self) -> tuple[Line, ...]:
        return self._inner.greeting()

    async def answer(self, exchange: Exchange) -> AsyncIterator[Line | ToolCall | Guarded]:
        """The inner brain's answer. Raises PartFailed as it does, and "garbage" when it calls without an end."""
        asked = _Asked(exchange)
        answer: Any = self._inner.answer(exchange)
        async with aclosing(answer):
            async for item in answer:
                yield self._noted(asked, item) if isinstance(item, ToolCall) else item

    async def warm_up(self) -> None:
        await self._inner.warm_up()

    def answered(self, call_id: str, content: str) -> Exchange | None:
        """The app's answer to a call: what to ask the brain now. None while another call of the same answer waits,
        and for a call that nobody made or that is answered already.
        """
        asked = self._open.pop(call_id, None)
        if asked is None:
            return None
        asked.contents[call_id] = content
        if len(asked.contents) < len(asked.calls):
            return None
        results = tuple(ToolResult(call, asked.contents[call.call_id]) for call in asked.calls)
        return replace(asked.exchange, results=(*asked.exchange.results, *results))

    def forget(self, call_id: str) -> None:
        """No answer to this call is wanted any more, nor to the others of its exchange."""
        asked = self._open.pop(call_id, None)
        for call in asked.calls if asked else ():
            self._open.pop(call.call_id, None)

    def _noted(self, asked: _Asked, call: ToolCall) -> ToolCall:
        if len(asked.exchange.results) + len(asked.calls) >= MAX_RESULTS:
            raise PartFailed("The brain calls tools without an end.", part="brain", trouble="garbage")
        self._count += 1
        call = replace(call, call_id=f"{call.call_id or 'call'}-{self._count}")
        asked.calls.append(call)
        self._open[call.call_id] = asked
        while len(self._open) > MAX_ASKED:
            self.forget(next(iter(self._open)))
        return call
