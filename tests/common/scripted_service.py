"""An HTTP server in this process that behaves as a fault says, and knows which connections are still open."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rendering.dialogue.voices.sound import wav_of

WORDS = ("Your claim ", "is paid, and the ", "money comes on ", "Friday. <emotion ", 'value="joy"/>Good ', "news.")
SAID = ["Your claim is paid,", "and the money comes on Friday.", "Good news."]
SOUND = (8000 * np.sin(np.arange(24_000) / 20)).astype(np.int16)  # one second at 24 kHz
HEARD = "my claim number is twelve"
LONG_S = 30.0  # far over every bound of the tests


@dataclass(frozen=True)
class Fault:
    """One way to go wrong, and what an adapter must make of it."""

    name: str
    trouble: str


# "slow_first": nothing comes; "stall": it stops after the first piece; "broken_stream": the connection ends in the
# middle; "garbage": bytes that make no sense; "never_ending": pieces without an end.
FAULTS = (
    Fault("slow_first", "slow_start"), Fault("stall", "stalled"), Fault("status_429", "busy"),
    Fault("status_503", "busy"), Fault("status_500", "broken"), Fault("status_401", "refused"),
    Fault("redirect", "refused"), Fault("broken_stream", "broken"), Fault("garbage", "garbage"),
    Fault("wrong_type", "garbage"), Fault("compressed", "garbage"), Fault("never_ending", ""),
    Fault("closed_at_once", "broken"),
)  # fmt: skip


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedService:
    """`fault` may be changed between requests; "" answers as it should."""

    fault: str = ""
    events: list[str] | None = None  # of the chat, in place of WORDS
    requests: list[Request] = field(default_factory=list)
    open: int = 0
    elsewhere: int = 0  # requests that followed a redirect
    base_url: str = ""

    async def closed(self) -> bool:
        """Whether every connection is gone, within a generous time."""
        for _ in range(400):
            if not self.open:
                return True
            await asyncio.sleep(0.01)
        return False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while (request := await read_request(reader)) is not None:
                self.requests.append(request)
                gone = asyncio.create_task(reader.read(1))  # a client that closes is seen while the answer is held
                answer = asyncio.create_task(self._answer(request, writer))
                await asyncio.wait({gone, answer}, return_when=asyncio.FIRST_COMPLETED)
                is_done = answer.done() and answer.exception() is None and answer.result()
                for task in (gone, answer):
                    task.cancel()
                await asyncio.gather(gone, answer, return_exceptions=True)
                if not is_done:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Whether the answer came to its end, so that the connection may be used again."""
        if request.path == "/elsewhere":
            self.elsewhere += 1
        if self.fault == "closed_at_once":
            return False
        if self.fault == "slow_first":
            await asyncio.sleep(LONG_S)
        if self.fault.startswith("status_"):
            status = self.fault.removeprefix("status_")
            head = f"HTTP/1.1 {status} X\r\nRetry-After: 7\r\nContent-Length: 6\r\n\r\nsecret"
            writer.write(head.encode())
            await writer.drain()
            return True
        if self.fault == "redirect":
            writer.write(b"HTTP/1.1 307 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return True
        kind, pieces = self._pieces(request.path)
        kind = "text/html" if self.fault == "wrong_type" else kind
        extra = "Content-Encoding: gzip\r\n" if self.fault == "compressed" else ""
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{extra}Transfer-Encoding: chunked\r\n\r\n".encode())
        return await self._send(pieces, writer)

    async def _send(self, pieces: list[bytes], writer: asyncio.StreamWriter) -> bool:
        if self.fault == "garbage":
            pieces = [b"RIFF\xff\xff\xff\xffnope" + b"x" * 200 + b"\ndata: \xff{]\n\n"]
        if self.fault in ("stall", "broken_stream"):
            pieces = [pieces[0][: max(1, len(pieces[0]) // 2)]] if len(pieces) == 1 else pieces[:1]
        while True:
            for piece in pieces:
                writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0.001)
            if self.fault == "stall":
                await asyncio.sleep(LONG_S)
            if self.fault == "broken_stream":
                return False
            if self.fault != "never_ending":
                writer.write(b"0\r\n\r\n")
                await writer.drain()
                return True

    def _pieces(self, path: str) -> tuple[str, list[bytes]]:
        is_endless = self.fault == "never_ending"
        if path.endswith("/audio/speech"):
            sound = SOUND.astype("<i2").tobytes()
            return "audio/pcm", [sound[i : i + 4801] for i in range(0, len(sound), 4801)]
        if path.endswith("/audio/transcriptions"):
            return "application/json", [b" " * 4096] if is_endless else [json.dumps({"text": HEARD}).encode()]
        events = self.events if self.events is not None else [_delta({"content": word}) for word in WORDS]
        ends = [] if is_endless else [_delta({}, "stop"), "data: [DONE]\n\n"]
        return "text/event-stream; charset=utf-8", [event.encode() for event in (": ping\n\n", *events, *ends)][
            1 if self.fault in ("stall", "broken_stream") else 0 :]


def _delta(delta: dict[str, Any], finish: str | None = None) -> str:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}]})}\n\n"


def tool_events(name: str, *arguments: str) -> list[str]:
    """A tool call whose arguments come in pieces."""
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in arguments]
    return [_delta({"tool_calls": [one]}) for one in (first, *rest)]


def sound_file() -> bytes:
    return wav_of(SOUND, 24_000)


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode() if not reader.at_eof() else ""
    if not head:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split()[1], headers, body)


@asynccontextmanager
async def scripted_service(fault: str = "", events: list[str] | None = None) -> AsyncIterator[ScriptedService]:
    """A service on a port of this machine."""
    service = ScriptedService(fault, events)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield service
