"""A running loop whose clock only moves while everybody waits: stories told in seconds, whatever else the machine does.

What is scheduled for the same moment runs in the order in which it was scheduled, and work takes no time at all.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any

LONGEST_S = 60.0


class _Jump(selectors.DefaultSelector):
    """Does not wait: it says how long it would have."""

    def __init__(self, on_wait: Callable[[float], None]) -> None:
        super().__init__()
        self._on_wait = on_wait

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("Everybody waits, and for nothing that will ever come.")
        self._on_wait(timeout)
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """For parts that wait for one another and for the clock alone; not for sockets, nor for threads of their own."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Jump(self._pass))

    def _pass(self, seconds: float) -> None:
        self._now_s += max(0.0, seconds)

    def time(self) -> float:
        return self._now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any,
    ) -> asyncio.Future[Any]:
        """At once, and here: a thread would take of a time that does not pass."""
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  (handed on, as an executor does)
            done.set_exception(error)
        return done


def played(story: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a story to its end, which must come within LONGEST_S of its own time."""
    async def in_time() -> Any:
        async with asyncio.timeout(LONGEST_S):
            return await story()

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(in_time())
