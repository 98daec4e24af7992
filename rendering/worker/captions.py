"""What is said, for who reads it over HTTP: kept here, and told to control only while somebody reads."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from rendering import protocol
from rendering.worker.control import ControlClient, ControlRefused, ControlUnreachable

KEPT = 60  # events; who begins to read gets as much of what was said before
AT_ONCE = 50
TRY_AGAIN_S = 0.5


class Captions:
    """The words of one session, on their way to whoever has no line. All of it only from the event loop."""

    def __init__(self, control: ControlClient, lease: protocol.Lease, on_change: Callable[[], None]) -> None:
        """`on_change` hears when a viewer begins to read, or ends."""
        self._control = control
        self._lease = lease
        self._on_change = on_change
        self._kept: deque[protocol.Caption] = deque(maxlen=KEPT)
        self._told = 0
        self._reader = ""
        self._news = asyncio.Event()

    @property
    def is_viewer_reading(self) -> bool:
        """Whether the viewer goes on without a line."""
        return self._reader == "viewer"

    def take(self, text: str) -> None:
        """One event of the conversation as it travels; those that are not said are left out."""
        event = json.loads(text)
        if event["event_type"] in protocol.CAPTION_EVENTS:
            self._kept.append(protocol.Caption(event["seq"], text))
            self._news.set()

    def note_reader(self, reader: str) -> None:
        """Who reads now: one of protocol.READERS."""
        was_read, self._reader = self.is_viewer_reading, reader
        self._news.set()
        if was_read != self.is_viewer_reading:
            self._on_change()

    async def run(self) -> None:
        """Tell control, as long as somebody reads, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._reader and (portion := self._untold()):
                body = {"captions": [protocol.to_json(caption) for caption in portion]}
                try:
                    # What is refused once is refused again: it is not told a second time.
                    with suppress(ControlRefused):
                        await self._control.post(self._lease, "captions", body)
                except ControlUnreachable:
                    await asyncio.sleep(TRY_AGAIN_S)
                    continue
                self._told = portion[-1].seq

    def _untold(self) -> list[protocol.Caption]:
        return [caption for caption in self._kept if caption.seq > self._told][:AT_ONCE]
