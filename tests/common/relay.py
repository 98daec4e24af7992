"""A bad network in user space: a UDP relay between a viewer and a worker, seeded, for tests and benchmarks.

The relay's address stands in the answer's candidate instead of the worker's, so every packet of the connection goes
through it, both ways. It needs no privileges. Each direction is a line of its own: packets wait behind each other at
its rate, what would wait longer than QUEUE_S is dropped, chance losses and outages take what they take, and jitter
delays packets without turning their order around.
"""

import asyncio
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

QUEUE_S = 0.6
HEADER_BYTES = 28  # UDP and IP
APART_S = 1e-5  # two packets never arrive at the same moment: an event loop would turn some of them around
_CANDIDATE = re.compile(r"(a=candidate:\S+ \d+ udp \d+ )(\S+) (\d+)( typ host)", re.IGNORECASE)


@dataclass(frozen=True)
class Profile:
    """One kind of network. Delays are one way, in ms; rates in bits a second, 0 for no limit; outages in s."""

    name: str
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_share: float = 0.0
    down_bps: int = 0
    up_bps: int = 0
    outage_every_s: float = 0.0
    outage_s: float = 0.0


PROFILES = {profile.name: profile for profile in (
    Profile("none"),
    Profile("good4g", 25, 5, 0.002, 6_000_000, 3_000_000),
    Profile("lossy", 30, 10, 0.08, 2_000_000, 1_000_000),
    Profile("3g", 100, 30, 0.03, 400_000, 200_000),
    Profile("2g", 300, 60, 0.02, 110_000, 64_000),
    Profile("assam", 120, 60, 0.05, 250_000, 150_000, outage_every_s=15.0, outage_s=3.0),
)}


class Direction:
    """One way of a line. PURE: given the time, says when a packet arrives."""

    def __init__(self, profile: Profile, rate_bps: int, seed: int) -> None:
        self.turn_to(profile, rate_bps)
        self._random = random.Random(seed)
        self._free_at_s = self._last_s = 0.0

    def turn_to(self, profile: Profile, rate_bps: int) -> None:
        """Be such a line from the next packet on."""
        self._profile, self._rate_bps = profile, rate_bps

    def arrives_s(self, size_bytes: int, now_s: float, since_start_s: float) -> float | None:
        """When a packet that is sent now arrives; None when it is lost."""
        profile = self._profile
        is_lost, delay_ms = self._random.random() < profile.loss_share, self._random.gauss(0.0, profile.jitter_ms)
        every_s = profile.outage_every_s
        if every_s and since_start_s % every_s > every_s - profile.outage_s:
            return None
        begins_s = max(now_s, self._free_at_s)
        if begins_s - now_s > QUEUE_S:
            return None
        takes_s = 8 * (size_bytes + HEADER_BYTES) / self._rate_bps if self._rate_bps else 0.0
        self._free_at_s = begins_s + takes_s  # a packet that is lost later took its time, too
        if is_lost:
            return None
        self._last_s = max(self._last_s + APART_S, self._free_at_s + max(0.0, profile.delay_ms + delay_ms) / 1000)
        return self._last_s


@dataclass
class Relay:
    """Relays of one viewer's connections, in a loop of its own. `count`: packets that came and were dropped."""

    profile: Profile
    seed: int = 1
    count: dict[str, int] = field(default_factory=lambda: {"came": 0, "dropped": 0})
    is_down: bool = False  # by hand: nothing passes
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    ports: "list[_Port]" = field(default_factory=list)

    def turn_to(self, profile: Profile) -> None:
        """Be another line, for the connections at hand and for later ones."""
        self.profile = profile
        for port in self.ports:
            port.turn_to(profile)

    def rewritten(self, answer_sdp: str) -> str:
        """The answer with each host candidate of the worker replaced by a port of this relay, all others left out."""
        def through(match: re.Match[str]) -> str:
            port = asyncio.run_coroutine_threadsafe(self._open((match[2], int(match[3]))), self.loop).result(5)
            return f"{match[1]}127.0.0.1 {port}{match[4]}"

        lines = [line for line in answer_sdp.split("\r\n") if "a=candidate" not in line or " typ host" in line]
        first = next((line for line in lines if "a=candidate" in line), None)
        kept = [line for line in lines if "a=candidate" not in line or line == first]
        return _CANDIDATE.sub(through, "\r\n".join(kept))

    async def _open(self, worker: tuple[str, int]) -> int:
        transport, _ = await self.loop.create_datagram_endpoint(
            lambda: _Port(self, worker), local_addr=("127.0.0.1", 0))
        return int(transport.get_extra_info("sockname")[1])


class _Port(asyncio.DatagramProtocol):
    """The side that the viewer sees; it opens the other side with the first packet."""

    def __init__(self, relay: Relay, worker: tuple[str, int]) -> None:
        self._relay, self._worker = relay, worker
        profile = relay.profile
        self._up, self._down = (Direction(profile, rate, relay.seed + n)
                                for n, rate in enumerate((profile.up_bps, profile.down_bps)))
        self._viewer: Any = None
        self._began_s = relay.loop.time()
        relay.ports.append(self)

    def turn_to(self, profile: Profile) -> None:
        self._up.turn_to(profile, profile.up_bps)
        self._down.turn_to(profile, profile.down_bps)

    def connection_made(self, transport: Any) -> None:
        self._near = transport
        self._far: asyncio.Task[Any] = self._relay.loop.create_task(self._relay.loop.create_datagram_endpoint(
            lambda: _Far(self), remote_addr=self._worker))

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._viewer = address
        self.pass_on(self._up, data, lambda: self._far.result()[0].sendto(data) if self._far.done() else None)

    def came_back(self, data: bytes) -> None:
        self.pass_on(self._down, data, lambda: self._near.sendto(data, self._viewer))

    def pass_on(self, way: Direction, data: bytes, send: Any) -> None:
        loop = self._relay.loop
        self._relay.count["came"] += 1
        at_s = way.arrives_s(len(data), loop.time(), loop.time() - self._began_s)
        if at_s is None or self._relay.is_down:
            self._relay.count["dropped"] += 1
        else:
            loop.call_at(at_s, send)


class _Far(asyncio.DatagramProtocol):
    """The side that the worker sees."""

    def __init__(self, port: _Port) -> None:
        self._port = port

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._port.came_back(data)


@contextmanager
def relaying(profile: Profile, seed: int = 1) -> Iterator[Relay]:
    """A relay in a thread of its own."""
    relay = Relay(profile, seed)
    thread = threading.Thread(target=relay.loop.run_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.loop.call_soon_threadsafe(relay.loop.stop)
        thread.join(5)
