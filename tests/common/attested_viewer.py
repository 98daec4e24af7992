"""An aiortc sender of attested frames and a page in headless Chromium that verifies them, for tests and benchmarks."""

import asyncio
import base64
import random
from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
from aioice.ice import StunProtocol
from aiortc import (
    MediaStreamTrack,
    RTCDtlsTransport,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from playwright.async_api import Page, async_playwright

from provenance.manifests.attest import Attested, Attestor
from provenance.manifests.carriage import Form
from provenance.manifests.frame_codecs import H264_FRAMES, OPUS_PACKETS, FrameCodec
from rendering.worker.audio import PACKET_SAMPLES, RATE_HZ, OpusEncoder
from tests.common.live_session import LiveSession, access_units, demo_signer, facts
from tests.common.static_server import serve

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--disable-background-networking",
    "--disable-features=WebRtcHideLocalIpsWithMdns", "--autoplay-policy=no-user-gesture-required",
]
PAGE = b"""<!doctype html><meta charset="utf-8"><video id="v" autoplay muted playsinline></video>
<script type="module" src="/viewer.js"></script>"""
VIEWER = b"""
import { setLocalOffer } from "/static/js/verify/offer.js";
import { createVerifier } from "/static/js/verify/verifier.js";
window.watch = async ({ anchor, nonce, hide, sound, isPlain, statusListUrl }) => {
  const peer = new RTCPeerConnection();
  const verifier = createVerifier({
    trustAnchorPem: anchor, sessionFacts: {}, onVerdict: (verdict) => { window.verdict = verdict; }, statusListUrl,
    askSignerEveryMs: 200,
  });
  window.verifier = verifier;
  const video = document.querySelector("video");
  const stream = new MediaStream();
  peer.ontrack = ({ track }) => { stream.addTrack(track); video.srcObject = stream; };
  window.peer = peer;
  verifier.attach(peer.addTransceiver("video", { direction: "recvonly" }).receiver);
  video.muted = !sound; // what is muted is not decoded
  if (sound) {
    const { receiver } = peer.addTransceiver("audio", { direction: "recvonly" });
    if (!isPlain) verifier.attach(receiver);
  }
  if (!hide) verifier.setHide(false);
  await setLocalOffer(peer);
  if (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => {
      peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === "complete") resolve(); };
    });
  }
  const answer = await window.postOffer({ sdp: peer.localDescription.sdp, nonce });
  await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
  try {
    const session = await verifier.useSession({ initSegment: answer.init, viewerNonce: nonce });
    return { ok: true, session };
  } catch (error) {
    return { ok: false, reason: error.message };
  }
};
window.shown = () => {
  const quality = document.querySelector("video").getVideoPlaybackQuality();
  return { shown: quality.totalVideoFrames - quality.droppedVideoFrames, verdict: window.verdict };
};
window.heard = async () => {
  const stats = [...(await window.peer.getStats()).values()];
  return stats.find((one) => one.type === "inbound-rtp" && one.kind === "audio");
};
window.ready = true;
"""


class UnitTrack(MediaStreamTrack):
    """Sends ready-made access units at 30 frames a second."""

    kind = "video"

    def __init__(self, units: Callable[[], bytes | None]) -> None:
        super().__init__()
        self._units = units
        self._sent = 0
        self._start = 0.0

    async def recv(self) -> av.Packet:
        loop = asyncio.get_running_loop()
        self._start = self._start or loop.time()
        await asyncio.sleep(max(0.0, self._start + self._sent / 30 - loop.time()))
        unit = self._units()
        if unit is None:
            self.stop()
            await asyncio.Event().wait()
        self._sent += 1
        packet = av.Packet(unit)
        packet.pts, packet.time_base = self._sent * 3000, Fraction(1, 90_000)
        return packet


class PacketTrack(MediaStreamTrack):
    """Sends ready-made Opus packets, fifty a second."""

    kind = "audio"

    def __init__(self, packets: Callable[[int], bytes]) -> None:
        super().__init__()
        self._packets = packets
        self._sent = 0
        self._start = 0.0

    async def recv(self) -> av.Packet:
        loop = asyncio.get_running_loop()
        self._start = self._start or loop.time()
        await asyncio.sleep(max(0.0, self._start + self._sent / 50 - loop.time()))
        packet = av.Packet(self._packets(self._sent))
        packet.pts, packet.time_base = self._sent * 960, Fraction(1, 48_000)
        self._sent += 1
        return packet


@cache
def spoken(seconds: int = 4) -> tuple[bytes, ...]:
    """Opus packets of something like a voice, as the worker encodes them."""
    at_s = np.arange(RATE_HZ * seconds) / RATE_HZ
    phase = np.cumsum(120 + 20 * np.sin(6 * np.pi * at_s)) * 2 * np.pi / RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 25)) * (0.5 + 0.5 * np.sin(5 * np.pi * at_s))
    pcm = (voice / np.abs(voice).max() * 20_000).astype(np.int16)
    encoder, packets = OpusEncoder(), list[bytes]()
    for first in range(0, len(pcm), PACKET_SAMPLES):
        packets += [bytes(packet) for packet in encoder.encode(pcm[first : first + PACKET_SAMPLES], first)]
    return tuple(packets)


class Sender:
    """One aiortc peer that answers the page's offer and sends a session's frames, some of them spoilt."""

    def __init__(
        self, spoil: Callable[[int, Attested], bytes], count: int, *, codec: FrameCodec = H264_FRAMES,
        form: Callable[[int], Form] = lambda _: Form.FULL, sound: Callable[[int, Attested], bytes] | None = None,
        **fact_changes: Any,
    ) -> None:
        """`spoil` and `sound` make of each attested picture and packet what is sent; without `sound` there is none."""
        self._spoil, self.count, self._changes = spoil, count, fact_changes
        self._codec, self._form, self.sound = codec, form, sound
        self.peer = RTCPeerConnection()
        self.index = 0

    async def answer(self, offer: dict[str, str]) -> dict[str, str]:
        self.peer.addTrack(UnitTrack(self._next))
        wanted = f"video/{self._codec.name}"
        codecs = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType.lower() == wanted]
        self.peer.getTransceivers()[0].setCodecPreferences(codecs)
        if self.sound is not None:
            self.peer.addTrack(PacketTrack(self._next_sound))
        await self.peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        sdp = self.peer.localDescription.sdp
        fingerprint = next(line for line in sdp.splitlines() if line.startswith("a=fingerprint:sha-256"))
        known = {"viewer_nonce": offer["nonce"], "dtls_fingerprint": fingerprint.removeprefix("a=fingerprint:")}
        self.session = LiveSession(facts=facts(**{**known, **self._changes}), codec=self._codec)
        self._sound_attestor = Attestor(self.session.key, self.session.init.label, codec=OPUS_PACKETS)
        return {"sdp": sdp, "init": base64.b64encode(self.session.init.encoded).decode()}

    def _next_sound(self, index: int) -> bytes:
        assert self.sound is not None
        packets = spoken()
        return self.sound(index + 1, self._sound_attestor.attest(
            packets[index % len(packets)], 1800 * index, Form.COMPACT))

    def _next(self) -> bytes | None:
        if self.index >= self.count:
            return None
        units = access_units(30, codec=self._codec)
        attested = self.session.attestor.attest(
            units[self.index % 30], 3000 * (self.index + 1), self._form(self.index))
        self.index += 1
        return self._spoil(attested.sequence, attested)


@contextmanager
def lossy_line(loss: float, seed: int = 5) -> Iterator[None]:
    """RTP packets are lost on the way out, first sends and re-sends alike."""
    chance, send = random.Random(seed), RTCDtlsTransport._send_rtp

    async def lossy(self: RTCDtlsTransport, data: bytes) -> None:
        if chance.random() >= loss:
            await send(self, data)

    RTCDtlsTransport._send_rtp = lossy
    try:
        yield
    finally:
        RTCDtlsTransport._send_rtp = send


@contextmanager
def silent_line(is_silent: Callable[[], bool]) -> Iterator[None]:
    """While `is_silent`, nothing of the sender reaches the viewer, neither media nor connectivity checks."""
    send_data, send_stun = StunProtocol.send_data, StunProtocol.send_stun

    async def perhaps_data(self: StunProtocol, data: bytes, address: tuple[str, int]) -> None:
        if not is_silent():
            await send_data(self, data, address)

    def perhaps_stun(self: StunProtocol, message: Any, address: tuple[str, int]) -> None:
        if not is_silent():
            send_stun(self, message, address)

    StunProtocol.send_data, StunProtocol.send_stun = perhaps_data, perhaps_stun
    try:
        yield
    finally:
        StunProtocol.send_data, StunProtocol.send_stun = send_data, send_stun


@asynccontextmanager
async def viewer_page(sender: Sender, more: Mapping[str, tuple[str, bytes]] | None = None) -> AsyncIterator[Page]:
    """`more`: further pages, looked up at each request."""
    pages = {"/": ("text/html", PAGE), "/viewer.js": ("text/javascript", VIEWER)}
    with serve(ChainMap(pages, more or {})) as base:  # type: ignore[arg-type]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            page = await browser.new_page()
            page.on("console", lambda message: print("page:", message.text))
            page.on("pageerror", lambda error: print("page error:", error))
            await page.expose_function("postOffer", sender.answer)
            await page.goto(base + "/")
            await page.wait_for_function("window.ready")
            try:
                yield page
            finally:
                await sender.peer.close()
                await browser.close()


async def watch(
    page: Page, sender: Sender, *, hide: bool = True, anchor: str | None = None, is_plain: bool = False,
    status_list_url: str = "",
) -> dict[str, Any]:
    """Plays the whole session; returns the outcome of the session check and the final verdict.

    `is_plain`: the page attaches no verifier to the sound. `status_list_url` is asked five times a second.
    """
    anchor = anchor or demo_signer().anchor_pem
    asked = {"anchor": anchor, "nonce": "n-1", "hide": hide, "sound": sender.sound is not None, "isPlain": is_plain,
             "statusListUrl": status_list_url}
    outcome = await page.evaluate("(facts) => window.watch(facts)", asked)
    for _ in range(50 + sender.count // 5):
        await asyncio.sleep(0.2)
        state = await page.evaluate("window.shown()")
        if sender.index >= sender.count and state["verdict"]["counts"]["received"] >= sender.count - 2:
            break
    await asyncio.sleep(0.4)
    heard = await page.evaluate("window.heard()")
    return {"outcome": outcome, "heard": heard, **await page.evaluate("window.shown()")}


def as_it_is(_: int, attested: Attested) -> bytes:
    return attested.access_unit
