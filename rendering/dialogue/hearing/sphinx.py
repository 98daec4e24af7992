"""The embedded ears: pocketsphinx in a process of its own, English only.

It knows the words that a persona's viewer is likely to say (`expected`) and common ones, and finds those well. It is
no dictation: without hints it takes the wheel's own open model, which gets about every second sentence right.
"""

import asyncio
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from rendering.dialogue.answer import BOUNDS
from rendering.dialogue.hearing.sphinx_orders import order_bytes
from rendering.dialogue.seams import HEARING_RATE_HZ, Heard, PartFailed, Samples

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAM = "rendering.dialogue.hearing.sphinx_process"
MAX_UTTERANCE_S = 40.0  # what is said beyond it is not heard
# Milliseconds are usual. Sooner than the conversation gives up: it would cancel `finish`, and nobody ended the process.
FINISH_WITHIN_S = 0.8 * BOUNDS.ears_s
WARM_WITHIN_S = 30.0
MAX_WAITING_ORDERS = 4_000  # 80 s of hops: a process that is so far behind hangs, and is ended
LANGUAGES = ("en",)


class SphinxEars:
    """`Ears` of one worker: one process, one utterance at a time. All of it from the event loop's thread."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._count = 0

    def listen(self, *, language: str, expected: Sequence[str] = ()) -> "SphinxListening":
        """As `Ears.listen`; the utterance before is cancelled.

        Raises:
            PartFailed: there is no embedded recogniser for this language; typed text is the way.
        """
        if language.split("-")[0].lower() not in LANGUAGES:
            raise PartFailed(
                "There is no embedded recogniser for this language; what is typed is understood.", part="ears",
                trouble="missing", language=language.split("-")[0].lower()[:8])
        self._count += 1
        return SphinxListening(self._running(), self._count, list(expected))

    def expect(self, *, language: str, expected: Sequence[str]) -> None:
        """A conversation begins in which these sentences are likely. Returns at once.

        To make ready for them takes a third of a second, which the first utterance would otherwise wait for.
        """
        if language.split("-")[0].lower() in LANGUAGES:
            self._running().send(b"E", 0, json.dumps(list(expected)).encode())

    async def warm_up(self, expected: Sequence[str] = ()) -> None:
        """Start the process and load its dictionary. Sentences are told by `expect`, with their language."""
        running = self._running()
        try:
            async with asyncio.timeout(WARM_WITHIN_S):
                await running.ready.wait()
        except TimeoutError:
            running.kill()
        if not running.is_alive:
            raise PartFailed("The recogniser did not start. Install pocketsphinx.", part="ears", trouble="missing")

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _running(self) -> "_Process":
        if self._process is None or not self._process.is_alive:
            self._process = _Process(asyncio.get_running_loop())
        return self._process


class SphinxListening:
    """`Listening`: sound goes to the process, what it understands comes back."""

    def __init__(self, process: "_Process", number: int, expected: list[str]) -> None:
        self._process, self._number = process, number
        self._room = int(MAX_UTTERANCE_S * HEARING_RATE_HZ)
        process.utterances = {number: self}
        self._partial = Heard("", is_final=False)
        self._final: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        process.send(b"B", number, json.dumps(expected).encode())

    def push(self, pcm: Samples) -> None:
        taken = pcm[: self._room]
        self._room -= len(taken)
        if len(taken):
            self._process.send(b"A", self._number, np.ascontiguousarray(taken, "<i2").tobytes())

    def partial(self) -> Heard:
        return self._partial

    async def finish(self) -> Heard:
        """As `Listening.finish`, within FINISH_WITHIN_S. A process that does not answer is ended and made anew.

        Not one that is only just starting: it would never come to an end of that.
        """
        self._process.send(b"F", self._number)
        try:
            async with asyncio.timeout(FINISH_WITHIN_S):
                return await asyncio.shield(self._final)
        except TimeoutError as error:
            if self._process.ready.is_set():
                self._process.kill()
            raise PartFailed("The recogniser did not answer in time.", part="ears", trouble="stalled") from error

    def cancel(self) -> None:
        self._process.utterances.pop(self._number, None)
        self._final.cancel()
        self._process.send(b"C", self._number)

    def take(self, heard: Heard) -> None:
        """What the process says of this utterance."""
        self._partial = heard
        if heard.is_final and not self._final.done():
            self._final.set_result(heard)

    def fail(self) -> None:
        """The process ended."""
        if not self._final.done():
            self._final.set_exception(PartFailed("The recogniser ended.", part="ears", trouble="broken"))
            self._final.exception()  # asked for here, so that nobody is warned when `finish` never comes


class _Process:
    """The program, a thread that writes to it and one that reads, so that a full pipe never holds up the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._orders: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.ready = asyncio.Event()
        self.is_alive = True
        self.utterances: dict[int, SphinxListening] = {}
        # Nothing of the worker's environment: neither its key's place nor its address is this program's business.
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
        self._program = subprocess.Popen(
            [sys.executable, "-m", PROGRAM], cwd=REPOSITORY, env={**kept, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for work in (self._write, self._read):
            threading.Thread(target=work, name="ears", daemon=True).start()

    def send(self, kind: bytes, utterance: int, body: bytes = b"") -> None:
        """Queue one order; an ended process takes none, and one that hangs is ended."""
        if self._orders.qsize() > MAX_WAITING_ORDERS:
            self.kill()
        if self.is_alive:
            self._orders.put(order_bytes(kind, utterance, body))

    def kill(self) -> None:
        self.is_alive = False
        self._orders.put(None)
        self._program.kill()

    def _write(self) -> None:
        assert self._program.stdin is not None
        with suppress(OSError):  # it ended; the reader sees that, too, and says so
            while (order := self._orders.get()) is not None:
                self._program.stdin.write(order)
                self._program.stdin.flush()

    def _read(self) -> None:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            self._call(self._take, line)
        self._program.wait()
        self._call(self._ended)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits for words any more
            self._loop.call_soon_threadsafe(function, *arguments)

    def _take(self, line: bytes) -> None:
        answer = json.loads(line)
        if answer.get("ready"):
            self.ready.set()
        elif (listening := self.utterances.get(answer["utterance"])) is not None:
            listening.take(Heard(answer["text"], answer["is_final"], answer["confidence"]))

    def _ended(self) -> None:
        self.is_alive = False
        self._orders.put(None)
        self.ready.set()
        for listening in self.utterances.values():
            listening.fail()
