"""The receive buffer: order, holes, bounds; and that it comes back to its depth where aiortc's does not."""

import pytest
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from rendering.dialogue.hearing.receive_buffer import (
    GAP_S,
    MAX_AHEAD_S,
    MAX_SPEED,
    RTP_RATE_HZ,
    WINDOW,
    Packet,
    Piece,
    ReceiveBuffer,
)

PACKET_S = 0.02
SAMPLES = 960


def buffer() -> ReceiveBuffer:
    """Payloads of 20 ms, whatever they hold."""
    return ReceiveBuffer(lambda payload: SAMPLES)


def packet(number: int, *, first_sequence: int = 0, first_timestamp: int = 0) -> Packet:
    return Packet((first_sequence + number) % 2**16, (first_timestamp + number * SAMPLES) % 2**32,
                  number.to_bytes(4, "big"))


def numbers(pieces: list[Piece]) -> list[int]:
    return [int.from_bytes(one.payload, "big") for one in pieces if one.kind == "packet"]


def feed(arrivals: list[tuple[float, Packet]], until_s: float) -> tuple[ReceiveBuffer, list[tuple[float, Piece]]]:
    """Push each packet at its time and take every 10 ms; the pieces with the time at which each came out."""
    tested, out, at_s = buffer(), [], 0.0
    waiting = sorted(arrivals, key=lambda one: one[0])
    while at_s <= until_s:
        while waiting and waiting[0][0] <= at_s:
            tested.push(waiting.pop(0)[1], at_s)
        out += [(at_s, piece) for piece in tested.take(at_s)]
        at_s = round(at_s + 0.01, 6)
    return tested, out


def test_packets_in_order_leave_at_once() -> None:
    tested, out = feed([(number * PACKET_S, packet(number)) for number in range(50)], 1.1)
    assert [int.from_bytes(piece.payload, "big") for _, piece in out] == list(range(50))
    assert all(abs(at_s - number * PACKET_S) < 0.0101 for number, (at_s, _) in enumerate(out))
    assert tested.depth_s == 0


def test_a_lost_packet_is_given_up_in_time_and_the_depth_recovers() -> None:
    """D1 of the reference: after one loss aiortc's buffer stays full for the rest of the session; this one does not."""
    tested, out = feed([(number * PACKET_S, packet(number)) for number in range(400) if number != 100], 8.1)
    delays_s = [at_s - int.from_bytes(piece.payload, "big") * PACKET_S for at_s, piece in out if piece.kind == "packet"]
    (recovered,) = [piece for _, piece in out if piece.kind == "recover"]
    assert recovered.samples == SAMPLES and recovered.payload == packet(101).payload
    assert tested.depth_s == 0 and tested.counts.lost == 1
    assert GAP_S <= max(delays_s) <= 0.060, "the gap is given up 40 to 60 ms after the next packet"
    assert max(delays_s[110:]) < 0.011, "and nothing is behind after it"


def test_aiortcs_buffer_never_recovers_from_one_lost_packet() -> None:
    """The negative control: the same feed into aiortc's own."""
    theirs = JitterBuffer(capacity=16, prefetch=4)
    behind = []
    for number in range(400):
        if number == 100:
            continue
        one = RtpPacket(sequence_number=number, timestamp=number * SAMPLES)
        one._data = number.to_bytes(4, "big")
        _, frame = theirs.add(one)
        if frame is not None:
            behind.append(number - frame.timestamp // SAMPLES)
    assert max(behind[:90]) <= 4
    assert behind[-1] >= 14, "if this fails, aiortc was mended: see whether the own buffer is still needed"


def test_a_burst_leaves_in_one_call() -> None:
    held_up = [(1.0 if 10 <= number < 50 else number * PACKET_S, packet(number)) for number in range(60)]
    tested, out = feed(held_up, 1.3)
    assert numbers([piece for _, piece in out]) == list(range(60))
    assert all(at_s == 1.0 for at_s, piece in out if 10 <= int.from_bytes(piece.payload, "big") < 50)
    assert tested.depth_s == 0 and tested.counts.lost == 0


def test_reordered_packets_are_put_right_and_duplicates_dropped() -> None:
    tested = buffer()
    for number in (0, 2, 2, 1, 1, 3, 0):
        tested.push(packet(number), 0.01)
    assert numbers(tested.take(0.01)) == [0, 1, 2, 3]
    assert tested.counts.duplicate + tested.counts.late == 3


def test_a_late_packet_does_not_come_twice() -> None:
    tested = buffer()
    for number in (0, 2):
        tested.push(packet(number), 0.0)
    tested.take(0.0)
    assert numbers(tested.take(GAP_S)) == [2]
    tested.push(packet(1), GAP_S)
    assert tested.take(1.0) == [] and tested.counts.late == 1


@pytest.mark.parametrize("first", [(65_530, 0), (0, 2**32 - 3000), (65_535, 2**32 - 1)])
def test_sequence_and_timestamp_wrap_around(first: tuple[int, int]) -> None:
    tested, out = buffer(), []
    for number in (0, 1, 2, 4, 5, 6, 7, 8, 9):
        tested.push(packet(number, first_sequence=first[0], first_timestamp=first[1]), number * PACKET_S)
        out += tested.take(number * PACKET_S)
    assert numbers(out) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert [piece.kind for piece in out].count("recover") == 1
    assert out[-1].end == 10 * SAMPLES, "no sample was lost or made twice"


def test_a_long_loss_is_filled_and_a_huge_one_begins_anew() -> None:
    for lost, kinds in ((20, ["packet", "conceal", "recover", "packet"]), (80, ["packet", "restart", "packet"])):
        tested = buffer()
        tested.push(packet(0), 0.0)
        out = tested.take(0.0)
        tested.push(packet(lost + 1), 2.0)
        out += tested.take(2.0 + GAP_S)
        assert [piece.kind for piece in out] == kinds


def test_one_stray_packet_is_ignored_and_a_new_stream_is_followed() -> None:
    tested, out = buffer(), []
    for number, at in enumerate((0, 1, 30_000, 2, 3, 30_000, 30_001, 30_002)):
        tested.push(packet(at), number * PACKET_S)
        out += tested.take(number * PACKET_S)
    assert numbers(out) == [0, 1, 2, 3, 30_001, 30_002]
    assert [piece.kind for piece in out].count("restart") == 1


def test_a_pause_of_the_sender_is_silence_and_nothing_lost() -> None:
    tested = buffer()
    tested.push(Packet(0, 0, b"a"), 0.0)
    tested.push(Packet(1, SAMPLES * 5, b"b"), 0.1)
    assert [(one.kind, one.samples) for one in tested.take(0.1)] == [
        ("packet", SAMPLES), ("silence", SAMPLES * 4), ("packet", SAMPLES)]


@pytest.mark.parametrize("lie", [0, 1, 5 * RTP_RATE_HZ, 2**31, 2**32 - 1])
def test_a_time_stamp_that_lies_moves_nothing(lie: int) -> None:
    tested = buffer()
    tested.push(packet(0), 0.0)
    tested.push(Packet(1, lie, b"\0\0\0\1"), 0.02)
    tested.push(Packet(2, (lie + SAMPLES) % 2**32, b"\0\0\0\2"), 0.04)
    out = tested.take(0.04)
    assert numbers(out) == [0, 1, 2]
    assert out[-1].end <= 3 * SAMPLES + RTP_RATE_HZ


arrivals = st.lists(st.tuples(
    st.one_of(st.integers(0, 40), st.integers(0, 65_535)),  # sequence
    st.one_of(st.integers(0, 40).map(lambda number: number * SAMPLES), st.integers(0, 2**32 - 1)),
    st.floats(0, 0.2),  # seconds after the one before
    st.integers(0, 5_760)), max_size=120)


@given(arrivals)
def test_whatever_comes_the_bounds_hold(sent: list[tuple[int, int, float, int]]) -> None:
    """Random and hostile packets: what is held and what is handed on stays bounded, and time only goes on."""
    lengths: dict[bytes, int] = {}

    def samples_of(payload: bytes) -> int:
        if lengths[payload] < 120:
            raise ValueError
        return lengths[payload]

    tested = ReceiveBuffer(samples_of)
    now_s, end, seen = 0.0, 0, set[bytes]()
    for number, (sequence, timestamp, wait_s, samples) in enumerate(sent):
        now_s += wait_s
        payload = number.to_bytes(2, "big")
        lengths[payload] = samples
        tested.push(Packet(sequence, timestamp, payload), now_s)
        for piece in tested.take(now_s):
            assert piece.end == end + piece.samples and piece.samples >= 0
            assert piece.kind != "packet" or piece.payload not in seen, "no packet is heard twice"
            end = piece.end
            seen |= {piece.payload} if piece.kind == "packet" else set()
        assert len(tested._waiting) < WINDOW
        assert end <= (MAX_AHEAD_S + now_s * MAX_SPEED) * RTP_RATE_HZ + 1
        assert tested.due_s is None or tested.due_s >= now_s - 1e-9
    tested.take(now_s + GAP_S)
    assert tested.depth_s == 0


@given(st.permutations(range(12)))
def test_any_order_within_the_gap_comes_out_right(order: list[int]) -> None:
    tested = buffer()
    tested.push(packet(0), 0.0)
    out = tested.take(0.0)
    for number in order:
        tested.push(packet(number + 1), GAP_S / 2)
    out += tested.take(GAP_S / 2)
    assert numbers(out) == list(range(13))


def test_a_flood_is_refused() -> None:
    tested = buffer()
    for number in range(5000):
        tested.push(packet(number), 0.001 * number)
        tested.take(0.001 * number)
    assert tested.counts.refused > 3000 and tested.counts.received < 500
