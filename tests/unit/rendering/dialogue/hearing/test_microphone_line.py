"""Packets in, hops out: in time, in order, and nothing lost on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.dialogue.hearing.microphone_line import CaptureClock, HopCutter, OpusLine
from rendering.dialogue.hearing.receive_buffer import GAP_S, Packet
from rendering.dialogue.hearing.voice_activity import EnergyVoiceActivity, pick_voice_activity
from rendering.dialogue.seams import HOP_S, HOP_SAMPLES, Hop
from tests.common.voice_packets import packets, speech


def arrivals(pcm: np.ndarray, lost: frozenset[int] = frozenset(), delay_s: float = 0.03) -> list[tuple[float, Packet]]:
    """Each packet leaves when its last sample was said and arrives `delay_s` later."""
    return [((number + 1) * 0.02 + delay_s, Packet(number, number * 960, payload))
            for number, payload in enumerate(packets(pcm)) if number not in lost]


def run(line: OpusLine, sent: list[tuple[float, Packet]]) -> list[tuple[float, Hop]]:
    """Each hop with the time at which it came out."""
    out: list[tuple[float, Hop]] = []
    for at_s, packet in sent:
        while line.due_s is not None and line.due_s <= at_s:
            due_s = line.due_s
            out += [(due_s, hop) for hop in line.take(due_s)]
        line.push(packet, at_s)
        out += [(at_s, hop) for hop in line.take(at_s)]
    return out


def test_every_hop_comes_at_once_and_says_when_it_was_heard() -> None:
    out = run(OpusLine(pick_voice_activity()), arrivals(speech()))
    assert all(len(hop.pcm) == HOP_SAMPLES for _, hop in out)
    assert max(at_s - hop.at_s for at_s, hop in out) < 0.001
    steps = np.diff([hop.at_s for _, hop in out])
    assert np.allclose(steps, HOP_S, atol=1e-6)
    assert max(hop.speech for _, hop in out) > 0.9 and not any(hop.is_concealed for _, hop in out)


def test_a_loss_is_marked_filled_and_made_up_for() -> None:
    whole = run(OpusLine(EnergyVoiceActivity()), arrivals(speech()))
    holed = run(OpusLine(EnergyVoiceActivity()), arrivals(speech(), lost=frozenset({30, 60, 61, 62})))
    assert len(holed) == len(whole), "time goes on"
    assert sum(hop.is_concealed for _, hop in holed) == 4
    late_s = [at_s - hop.at_s for at_s, hop in holed]
    # A single hole's last waiting sound is behind by the gap and the packets before it; a moment later nothing is.
    assert max(late_s) <= GAP_S + 4 * 0.02 + 0.001 and max(late_s[70:]) < 0.001


def test_another_stream_begins_clean() -> None:
    line = OpusLine(EnergyVoiceActivity())
    first = run(line, arrivals(speech())[:50])
    line.restart()
    again = run(line, [(at_s + 2.0, Packet(packet.sequence + 999, packet.timestamp + 5_000_000, packet.payload))
                       for at_s, packet in arrivals(speech())[:50]])
    assert len(first) == len(again) == 50
    assert np.array_equal(first[40][1].pcm, again[40][1].pcm)
    assert again[0][1].at_s == pytest.approx(first[0][1].at_s + 2.0)


def test_the_clock_goes_by_the_packets_that_came_quickest() -> None:
    clock = CaptureClock()
    for number in range(200):
        jitter_s = 0.05 if number % 3 else 0.0
        clock.see(number * 0.02, number * 0.02 + 0.03 + jitter_s)
    assert clock.at_s(200 * 0.02) == pytest.approx(200 * 0.02 + 0.03, abs=0.001)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 100)), max_size=30))
def test_media_time_never_goes_back(seen: list[tuple[float, float]]) -> None:
    clock, before_s = CaptureClock(), 0.0
    for heard_s, arrived_s in seen:
        clock.see(heard_s, arrived_s)
        assert clock.at_s(heard_s) >= before_s
        before_s = clock.at_s(heard_s)


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_hops_are_the_same_sound_however_it_comes(lengths: list[int]) -> None:
    cutter, sound = HopCutter(), np.arange(sum(lengths), dtype=np.int16)
    hops, at = [], 0
    for length in lengths:
        hops += cutter.push(sound[at : at + length], is_concealed=False)
        at += length
    together = np.concatenate([pcm for pcm, _ in hops]) if hops else np.zeros(0, np.int16)
    assert np.array_equal(together, sound[: len(together)]) and len(sound) - len(together) == cutter.waiting < 320


@given(st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 2**32 - 1), st.binary(max_size=60)), max_size=30))
def test_hostile_packets_make_no_more_hops_than_the_time_allows(sent: list[tuple[int, int, bytes]]) -> None:
    line, hops = OpusLine(EnergyVoiceActivity()), 0
    for number, (sequence, timestamp, payload) in enumerate(sent):
        line.push(Packet(sequence, timestamp, payload), number * 0.02)
        hops += len(line.take(number * 0.02))
    assert hops * HOP_S <= 3.0 + 1.05 * len(sent) * 0.02 + HOP_S
