"""Asking a service over HTTP, within bounds. One door for every adapter that speaks to another machine.

The address comes from the operator's settings alone. Redirects are refused, proxies of the environment are not used,
compressed answers are not taken, and whatever goes wrong becomes `PartFailed` without a word of what was said, without
the address and without the key.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from rendering.dialogue.seams import Part, PartFailed, Trouble

MAX_ANSWER_BYTES = 32 * 1024 * 1024
KEEP_ALIVE_S = 60.0  # a connection that is still open saves three ways over the network before the next answer
MOST_SILENT_S = 60.0  # of a connection; the bounds of each adapter cut sooner
MOST_WAIT_S = 3600.0  # what a service may say about when to come back

Item = TypeVar("Item")


@dataclass(frozen=True)
class Bounds:
    """How long a part is waited for: until its first piece, between two pieces, and in all. Time in which nobody
    asks for the next piece does not count."""

    first_s: float
    between_s: float
    total_s: float


@dataclass(frozen=True)
class Service:
    """Where a service is, as the operator set it. `base_url` ends before "/chat/completions" and the like."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)


class ServiceClient:
    """Sends requests to one service.

    Args:
        part: whom a failure is reported of.
    """

    def __init__(self, service: Service, part: Part) -> None:
        self.service = service
        self.part = part
        self._client = _client_of(service)  # here, since reading the certificates takes longer than some bounds

    async def post(
        self, path: str, *, answers: tuple[str, ...], json: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | None = None, files: Mapping[str, Any] | None = None, content: bytes | None = None,
        headers: Mapping[str, str] | None = None, taken: tuple[int, ...] = (),
    ) -> AsyncGenerator[bytes, None]:
        """The answer's bytes as they come. Closing the iterator closes the connection.

        Args:
            answers: content types that make sense.
            taken: statuses that say "I have it" and nothing more: no bytes come.

        Raises:
            PartFailed: busy, refused, broken or garbage.
        """
        size = 0
        try:
            async with self._client.stream(
                "POST", path, json=json, data=data, files=files, content=content, headers=headers,
            ) as response:
                if response.status_code in taken:
                    return
                self._check(response, answers)
                async for chunk in response.aiter_raw():
                    size += len(chunk)
                    if size > MAX_ANSWER_BYTES:
                        raise self.failed("garbage", "The service answered more than it can have to say.")
                    yield chunk
        except httpx.HTTPError as error:
            raise self.failed(
                "broken", "The connection to the service broke.", cause=type(error).__name__) from error

    async def close(self) -> None:
        """Lets go of the connections that are kept open."""
        await self._client.aclose()

    def failed(self, trouble: Trouble, message: str, **facts: Any) -> PartFailed:
        return PartFailed(message, part=self.part, trouble=trouble, **facts)

    def _check(self, response: httpx.Response, answers: tuple[str, ...]) -> None:
        status = response.status_code
        if status in (429, 503):
            facts = {"status": status} | _retry_after(response)
            raise self.failed("busy", "The service has too much to do; try again later.", **facts)
        if status >= 500:
            raise self.failed("broken", "The service failed.", status=status)
        if 300 <= status < 400:
            raise self.failed("refused", "The service sends us elsewhere; set its final address.", status=status)
        if status != 200:
            raise self.failed("refused", "The service refuses the request; look at key and model.", status=status)
        kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind not in answers or response.headers.get("content-encoding", "identity") != "identity":
            raise self.failed("garbage", "The service answers in a form that nobody asked for.")


def _client_of(service: Service) -> httpx.AsyncClient:
    headers = {"Accept-Encoding": "identity"}
    if service.key:
        headers["Authorization"] = f"Bearer {service.key}"
    return httpx.AsyncClient(
        base_url=service.base_url, headers=headers, timeout=MOST_SILENT_S, follow_redirects=False, trust_env=False,
        limits=httpx.Limits(max_connections=4, keepalive_expiry=KEEP_ALIVE_S))


async def bounded(source: AsyncGenerator[Item, None], bounds: Bounds, part: Part) -> AsyncGenerator[Item, None]:
    """The same pieces, or PartFailed ("slow_start", "stalled") when one is not there in time. Closes `source`."""
    loop = asyncio.get_running_loop()
    waited_s, wait_s = 0.0, bounds.first_s
    trouble: Trouble = "slow_start"
    async with aclosing(source):
        while True:
            asked_s = loop.time()
            try:
                async with asyncio.timeout(min(wait_s, bounds.total_s - waited_s)):
                    piece = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise PartFailed("A part gave nothing in time.", part=part, trouble=trouble) from error
            waited_s += loop.time() - asked_s
            yield piece
            wait_s, trouble = bounds.between_s, "stalled"


def _retry_after(response: httpx.Response) -> dict[str, float]:
    text = response.headers.get("retry-after", "").strip()
    return {"retry_after_s": min(float(text), MOST_WAIT_S)} if text.isascii() and text.isdigit() else {}
