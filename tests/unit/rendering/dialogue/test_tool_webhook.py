"""An app is told of tool calls by signed requests: its answer is said, its faults are spoken around."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rendering.dialogue import tool_webhook
from rendering.dialogue.seams import PartFailed, ToolCall
from rendering.dialogue.service import Bounds
from rendering.dialogue.tool_webhook import GENUINE_FOR_S, ToolWebhook, is_genuine, signature
from tests.common.scripted_service import Request, read_request
from tests.unit.rendering.dialogue.test_tool_calls import Booker, result, room_of, until

KEY = b"k" * 32
CALL = ToolCall("book", {"day": "Friday"}, "call_1-1")
Reply = Callable[[Request, int], Awaitable[tuple[int, str, bytes]]]


class App:
    """An app of one address. `reply(request, which one it is)` -> status, content type and body."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.requests: list[Request] = []
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                self.requests.append(request)
                status, kind, body = await self.reply(request, len(self.requests))
                head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                head += "Location: /elsewhere\r\n" if status == 307 else ""
                writer.write(head.encode() + b"\r\n" + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


def says(status: int, body: Any = None, kind: str = "application/json") -> Reply:
    async def reply(_request: Request, _number: int) -> tuple[int, str, bytes]:
        return status, kind, b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()

    return reply


@asynccontextmanager
async def app(reply: Reply) -> AsyncIterator[App]:
    one = App(reply)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/tools"
    async with server:
        yield one


@asynccontextmanager
async def webhook_to(one: App, bounds: Bounds = tool_webhook.BOUNDS, at_s: float = 1_000_000.7) -> AsyncIterator[Any]:
    webhook = ToolWebhook(one.address, KEY, "c1", bounds, lambda: at_s)
    yield webhook
    await webhook.close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_webhook, "PAUSES_S", (0.01, 0.01))


async def test_a_call_goes_out_signed_and_its_result_comes_back() -> None:
    async with app(says(200, {"result": {"paid": True}})) as one, webhook_to(one) as webhook:
        assert await webhook.ask(CALL) == '{"paid": true}'
        (request,) = one.requests
    assert request.path == "/hooks/tools" and request.json == {
        "event_type": "conversation.tool_call", "conversation_id": "c1",
        "properties": {"name": "book", "arguments": {"day": "Friday"}, "tool_call_id": "call_1-1"}}
    assert request.headers["trustcore-delivery"] == "c1/call_1-1"
    expected = hmac.new(KEY, b"1000000." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["trustcore-signature"] == f"t=1000000,v1={expected}"
    assert "authorization" not in request.headers and "cookie" not in request.headers


@pytest.mark.parametrize("status", [202, 204])
async def test_an_app_may_answer_later(status: int) -> None:
    async with app(says(status)) as one, webhook_to(one) as webhook:
        assert await webhook.ask(CALL) is None


async def test_a_fault_is_tried_again_under_the_same_delivery_and_then_it_is_enough() -> None:
    async def second(_request: Request, number: int) -> tuple[int, str, bytes]:
        return (500, "text/plain", b"") if number < 2 else (200, "application/json", b'{"result": "yes"}')

    async with app(second) as one, webhook_to(one) as webhook:
        assert await webhook.ask(CALL) == "yes"
        assert len({request.headers["trustcore-delivery"] for request in one.requests}) == 1
    async with app(says(500)) as one, webhook_to(one) as webhook:
        with pytest.raises(PartFailed) as failed:
            await webhook.ask(CALL)
        assert failed.value.facts["trouble"] == "broken" and len(one.requests) == 3


@pytest.mark.parametrize(("reply", "trouble"), [
    (says(401), "refused"), (says(307), "refused"), (says(200, b"no json"), "garbage"), (says(200, ["x"]), "garbage"),
    (says(200, {"other": 1}), "garbage"), (says(200, {"result": ""}), "garbage"),
    (says(200, {"result": "x" * 8001}), "garbage"), (says(200, b"x" * 70_000), "garbage"),
    (says(200, {"result": "x"}, "text/html"), "garbage"),
])  # fmt: skip
async def test_a_refusal_and_nonsense_are_told_at_once_and_no_redirect_is_followed(reply: Reply, trouble: str) -> None:
    async with app(reply) as one, webhook_to(one) as webhook:
        with pytest.raises(PartFailed) as failed:
            await webhook.ask(CALL)
        assert failed.value.facts["trouble"] == trouble and failed.value.facts["part"] == "brain"
        assert [request.path for request in one.requests] == ["/hooks/tools"]
        assert not any(word in f"{failed.value} {failed.value.facts}" for word in ("127.0.0.1", "Friday", "kkk"))


async def test_a_silent_app_is_bounded() -> None:
    async def never(_request: Request, _number: int) -> tuple[int, str, bytes]:
        await asyncio.sleep(60)
        raise AssertionError

    async with app(never) as one, webhook_to(one, Bounds(0.2, 0.2, 0.2)) as webhook:
        with pytest.raises(PartFailed) as failed:
            await webhook.ask(CALL)
        assert failed.value.facts["trouble"] == "slow_start" and len(one.requests) == 3


def test_mallory_s_requests_are_not_genuine() -> None:
    body, now_s = b'{"a": 1}', 1_000_000.0
    good = signature(KEY, 1_000_000, body)
    assert is_genuine(KEY, good, body, now_s) and is_genuine(KEY, good, body, now_s + GENUINE_FOR_S)
    assert not is_genuine(KEY, good, body, now_s + GENUINE_FOR_S + 1)  # said again later
    assert not is_genuine(KEY, good, body, now_s - GENUINE_FOR_S - 1)
    assert not is_genuine(KEY, good, body + b" ", now_s)
    assert not is_genuine(b"m" * 32, good, body, now_s)
    assert not is_genuine(KEY, good.replace("t=1000000", "t=1000001"), body, now_s)  # freshened
    for header in ("", "t=", "t=x,v1=", "t=²,v1=00", f"t={'9' * 40},v1=00", "v1=00", good[:-1], good + "é"):
        assert not is_genuine(KEY, header, body, now_s)


async def test_what_the_app_answers_is_said_and_counts_once() -> None:
    asked: list[ToolCall] = []

    async def ask(call: ToolCall) -> str | None:
        asked.append(call)
        return "booked"

    booker = Booker()
    room = await room_of(booker, ask_app=ask)
    await until(lambda: "It is booked." in room.said())
    room.talk.on_control_event(result(asked[0].call_id, "a million"))
    await asyncio.sleep(0.1)
    assert len(asked) == 1 and len(booker.asked) == 2 and not room.faults
    await room.close()


async def test_an_app_that_fails_is_spoken_around_at_once_and_told() -> None:
    async def ask(call: ToolCall) -> str | None:
        raise PartFailed("It broke.", part="brain", trouble="broken")

    room = await room_of(Booker(), ask_app=ask, tool_within_s=60.0)
    await until(lambda: room.faults and len(room.said()) >= 2)
    assert [fault.facts["trouble"] for fault in room.faults] == ["broken"]
    await room.close()


async def test_an_interruption_stops_the_asking() -> None:
    stopped = asyncio.Event()

    async def ask(call: ToolCall) -> str | None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()
        return None

    room = await room_of(Booker(), ask_app=ask)
    await asyncio.sleep(0.05)
    room.talk.interrupt()
    await asyncio.wait_for(stopped.wait(), 5)
    await room.close()
