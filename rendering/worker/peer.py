"""One WebRTC connection to one viewer: made before the offer comes, answered when it does. Picture and sound go out;
the viewer's voice comes in, where the page offers it.

What is prepared early: certificate, transceivers, codec choice, local candidates. What waits for the offer: the
answer. H.264 or VP8 is demanded, because the attestation travels in or behind frames of these two; the session names
the one it prefers, and the answer says which it became.
"""

import re
import time
from collections.abc import Sequence
from typing import Any, Protocol

from aioice import TransportPolicy
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCIceServer
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    unpack_remb_fci,
)
from aiortc.sdp import SessionDescription

from provenance.manifests.frame_codecs import CODECS
from rendering.worker.governor import LineReport
from rendering.worker.tracks import SealedVideoTrack, SoundTrack
from trustcore.primitives.errors import Refusal

EVENTS_CHANNEL = "trustcore-events"
TYPICAL_PACKET_BITS = 8 * 1_000
PATIENCE, PATIENCE_S = 1.0, 0.1  # round trips, and a bit for jitter; who asks later lost it once more
FEW_PACKETS = 20  # a share of fewer says nothing


class OfferUnusable(Refusal):
    """The viewer's offer has neither H.264 nor VP8, no picture, or does not parse."""

    code = "offer.unusable"


class ResendBudget:
    """Which packets are sent again. aiortc answers every request, which floods a narrow line. PURE.

    A token bucket, and a memory: a browser that does not know the round trip asks for a packet again while it is still
    on its way.
    """

    def __init__(self, bits_per_s: float, now_s: float) -> None:
        self._bits_per_s = bits_per_s
        self._tokens = bits_per_s
        self._at_s = now_s
        self._round_trip_s = 0.0
        self._sent_at_s: dict[int, float] = {}  # by sequence number

    def note_round_trip(self, seconds: float) -> None:
        self._round_trip_s = seconds

    def choose(self, sequences: Sequence[int], now_s: float) -> list[int]:
        """Which of the packets that are asked for may be sent again now."""
        patience_s = PATIENCE * self._round_trip_s + PATIENCE_S
        self._sent_at_s = {number: at_s for number, at_s in self._sent_at_s.items() if now_s - at_s < patience_s}
        fresh = [number for number in sequences if number not in self._sent_at_s]
        chosen = fresh[: self.take(len(fresh), now_s)]
        self._sent_at_s |= dict.fromkeys(chosen, now_s)
        return chosen

    def set_rate(self, bits_per_s: float) -> None:
        """So many bits a second from now on, and at most one second's worth at once."""
        self._bits_per_s = bits_per_s
        self._tokens = min(self._tokens, bits_per_s)

    def take(self, packets: int, now_s: float) -> int:
        """How many of `packets` may be sent again now."""
        self._tokens = min(self._bits_per_s, self._tokens + (now_s - self._at_s) * self._bits_per_s)
        self._at_s = now_s
        allowed = max(0, min(packets, int(self._tokens // TYPICAL_PACKET_BITS)))
        self._tokens -= allowed * TYPICAL_PACKET_BITS
        return allowed


class VoiceTaker(Protocol):
    """Takes the viewer's voice (`microphone.Microphone`)."""

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Before the receiver starts."""


class PeerListener(Protocol):
    """Who hears what the viewer's side does."""

    def heard(self) -> None:
        """The viewer's side said anything at all: it is still there."""

    def key_frame_wanted(self) -> None:
        """The viewer lost its reference picture."""

    def line_reported(self, report: LineReport) -> None:
        """What the viewer's side says of the line (RTCP)."""

    def channel_opened(self) -> None: ...

    def channel_message(self, text: str) -> None:
        """One message of the data channel, unchecked."""

    def state_changed(self, state: str) -> None:
        """aiortc's connectionState words."""


class Peer:
    """The viewer's side of a session, as the worker sees it."""

    def __init__(
        self, picture: SealedVideoTrack, sound: SoundTrack, listener: PeerListener, *, resend_bps: int,
        video_codec: str = "h264", ice_servers: list[dict[str, Any]] | None = None, voice: VoiceTaker | None = None,
        is_relayed: bool = False,
    ) -> None:
        """Prepare a connection that will send these two tracks. `video_codec` is preferred, not demanded.

        `voice` takes the viewer's; without one, none is received. `is_relayed`: no packet but through a TURN server.
        """
        self.video_codec = video_codec  # what the answer settled on, once there is one
        servers = [RTCIceServer(**server) for server in ice_servers or ()]
        # An empty list is given on purpose: without one aiortc would ask a public STUN server.
        configuration = RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self._connection = RTCPeerConnection(configuration)
        self._listener = listener
        self._channel: RTCDataChannel | None = None
        self._video = self._connection.addTransceiver(picture, direction="sendonly")
        self._audio = self._connection.addTransceiver(sound, direction="sendonly" if voice is None else "sendrecv")
        self._audio.setCodecPreferences(_opus_alone())
        if voice is not None:
            voice.attach(self._audio.receiver)
        # Before the remote description, or aiortc silently ignores it.
        self._video.setCodecPreferences(_capabilities(video_codec))
        self.resends = ResendBudget(resend_bps, time.monotonic())
        _listen_to_rtcp(self._video.sender, listener, self.resends)
        _listen_to_rtcp(self._audio.sender, listener, self.resends, is_sound=True)
        if is_relayed:
            # aiortc has no setting for it, but the ICE library beneath it does; a test watches the name.
            gatherer = self._video.sender.transport.transport.iceGatherer
            gatherer._connection._transport_policy = TransportPolicy.RELAY
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._open_channel)

    @property
    def dtls_fingerprint(self) -> str:
        """ "sha-256 AA:BB:..." of this connection's certificate; the session manifest binds it."""
        for fingerprint in self._video.sender.transport.getLocalParameters().fingerprints:
            if fingerprint.algorithm.lower() == "sha-256":
                return f"sha-256 {fingerprint.value.upper()}"
        raise OfferUnusable("This connection has no SHA-256 certificate fingerprint.")

    @property
    def connection_state(self) -> str:
        return str(self._connection.connectionState)

    async def prepare(self) -> None:
        """Gather local candidates, so that the answer need not wait for them."""
        await self._video.sender.transport.transport.iceGatherer.gather()

    async def answer(self, offer_sdp: str) -> str:
        """The SDP answer.

        Raises:
            OfferUnusable: neither H.264 nor VP8 in common, or not a WebRTC offer.
        """
        try:
            await self._connection.setRemoteDescription(
                RTCSessionDescription(
                    sdp=with_candidates_in_each_section(without_mdns_candidates(offer_sdp)), type="offer"))
            await self._connection.setLocalDescription()
        except (ValueError, KeyError, IndexError, AttributeError, RuntimeError) as error:
            raise OfferUnusable("This offer cannot be answered.", kind=type(error).__name__) from error
        answer = str(self._connection.localDescription.sdp)
        self.video_codec = answered_codec(answer)
        return with_fec_wanted(answer)

    def send_text(self, text: str) -> bool:
        """Send one message on the data channel; False when it is not open."""
        if self._channel is None or self._channel.readyState != "open":
            return False
        self._channel.send(text)
        return True

    async def close(self) -> None:
        await self._connection.close()

    def _open_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != EVENTS_CHANNEL or self._channel is not None:
            return
        self._channel = channel
        channel.on("message", self._channel_message)
        self._listener.channel_opened()

    def _channel_message(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._listener.channel_message(message)

    def _state_changed(self) -> None:
        self._listener.state_changed(self.connection_state)


def without_mdns_candidates(offer_sdp: str) -> str:
    """The offer without candidates named *.local.

    aioice would wait for multicast DNS before it answers. The browser checks our candidates anyway, and its address is
    learned from those checks. The end-of-candidates line goes too, so that aioice keeps waiting for them.
    """
    lines = offer_sdp.replace("\r\n", "\n").split("\n")
    kept = [line for line in lines if not (
        (line.startswith("a=candidate:") and ".local " in line) or line.startswith("a=end-of-candidates"))]
    return "\r\n".join(kept)


def with_candidates_in_each_section(offer_sdp: str) -> str:
    """The offer with the candidates of its bundle in every media section.

    A browser writes them into the first one only; aiortc takes those of the last one. Where the browser's address
    cannot be learned from its checks, as behind a TURN server, there would be no line.
    """
    head, *sections = re.split(r"(?=^m=)", offer_sdp, flags=re.MULTILINE)
    found = [line for section in sections for line in section.splitlines() if line.startswith("a=candidate:")]
    if not found:
        return offer_sdp
    own = "".join(f"{line}\r\n" for line in found)
    return head + "".join(section if "a=candidate:" in section else section.rstrip("\r\n") + "\r\n" + own
                          for section in sections)


def _capabilities(preferred: str) -> list[Any]:
    """aiortc's codecs of the live profile, `preferred` first."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    names = [f"video/{name}" for name in (preferred, *(name for name in CODECS if name != preferred))]
    wanted = [codec for name in names for codec in codecs if codec.mimeType.lower() == name]
    return wanted + [codec for codec in codecs if codec.mimeType.lower() == "video/rtx"]


def _opus_alone() -> list[Any]:
    """Sound in and out is Opus: the other codecs of aiortc hear worse and decode what is not bounded here."""
    return [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType.lower() == "audio/opus"]


def with_fec_wanted(answer_sdp: str) -> str:
    """The answer with a word for each Opus payload: send the packet before again, small, inside each (RFC 7587 6.1).

    aiortc has no such parameter and its answer names none, so a browser would not do it.
    """
    return re.sub(r"(?m)^(a=rtpmap:(\d+) opus/48000/2\r?\n)", r"\1a=fmtp:\2 minptime=10;useinbandfec=1\r\n", answer_sdp)


def answered_codec(answer_sdp: str) -> str:
    """Which codec of the live profile the pictures will have: the answer's first.

    Raises:
        OfferUnusable: none of them, no picture at all, or one that the viewer does not take.
    """
    for media in SessionDescription.parse(answer_sdp).media:
        if media.kind == "video":
            if media.direction != "sendonly":
                raise OfferUnusable("This offer takes no picture. Sound is not sent without one.")
            name = media.rtp.codecs[0].mimeType.lower().removeprefix("video/") if media.rtp.codecs else ""
            if name in CODECS and media.port:
                return name
            raise OfferUnusable("This browser offered neither H.264 nor VP8, which the signatures need.")
    raise OfferUnusable("This offer asks for no picture.")


class ReceiverReports:
    """The receiver reports on one stream, as shares of what was lost. PURE."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None  # highest sequence number, packets lost since the beginning

    def lost_share(self, highest: int, lost: int) -> float | None:
        """Of the packets since the last answer; None while they are too few to say."""
        if self._told is None:
            self._told = highest, lost
            return None
        expected = highest - self._told[0]
        if expected < FEW_PACKETS:
            return None
        share = (lost - self._told[1]) / expected
        self._told = highest, lost
        return max(0.0, min(1.0, share))


def _listen_to_rtcp(
    sender: RTCRtpSender, listener: PeerListener, budget: ResendBudget, *, is_sound: bool = False,
) -> None:
    """Hear what the viewer reports. aiortc keeps it for an encoder of its own, which is not used here.

    This replaces one bound method on one object; aiortc's version is pinned and a test watches the name.
    """
    original, told = sender._handle_rtcp_packet, ReceiverReports()

    async def handle(packet: AnyRtcpPacket) -> None:
        listener.heard()
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            listener.key_frame_wanted()
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            listener.line_reported(LineReport(receiver_bps=_receiver_rate(packet) or None))
        elif isinstance(packet, RtcpRrPacket):
            for report in packet.reports:
                if report.ssrc == sender._ssrc:
                    share = told.lost_share(report.highest_sequence, report.packets_lost)
                    rtt_s = _round_trip_s(sender, report.lsr, report.dlsr)
                    if rtt_s is not None:
                        budget.note_round_trip(rtt_s)
                    listener.line_reported(LineReport(sound_lost_share=share, rtt_s=rtt_s) if is_sound
                                           else LineReport(loss_share=share, rtt_s=rtt_s))
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            packet.lost = budget.choose(packet.lost, time.monotonic())
        await original(packet)

    sender._handle_rtcp_packet = handle


def _round_trip_s(sender: RTCRtpSender, lsr: int, dlsr: int) -> float | None:
    """From our last sender report to its echo (RFC 3550 6.4.1); None when the echo is of an older one."""
    if not dlsr or lsr != sender._RTCRtpSender__lsr:
        return None
    return max(0.0, time.time() - sender._RTCRtpSender__lsr_time - dlsr / 65_536)


def _receiver_rate(packet: RtcpPsfbPacket) -> int:
    try:
        return int(unpack_remb_fci(packet.fci)[0])
    except ValueError:
        return 0
