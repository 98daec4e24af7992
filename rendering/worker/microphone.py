"""The viewer's voice, out of aiortc and into the conversation's `OpusLine`. Nothing of it is kept.

aiortc's receiver goes on counting and reporting what it gets; only its jitter buffer is replaced, by one that hands
each packet on at once and gives its decoder nothing. `AiortcDefaultLine` is aiortc's own way, for comparison.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from aiortc import RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError

from rendering.dialogue.hearing.microphone_line import HopCutter, OpusLine
from rendering.dialogue.hearing.receive_buffer import Packet
from rendering.dialogue.hearing.voice_activity import VoiceActivity, pick_voice_activity
from rendering.dialogue.seams import HEARING_RATE_HZ, HOP_S, Hop

JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"  # a private name of aiortc 1.16, which is pinned; a test watches it
MAX_SOURCES = 4  # a page that comes back or changes its device has another SSRC; one that makes hundreds is an attack


class Microphone:
    """One connection's voice. `run` hands every hop to `heard` until it is cancelled."""

    def __init__(self, heard: Callable[[Hop], None], now_s: Callable[[], float]) -> None:
        """`now_s`: media time."""
        self._heard = heard
        self._now_s = now_s
        self._line = OpusLine(pick_voice_activity())
        self._arrived = asyncio.Event()
        self._source: int | None = None

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Take this receiver's packets. Before it starts."""
        _bound_sources(receiver)
        setattr(receiver, JITTER_BUFFER, self)

    def add(self, packet: Any) -> tuple[bool, None]:
        """Stands in for aiortc's `JitterBuffer.add`: (no key frame is wanted, nothing for aiortc's decoder)."""
        if packet.ssrc != self._source:
            self._source = packet.ssrc
            self._line.restart()
        self._line.push(Packet(packet.sequence_number, packet.timestamp, packet.payload), self._now_s())
        self._arrived.set()
        return False, None

    async def run(self) -> None:
        """Hop by hop, as packets come, and when a gap's time is over."""
        while True:
            await self._news()
            self._arrived.clear()
            for hop in self._line.take(self._now_s()):
                self._heard(hop)

    async def _news(self) -> None:
        due_s = self._line.due_s
        try:
            async with asyncio.timeout(None if due_s is None else max(0.0, due_s - self._now_s())):
                await self._arrived.wait()
        except TimeoutError:
            pass  # the gap at hand is given up


class AiortcDefaultMicrophone:
    """The same through aiortc's own jitter buffer and decoder: what a benchmark compares with, nothing else."""

    def __init__(self, heard: Callable[[Hop], None], now_s: Callable[[], float]) -> None:
        self._heard, self._now_s = heard, now_s
        self._voice_activity: VoiceActivity = pick_voice_activity()
        self._cutter = HopCutter()

    def attach(self, receiver: RTCRtpReceiver) -> None:
        self._receiver = receiver

    async def run(self) -> None:
        to_16_khz = av.AudioResampler(format="s16", layout="mono", rate=HEARING_RATE_HZ)
        while self._receiver.track is None:  # noqa: ASYNC110 - aiortc tells nobody but the connection
            await asyncio.sleep(HOP_S)
        while True:
            try:
                frame = await self._receiver.track.recv()
            except MediaStreamError:
                return
            for part in to_16_khz.resample(frame):
                for pcm, _ in self._cutter.push(np.ravel(part.to_ndarray()), is_concealed=False):
                    self._heard(Hop(pcm, self._now_s(), self._voice_activity.push(pcm)))


MICROPHONES = {"own": Microphone, "aiortc": AiortcDefaultMicrophone}  # by TRUSTCORE_WORKER_MICROPHONE


def _bound_sources(receiver: RTCRtpReceiver) -> None:
    """Drop what comes from more than MAX_SOURCES sources: aiortc keeps a table entry for each, and never forgets one.

    This replaces one bound method on one object; a test watches the name.
    """
    original = receiver._handle_rtp_packet
    sources: set[int] = set()

    async def handle(packet: Any, arrival_time_ms: int) -> None:
        if packet.ssrc not in sources and len(sources) >= MAX_SOURCES:
            receiver.transport._rtp_router.ssrc_table.pop(packet.ssrc, None)
            return
        sources.add(packet.ssrc)
        await original(packet, arrival_time_ms=arrival_time_ms)

    receiver._handle_rtp_packet = handle
