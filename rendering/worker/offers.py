"""The viewer's offers that wait to be answered, and what wakes a session up that waits for one or for its line."""

import asyncio
from collections.abc import Callable

from rendering import protocol
from rendering.worker.connection import Connection


class Offers:
    """In the order they came. All of it only from the event loop."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[protocol.LeaseEvent] = asyncio.Queue()
        self._news = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether one waits."""
        return not self._waiting.empty()

    def put(self, offer: protocol.LeaseEvent) -> None:
        self._waiting.put_nowait(offer)
        self._news.set()

    def look_up(self) -> None:
        """The line changed: who waits in `comes_before` looks at it again."""
        self._news.set()

    async def next(self, within_s: float) -> protocol.LeaseEvent:
        """The next one. Raises TimeoutError: none came in time."""
        return await asyncio.wait_for(self._waiting.get(), within_s)

    async def comes_before(self, connection: Connection, within_s: float, is_read: Callable[[], bool]) -> bool:
        """Wait for an offer (True), for this connection to stand, or for a viewer who reads without one.

        Raises:
            TimeoutError: nothing of it came in time.
        """
        async with asyncio.timeout(within_s):
            while not self and not connection.is_up and not is_read():
                await self._wait()
        return bool(self)

    async def nothing_changes(self, connection: Connection, is_read: Callable[[], bool]) -> None:
        """While the viewer reads: until an offer waits, this connection stands, or nobody reads any more."""
        while not self and not connection.is_up and is_read():
            await self._wait()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()
