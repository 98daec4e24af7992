"""Which codec a session gets: the one it prefers where the viewer offers it, else the other, never a third."""

import asyncio

import pytest
from aiortc import RTCPeerConnection, RTCRtpSender

from provenance.manifests.permit import LeaseClock, Permit
from provenance.manifests.seal import SealCounters
from rendering.worker.audio import SoundLine
from rendering.worker.peer import OfferUnusable, Peer, answered_codec
from rendering.worker.tracks import MediaClock, SealedVideoTrack, SoundTrack
from trustcore.primitives.clock import SystemClock


class Nobody:
    """Hears what the viewer's side does, and does nothing."""

    def state_changed(self, _state: str) -> None: ...


@pytest.mark.parametrize(("offered", "wanted", "settled"), [
    (["h264", "vp8"], "h264", "h264"), (["h264", "vp8"], "vp8", "vp8"), (["vp8", "h264"], "h264", "h264"),
    (["vp8"], "h264", "vp8"), (["h264"], "vp8", "h264"),
])
async def test_the_preferred_codec_is_taken_where_it_is_offered(offered: list[str], wanted: str, settled: str) -> None:
    clock = SystemClock()
    permit = Permit("g1", "ab", "c1", "r1", 1, "cd", "y1", 1, "", "en", {}, 1e12, LeaseClock(1e12))
    peer = Peer(
        SealedVideoTrack(permit, SealCounters(), clock, print, print),  # type: ignore[arg-type]
        SoundTrack(permit, SoundLine(), clock, MediaClock(clock), print), Nobody(),  # type: ignore[arg-type]
        resend_bps=30_000, video_codec=wanted)
    viewer = RTCPeerConnection()
    codecs = RTCRtpSender.getCapabilities("video").codecs
    by_name = [codec for name in offered for codec in codecs if codec.mimeType.lower() == f"video/{name}"]
    viewer.addTransceiver("video", direction="recvonly").setCodecPreferences(by_name)
    viewer.addTransceiver("audio", direction="recvonly")
    try:
        await viewer.setLocalDescription(await viewer.createOffer())
        answer = await peer.answer(viewer.localDescription.sdp)
        assert peer.video_codec == answered_codec(answer) == settled
    finally:
        await asyncio.gather(viewer.close(), peer.close())


def test_an_answer_without_a_codec_of_the_profile_is_refused() -> None:
    audio_only = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    with pytest.raises(OfferUnusable, match="no picture"):
        answered_codec(audio_only)
    other = audio_only + "m=video 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\na=rtpmap:98 AV1/90000\r\n"
    with pytest.raises(OfferUnusable, match="neither"):
        answered_codec(other)


@pytest.mark.parametrize("direction", ["inactive", "recvonly", "sendrecv"])
def test_an_answer_to_a_viewer_who_takes_no_picture_is_refused(direction: str) -> None:
    """Sound alone would be heard and never logged."""
    answer = (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\n"
        f"c=IN IP4 0.0.0.0\r\na={direction}\r\na=rtpmap:97 VP8/90000\r\n")
    with pytest.raises(OfferUnusable, match="takes no picture"):
        answered_codec(answer)
    assert answered_codec(answer.replace(direction, "sendonly")) == "vp8"
