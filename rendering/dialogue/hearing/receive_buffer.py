"""The receive buffer of the viewer's voice: order, gaps and bounds, by time and never by count. PURE.

A recogniser does not play sound, so nothing is held back in advance: a packet in order is handed on at once, and the
target depth is zero. Only a gap makes later packets wait, for GAP_S; then the hole is filled and everything behind it
leaves in the same call, so after a loss or a burst the buffer stands at its target again. (aiortc's own buffer waits
until it is full and then stays full: 300 ms behind for the rest of a session after one lost packet.)

Whoever sends is not trusted: sequence numbers and times are hints that are checked, and the sound that is handed on
never runs ahead of the time that passed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

RTP_RATE_HZ = 48_000  # of Opus timestamps, RFC 7587 section 4.1
GAP_S = 0.040  # a missing packet is given up this long after a later one came; it was due 20 ms before that
WINDOW = 150  # packets, 3 s of 20 ms: a sequence number further away belongs to another stream, or to none
MAX_FILL = 1 * RTP_RATE_HZ  # a hole longer than this is not filled: the line begins anew
MAX_AHEAD_S = 3.0  # a queue on the way may let go of this much at once
MAX_SPEED = 1.05  # no honest microphone's clock is 5 % fast
MAX_PACKETS_PER_S, MAX_PACKETS_AT_ONCE = 110, 330  # 10 ms is the shortest packet browsers send

PieceKind = Literal["packet", "recover", "conceal", "silence", "restart"]


@dataclass(frozen=True)
class Packet:
    """One RTP packet of the voice. `sequence` modulo 2^16, `timestamp` modulo 2^32 at RTP_RATE_HZ."""

    sequence: int
    timestamp: int
    payload: bytes


@dataclass(frozen=True)
class Piece:
    """What the decoder does next.

    "packet": decode `payload`. "recover": decode what `payload`, the packet after a hole, carries of the one before
    it (in-band FEC, RFC 6716 section 2.1.7). "conceal": make `samples` up. "silence": the sender sent nothing there.
    "restart": forget what was; a new line begins. `end`: samples since the first piece, after this one.
    """

    kind: PieceKind
    samples: int  # at RTP_RATE_HZ
    end: int
    payload: bytes = b""


@dataclass
class ReceiveCounts:
    """What became of the packets, for statistics."""

    received: int = 0
    late: int = 0
    duplicate: int = 0
    malformed: int = 0
    refused: int = 0  # more than the time that passed allows
    lost: int = 0
    restarts: int = 0


@dataclass(frozen=True)
class _Waiting:
    packet: Packet
    samples: int
    arrived_s: float


class ReceiveBuffer:
    """Takes packets as they come, gives pieces in order. Holds at most WINDOW packets, whatever comes.

    Args:
        samples_of: the length of a payload at RTP_RATE_HZ; raises ValueError for what is no packet.
    """

    def __init__(self, samples_of: Callable[[bytes], int]) -> None:
        self.counts = ReceiveCounts()
        self._samples_of = samples_of
        self._waiting: dict[int, _Waiting] = {}  # by unwrapped sequence
        self._next: int | None = None  # unwrapped sequence that is due
        self._timestamp = 0  # of the next sample, modulo 2^32
        self._end = 0  # samples handed on
        self._usual = 960  # samples of the last packet
        self._stray: int | None = None  # the sequence that would prove a new stream
        self._is_restarting = False
        self._packets = _Bucket(MAX_PACKETS_PER_S, MAX_PACKETS_AT_ONCE)
        self._sound = _Bucket(MAX_SPEED * RTP_RATE_HZ, MAX_AHEAD_S * RTP_RATE_HZ)

    @property
    def depth_s(self) -> float:
        """How much sound waits, in seconds."""
        return sum(one.samples for one in self._waiting.values()) / RTP_RATE_HZ

    @property
    def due_s(self) -> float | None:
        """When the gap at hand is given up, in the time of `push`; None when nothing waits."""
        return min(one.arrived_s for one in self._waiting.values()) + GAP_S if self._waiting else None

    def push(self, packet: Packet, now_s: float) -> None:
        """Take one packet that arrived at `now_s`; what cannot be one, or is one too many, is counted and dropped."""
        if not self._packets.take(1, now_s):
            self.counts.refused += 1
            return
        try:
            samples = self._samples_of(packet.payload)
        except ValueError:
            self.counts.malformed += 1
            return
        number = self._place(packet)
        if number is None:
            return
        if number in self._waiting:
            self.counts.duplicate += 1
        elif not self._sound.take(samples, now_s):
            self.counts.refused += 1
        else:
            self.counts.received += 1
            self._waiting[number] = _Waiting(packet, samples, now_s)

    def restart(self) -> None:
        """Another stream begins with the next packet."""
        self._waiting.clear()
        self._next = self._stray = None
        self._is_restarting = self._end > 0

    def take(self, now_s: float) -> list[Piece]:
        """What is in order by now, with the holes filled whose time is over."""
        pieces: list[Piece] = []
        while self._waiting:
            if self._next not in self._waiting:
                due_s = self.due_s
                if due_s is None or now_s < due_s:
                    break
                pieces += self._give_up_on_hole(now_s)
            pieces += self._hand_on(now_s)
        return pieces

    def _place(self, packet: Packet) -> int | None:
        """The packet's unwrapped sequence number; None when it comes too late or from nowhere.

        One packet from far away proves nothing; two in a row are a stream that began anew (RFC 3550 appendix A.1).
        """
        if self._next is None:
            self._begin_at(packet)
        assert self._next is not None
        ahead = (packet.sequence - self._next + 0x8000) % 0x10000 - 0x8000
        if abs(ahead) >= WINDOW:
            if packet.sequence != self._stray:
                self._stray = (packet.sequence + 1) % 0x10000
                self.counts.late += 1
                return None
            self.restart()
            self._begin_at(packet)
            ahead = 0
        self._stray = None
        if ahead < 0:
            self.counts.late += 1
            return None
        return self._next + ahead

    def _begin_at(self, packet: Packet) -> None:
        self._next = packet.sequence
        self._timestamp = packet.timestamp

    def _give_up_on_hole(self, now_s: float) -> list[Piece]:
        """Fill the hole before the first packet that waits; or begin anew, when it is too long to be filled."""
        assert self._next is not None
        first = min(self._waiting)
        packet, missing = self._waiting[first].packet, first - self._next
        self.counts.lost += missing
        self._next = first
        hole = (packet.timestamp - self._timestamp) % 2**32
        if not missing * 120 <= hole <= missing * 5760:  # a packet has 2.5 to 120 ms; this time stamp is not of one
            hole = missing * self._usual
        self._timestamp = packet.timestamp
        if hole > MAX_FILL or not self._sound.take(hole, now_s):
            self._is_restarting = True
            return []
        recovered = min(hole, self._usual)
        made_up = [self._piece("conceal", hole - recovered)] if hole > recovered else []
        return [*made_up, self._piece("recover", recovered, packet.payload)]

    def _hand_on(self, now_s: float) -> list[Piece]:
        assert self._next is not None
        one = self._waiting.pop(self._next)
        pieces: list[Piece] = []
        pause = (one.packet.timestamp - self._timestamp) % 2**32
        if self._is_restarting:
            self._is_restarting = False
            self.counts.restarts += 1
            pieces.append(self._piece("restart", 0))
        elif 0 < pause <= MAX_FILL and self._sound.take(pause, now_s):
            pieces.append(self._piece("silence", pause))
        self._next += 1
        self._timestamp = (one.packet.timestamp + one.samples) % 2**32
        self._usual = one.samples
        return [*pieces, self._piece("packet", one.samples, one.packet.payload)]

    def _piece(self, kind: PieceKind, samples: int, payload: bytes = b"") -> Piece:
        self._end += samples
        return Piece(kind, samples, self._end, payload)


class _Bucket:
    """A token bucket."""

    def __init__(self, per_s: float, at_once: float) -> None:
        self._per_s, self._at_once, self._tokens = per_s, at_once, at_once
        self._at_s: float | None = None

    def take(self, amount: float, now_s: float) -> bool:
        passed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        self._at_s = now_s
        self._tokens = min(self._at_once, self._tokens + passed_s * self._per_s)
        if amount > self._tokens:
            return False
        self._tokens -= amount
        return True
