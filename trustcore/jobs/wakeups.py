"""Wake-ups between processes: PostgreSQL NOTIFY out, one LISTEN connection per process in.

A wake-up says "look again", never what happened: the rows are the truth, so a lost or doubled wake-up costs time and
nothing else. `notify` runs inside the caller's transaction and PostgreSQL delivers it at commit, so nobody wakes for a
change that was rolled back.

The listener is a thread, not a task, because waiters may live on different event loops (each test client call has its
own).
"""

import asyncio
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection, connections

CHANNEL = "trustcore_wake"
# Consent tells of each withdrawal, suspension and expiry here, as {"subject": public id, ...}; it wakes the topic
# "subject:<id>".
REVOKED_CHANNEL = "trustcore_revoked"
RECONNECT_S = 0.5
READY_TIMEOUT_S = 5.0
IDLE_CLOSE_S = 1.0


def notify(topic: str) -> None:
    """Wake whoever waits for `topic` once the current transaction has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, topic])


def topic_of(channel: str, payload: str) -> str:
    """The topic that a notification wakes."""
    return f"subject:{json.loads(payload)['subject']}" if channel == REVOKED_CHANNEL else payload


class Waiter:
    """One place that waits. Made by `waiting`, before the state is looked at, so that no change
    falls between look and wait.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._async_event: asyncio.Event | None = None

    def wake(self) -> None:
        """Called on the listener's thread."""
        self._event.set()
        loop, event = self._loop, self._async_event
        if loop is not None and event is not None and not loop.is_closed():
            loop.call_soon_threadsafe(event.set)

    async def wait(self, timeout_s: float) -> bool:
        """True when woken, False after `timeout_s`. Clears the wake-up, so look at the state after each return."""
        self._async_event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if not self._event.is_set():
            try:
                await asyncio.wait_for(self._async_event.wait(), timeout_s)
            except TimeoutError:
                return False
        self._event.clear()
        return True


class Listener:
    """Hands each notification of this process's one LISTEN connection to the waiters of its topic.

    The connection is opened with the first waiter and closed soon after the last one left.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: dict[str, set[Waiter]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self._is_listening = threading.Event()

    @contextmanager
    def waiting(self, topics: Iterable[str]) -> Iterator[Waiter]:
        """Register for `topics`. Call `ensure_listening` inside the block before the first look at the state."""
        waiter, names = Waiter(), frozenset(topics)
        with self._lock:
            for name in names:
                self._waiters[name].add(waiter)
        try:
            yield waiter
        finally:
            with self._lock:
                for name in names:
                    self._waiters[name].discard(waiter)
                    if not self._waiters[name]:
                        del self._waiters[name]

    def ensure_listening(self) -> None:
        """Blocks until the LISTEN connection is up. Without it, waiters only miss wake-ups; they
        still look again by themselves.
        """
        with self._lock:
            if self._thread is None:
                self._is_listening.clear()
                self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
                self._thread.start()
        self._is_listening.wait(READY_TIMEOUT_S)

    def close(self, within_s: float = 5.0) -> None:
        """Wait until the connection is gone. With waiters left it stays open."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(within_s)

    def _run(self) -> None:
        while True:
            try:
                self._listen()
            except psycopg.OperationalError:
                # The database went away. Waiters look again by themselves at their time limit; here only the connection
                # is renewed.
                time.sleep(RECONNECT_S)
            with self._lock:
                if not self._waiters:
                    self._thread = None
                    return

    def _listen(self) -> None:
        params = connections["default"].get_connection_params()
        names = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "service", "passfile")
        with psycopg.connect(**{name: params[name] for name in names if name in params}, autocommit=True) as link:
            link.execute(f"LISTEN {CHANNEL}")
            link.execute(f"LISTEN {REVOKED_CHANNEL}")
            self._is_listening.set()
            self._wake_all()
            while True:
                for notice in link.notifies(timeout=IDLE_CLOSE_S):
                    self._wake(topic_of(notice.channel, notice.payload))
                with self._lock:
                    if not self._waiters:
                        self._is_listening.clear()
                        return

    def _wake(self, topic: str) -> None:
        with self._lock:
            for waiter in self._waiters.get(topic, ()):
                waiter.wake()

    def _wake_all(self) -> None:
        """After a reconnect: whatever was said meanwhile was missed, so everybody looks again."""
        with self._lock:
            for waiters in self._waiters.values():
                for waiter in waiters:
                    waiter.wake()


LISTENER = Listener()
waiting = LISTENER.waiting
ensure_listening = LISTENER.ensure_listening
