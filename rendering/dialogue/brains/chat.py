"""A brain behind an OpenAI-compatible chat service (`POST /chat/completions`, streamed as server-sent events).

The form is the one that vLLM, llama.cpp, Ollama and the hosted services share: `data: {json}` events with
`choices[0].delta.content` and `.tool_calls`, ended by `data: [DONE]`.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from rendering.dialogue.brains.brief import Brief, messages
from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.seams import Exchange, Line, ToolCall
from rendering.dialogue.service import Bounds, Service, ServiceClient, bounded
from rendering.dialogue.tags import LineStream

BOUNDS = Bounds(first_s=3.0, between_s=2.0, total_s=30.0)
WARM_UP_BOUNDS = Bounds(first_s=20.0, between_s=20.0, total_s=20.0)
MAX_LINE_BYTES = 64 * 1024
MAX_ANSWER_CHARS = 8000  # about ten minutes of speech
MAX_ANSWER_TOKENS = 400
MAX_ARGUMENT_CHARS = 8000
MAX_CALLS = 8

_DONE = "[DONE]"


@dataclass(frozen=True)
class _Delta:
    """What one event adds: text, or a piece of a tool call."""

    text: str = ""
    call_index: int = -1
    call_id: str = ""
    call_name: str = ""
    call_arguments: str = ""


class ChatBrain:
    """Asks a chat service (`Brain`).

    Args:
        script: says the greeting.
    """

    def __init__(self, service: Service, brief: Brief, script: ScriptedBrain, bounds: Bounds = BOUNDS) -> None:
        self._client = ServiceClient(service, "brain")
        self._brief = brief
        self._script = script
        self._bounds = bounds

    def greeting(self) -> tuple[Line, ...]:
        return self._script.greeting()

    async def answer(self, exchange: Exchange) -> AsyncIterator[Line | ToolCall]:
        """Clause by clause as the service thinks of them; tool calls at the end.

        Raises:
            PartFailed: slow_start, stalled, busy, refused, broken or garbage.
        """
        stream, calls, said, size = LineStream(), dict[int, _Delta](), 0, 0
        source = bounded(self._deltas(messages(self._brief, exchange)), self._bounds, "brain")
        async with aclosing(source) as deltas:
            async for delta in deltas:
                size += len(delta.text)
                if size > MAX_ANSWER_CHARS:
                    raise self._client.failed("garbage", "The service does not come to an end.")
                for line in stream.push(delta.text):
                    said += 1
                    yield line
                if delta.call_index >= 0:
                    self._add(calls, delta)
        for line in stream.finish():
            said += 1
            yield line
        for index in sorted(calls):
            said += 1
            yield self._whole(calls[index])
        if not said:
            raise self._client.failed("garbage", "The service answered without a word.")

    async def warm_up(self) -> None:
        """Opens the connection and lets the service read its model: one word is asked for and thrown away."""
        asked = [{"role": "user", "content": "Hello"}]
        async with aclosing(bounded(self._deltas(asked, most_tokens=1), WARM_UP_BOUNDS, "brain")) as deltas:
            async for _ in deltas:
                pass

    async def close(self) -> None:
        await self._client.close()

    async def _deltas(
        self, asked: list[dict[str, Any]], most_tokens: int = MAX_ANSWER_TOKENS
    ) -> AsyncGenerator[_Delta, None]:
        body: dict[str, Any] = {
            "model": self._client.service.model, "messages": asked, "stream": True, "max_tokens": most_tokens}
        if self._brief.tools and most_tokens > 1:
            body["tools"] = [dict(tool) for tool in self._brief.tools]
        source = self._client.post("/chat/completions", json=body, answers=("text/event-stream",))
        is_over = False
        async with aclosing(_lines(source, self._client)) as lines:
            async for line in lines:
                if not line.startswith("data:"):
                    continue  # an empty line, a comment that keeps the connection alive, or a field nobody needs
                event = line.removeprefix("data:").strip()
                if event == _DONE:
                    return
                deltas, has_ended = self._read(event)
                is_over = is_over or has_ended
                for delta in deltas:
                    yield delta
        if not is_over:
            raise self._client.failed("broken", "The service broke off in the middle of its answer.")

    def _read(self, event: str) -> tuple[list[_Delta], bool]:
        """What one event adds, and whether it ends the answer."""
        try:
            told = json.loads(event)
            if "error" in told:
                raise self._client.failed("broken", "The service failed in the middle of its answer.")
            choice = (told.get("choices") or [{}])[0]
            delta = choice.get("delta") or {}
            text = delta.get("content") or ""
            out = [_Delta(text)] if _is_text(text) and text else []
            out += [_call(piece) for piece in delta.get("tool_calls") or ()]
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
            raise self._client.failed("garbage", "The service sent an event that makes no sense.") from error
        return out, bool(choice.get("finish_reason"))

    def _add(self, calls: dict[int, _Delta], piece: _Delta) -> None:
        so_far = calls.get(piece.call_index, _Delta(call_index=piece.call_index))
        whole = _Delta(
            "", piece.call_index, so_far.call_id or piece.call_id, so_far.call_name or piece.call_name,
            so_far.call_arguments + piece.call_arguments)
        calls[piece.call_index] = whole
        if len(whole.call_arguments) > MAX_ARGUMENT_CHARS or len(calls) > MAX_CALLS:
            raise self._client.failed("garbage", "The service asks for more than a tool can do.")

    def _whole(self, call: _Delta) -> ToolCall:
        """The finished call. A tool that the persona does not have is never called."""
        try:
            arguments = json.loads(call.call_arguments or "{}")
        except (ValueError, RecursionError) as error:
            raise self._client.failed("garbage", "The service calls a tool with arguments that are none.") from error
        if call.call_name not in self._brief.tool_names or not isinstance(arguments, Mapping):
            raise self._client.failed("garbage", "The service calls a tool that this persona does not have.")
        return ToolCall(call.call_name, arguments, call.call_id[:80])


async def _lines(source: AsyncGenerator[bytes, None], client: ServiceClient) -> AsyncGenerator[str, None]:
    """Lines of a byte stream; none may be longer than MAX_LINE_BYTES."""
    held = b""
    async with aclosing(source) as chunks:
        async for chunk in chunks:
            *whole, held = (held + chunk).split(b"\n")
            if max(len(line) for line in (*whole, held)) > MAX_LINE_BYTES:
                raise client.failed("garbage", "The service sent a line without an end.")
            for line in whole:
                yield _decoded(line, client)
    if held.strip():
        yield _decoded(held, client)


def _decoded(line: bytes, client: ServiceClient) -> str:
    try:
        return line.decode().strip()
    except UnicodeDecodeError as error:
        raise client.failed("garbage", "The service sent bytes that are no text.") from error


def _is_text(text: object) -> bool:
    if not isinstance(text, str):
        raise TypeError("content is no text")
    return True


def _call(piece: Mapping[str, Any]) -> _Delta:
    function = piece.get("function") or {}
    index = piece.get("index", 0)
    if not isinstance(index, int) or index < 0:
        raise ValueError("a tool call has no place")
    return _Delta(
        "", index, str(piece.get("id") or ""), str(function.get("name") or ""), str(function.get("arguments") or ""))


