"""The viewer's voice through real aiortc connections, and the private names that are replaced in it."""

import asyncio
import time
from typing import Any

import av
import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import MediaStreamTrack

from rendering.dialogue.seams import Hop
from rendering.worker.microphone import JITTER_BUFFER, MAX_SOURCES, MICROPHONES, Microphone
from rendering.worker.peer import with_fec_wanted
from tests.common.voice_packets import speech


class VoiceTrack(MediaStreamTrack):  # type: ignore[misc]
    """Says the sentence in real time, again and again."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._at, self._began_s = 0, time.monotonic()

    async def recv(self) -> av.AudioFrame:
        self._at += 320
        await asyncio.sleep(max(0.0, self._began_s + self._at / 16_000 - time.monotonic()))
        pcm = np.take(speech(), range(self._at, self._at + 320), mode="wrap")
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16_000, self._at
        return frame


async def heard_over(kind: str, seconds: float) -> list[tuple[float, Hop]]:
    """A viewer's voice over loopback, as a connection's microphone of this kind hears it."""
    began_s = time.monotonic()
    out: list[tuple[float, Hop]] = []
    microphone = MICROPHONES[kind](
        lambda hop: out.append((time.monotonic() - began_s, hop)), lambda: time.monotonic() - began_s)
    ours, theirs = RTCPeerConnection(), RTCPeerConnection()
    microphone.attach(ours.addTransceiver("audio", direction="sendrecv").receiver)
    theirs.addTrack(VoiceTrack())
    await theirs.setLocalDescription(await theirs.createOffer())
    await ours.setRemoteDescription(RTCSessionDescription(theirs.localDescription.sdp, "offer"))
    await ours.setLocalDescription()
    await theirs.setRemoteDescription(RTCSessionDescription(ours.localDescription.sdp, "answer"))
    listening = asyncio.create_task(microphone.run())
    await asyncio.sleep(seconds)
    listening.cancel()
    await asyncio.gather(ours.close(), theirs.close())
    return out


@pytest.mark.parametrize("kind", ["own", "aiortc"])
async def test_a_voice_is_heard_through_a_real_connection(kind: str) -> None:
    out = await heard_over(kind, 3.0)
    assert len(out) > 50
    assert all(len(hop.pcm) == 320 for _, hop in out)
    assert max(hop.speech for _, hop in out) > 0.8
    assert np.std(np.concatenate([hop.pcm for _, hop in out[20:]])) > 500


def test_the_private_names_of_aiortc_are_still_there() -> None:
    """aiortc is pinned. When this fails, look how its receiver hands packets on, and mend `microphone.py`."""
    receiver = RTCRtpReceiver("audio", type("Transport", (), {"state": "new"})())
    theirs = getattr(receiver, JITTER_BUFFER)
    assert isinstance(theirs, JitterBuffer) and theirs.capacity == 16
    assert asyncio.iscoroutinefunction(receiver._handle_rtp_packet)
    assert RTCPeerConnection.__module__ == "aiortc.rtcpeerconnection"


async def test_more_sources_than_a_viewer_has_are_dropped_and_forgotten() -> None:
    seen: list[int] = []

    class Receiver:
        transport = type("T", (), {"_rtp_router": type("R", (), {"ssrc_table": dict.fromkeys(range(100))})()})()

        async def _handle_rtp_packet(self, packet: Any, arrival_time_ms: int) -> None:
            seen.append(packet.ssrc)

    receiver = Receiver()
    Microphone(lambda hop: None, lambda: 0.0).attach(receiver)
    for ssrc in range(100):
        await receiver._handle_rtp_packet(type("P", (), {"ssrc": ssrc})(), arrival_time_ms=0)
    assert seen == list(range(MAX_SOURCES))
    assert list(receiver.transport._rtp_router.ssrc_table) == seen


def test_the_answer_asks_for_the_packet_before_in_each() -> None:
    sdp = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=ptime:20\r\n"
    asked = "opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=ptime:20\r\n"
    assert asked in with_fec_wanted(sdp)
    assert with_fec_wanted("a=rtpmap:97 H264/90000\r\n") == "a=rtpmap:97 H264/90000\r\n"
