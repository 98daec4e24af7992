"""aiortc -> headless Chromium on localhost: every received frame is verified, and what does not verify is hidden."""

import asyncio
import base64
import random
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from aiortc import MediaStreamTrack, RTCDtlsTransport, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from playwright.async_api import Page, async_playwright

from provenance.manifests import certs, recording
from provenance.manifests.attest import Attested
from provenance.manifests.carriage import Form
from provenance.manifests.frame_codecs import H264_FRAMES, VP8_FRAMES, FrameCodec
from tests.common.live_session import (
    LiveSession,
    access_units,
    demo_signer,
    facts,
    recording_of,
    with_flipped_bit,
    without_attestation,
)
from tests.common.static_server import STATIC, serve

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--disable-background-networking",
    "--disable-features=WebRtcHideLocalIpsWithMdns", "--autoplay-policy=no-user-gesture-required",
]
PAGE = b"""<!doctype html><meta charset="utf-8"><video id="v" autoplay muted playsinline></video>
<script type="module" src="/viewer.js"></script>"""
VIEWER = b"""
import { createVerifier } from "/static/js/verify/verifier.js";
window.watch = async ({ anchor, nonce, hide }) => {
  const peer = new RTCPeerConnection();
  const verifier = createVerifier({
    trustAnchorPem: anchor, sessionFacts: {}, onVerdict: (verdict) => { window.verdict = verdict; },
  });
  window.verifier = verifier;
  const video = document.querySelector("video");
  peer.ontrack = ({ streams, track }) => { video.srcObject = streams[0] ?? new MediaStream([track]); };
  verifier.attach(peer.addTransceiver("video", { direction: "recvonly" }).receiver);
  if (!hide) verifier.setHide(false);
  await peer.setLocalDescription(await peer.createOffer());
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
window.ready = true;
"""

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not installed"),
    pytest.mark.skipif(not (STATIC / "vendor" / "c2pa").exists(), reason="browser packages: run make setup"),
]


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


class Sender:
    """One aiortc peer that answers the page's offer and sends a session's frames, some of them spoilt."""

    def __init__(
        self, spoil: Callable[[int, Attested], bytes], count: int, *, codec: FrameCodec = H264_FRAMES,
        form: Callable[[int], Form] = lambda _: Form.FULL, **fact_changes: Any,
    ) -> None:
        self._spoil, self._count, self._changes = spoil, count, fact_changes
        self._codec, self._form = codec, form
        self.peer = RTCPeerConnection()
        self.index = 0

    async def answer(self, offer: dict[str, str]) -> dict[str, str]:
        self.peer.addTrack(UnitTrack(self._next))
        wanted = f"video/{self._codec.name}"
        codecs = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType.lower() == wanted]
        for transceiver in self.peer.getTransceivers():
            transceiver.setCodecPreferences(codecs)
        await self.peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        sdp = self.peer.localDescription.sdp
        fingerprint = next(line for line in sdp.splitlines() if line.startswith("a=fingerprint:sha-256"))
        known = {"viewer_nonce": offer["nonce"], "dtls_fingerprint": fingerprint.removeprefix("a=fingerprint:")}
        self.session = LiveSession(facts=facts(**{**known, **self._changes}), codec=self._codec)
        return {"sdp": sdp, "init": base64.b64encode(self.session.init.encoded).decode()}

    def _next(self) -> bytes | None:
        if self.index >= self._count:
            return None
        units = access_units(30, codec=self._codec)
        attested = self.session.attestor.attest(
            units[self.index % 30], 3000 * (self.index + 1), self._form(self.index))
        self.index += 1
        return self._spoil(attested.sequence, attested)


@asynccontextmanager
async def viewer_page(sender: Sender) -> AsyncIterator[Page]:
    pages = {"/": ("text/html", PAGE), "/viewer.js": ("text/javascript", VIEWER)}
    with serve(pages) as base:
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


async def watch(page: Page, sender: Sender, *, hide: bool = True, anchor: str | None = None) -> dict[str, Any]:
    """Plays the whole session; returns the outcome of the session check and the final verdict."""
    anchor = anchor or demo_signer().anchor_pem
    outcome = await page.evaluate("(facts) => window.watch(facts)", {"anchor": anchor, "nonce": "n-1", "hide": hide})
    for _ in range(50):
        await asyncio.sleep(0.2)
        state = await page.evaluate("window.shown()")
        if sender.index >= sender._count and state["verdict"]["counts"]["received"] >= sender._count - 2:
            break
    await asyncio.sleep(0.4)
    return {"outcome": outcome, **await page.evaluate("window.shown()")}


def as_it_is(_: int, attested: Attested) -> bytes:
    return attested.access_unit


@pytest.mark.parametrize(("codec", "form"), [
    (H264_FRAMES, lambda _: Form.FULL),
    (H264_FRAMES, lambda index: Form.COMPACT if index // 20 % 2 else Form.FULL),  # switched on the way
    (VP8_FRAMES, lambda index: Form.COMPACT if index // 20 % 2 else Form.FULL),
], ids=["h264", "h264_switching", "vp8_switching"])
async def test_every_received_frame_verifies(codec: FrameCodec, form: Callable[[int], Form]) -> None:
    sender = Sender(as_it_is, count=120, codec=codec, form=form)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    counts = seen["verdict"]["counts"]
    assert seen["outcome"]["ok"], seen["outcome"]
    assert seen["outcome"]["session"]["label"] == sender.session.init.label
    assert seen["outcome"]["session"]["claimSha256"] == sender.session.init.claim_sha256
    assert counts["received"] >= 100
    assert counts["verified"] == counts["received"]
    assert counts["invalid"] == counts["unattested"] == counts["replayed"] == counts["late"] == counts["withheld"] == 0
    assert seen["shown"] > 60
    assert seen["verdict"]["state"] == "verified"


@pytest.mark.parametrize("codec", [H264_FRAMES, VP8_FRAMES], ids=["h264", "vp8"])
async def test_changed_and_stripped_frames_are_hidden_and_counted(codec: FrameCodec) -> None:
    def spoil(sequence: int, attested: Attested) -> bytes:
        if sequence in {40, 41}:
            return with_flipped_bit(attested, codec)
        return without_attestation(attested, codec) if sequence == 60 else attested.access_unit

    sender = Sender(spoil, count=120, codec=codec)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    counts = seen["verdict"]["counts"]
    assert counts["invalid"] == 2
    assert counts["unattested"] == 1
    assert counts["withheld"] == 3
    assert counts["verified"] == counts["received"] - 3
    assert counts["gap"] == 3


@pytest.mark.parametrize(("changes", "reason"), [
    ({"viewer_nonce": "someone else's"}, "another viewer"),
    ({"dtls_fingerprint": "sha-256 " + ":".join(["00"] * 32)}, "not the signed sender's"),
])
async def test_a_session_for_somebody_else_shows_nothing(changes: dict[str, str], reason: str) -> None:
    sender = Sender(as_it_is, count=40, **changes)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    assert not seen["outcome"]["ok"]
    assert reason in seen["outcome"]["reason"]
    counts = seen["verdict"]["counts"]
    assert counts["verified"] == 0
    assert counts["withheld"] == counts["received"] > 0
    assert seen["shown"] == 0


async def test_another_authority_shows_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", certs.InsecureProviderWarning)
        other = certs.make_ca(datetime.now(UTC)).certificate_pem
    sender = Sender(as_it_is, count=40)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender, anchor=other)
    assert "not trusted (Valid: signingCredential.untrusted)" in seen["outcome"]["reason"]
    assert seen["shown"] == 0


async def test_with_hide_off_frames_are_shown_but_never_called_verified() -> None:
    sender = Sender(lambda _, attested: without_attestation(attested), count=60)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender, hide=False)
    counts = seen["verdict"]["counts"]
    assert seen["shown"] > 20
    assert seen["verdict"]["state"] == "unattested"
    assert (counts["verified"], counts["withheld"]) == (0, 0)
    assert counts["unattested"] == counts["received"]


@pytest.mark.parametrize("loss", [0.02, 0.05])
async def test_loss_makes_gaps_but_never_an_invalid_frame(loss: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets are lost on the way out, first sends and re-sends alike."""
    chance = random.Random(5)
    send = RTCDtlsTransport._send_rtp

    async def lossy(self: RTCDtlsTransport, data: bytes) -> None:
        if chance.random() >= loss:
            await send(self, data)

    monkeypatch.setattr(RTCDtlsTransport, "_send_rtp", lossy)
    sender = Sender(as_it_is, count=150)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    counts = seen["verdict"]["counts"]
    print(loss, counts)
    assert counts["received"] >= 90
    assert counts["invalid"] == 0
    assert counts["verified"] + counts["unattested"] + counts["late"] + counts["replayed"] == counts["received"]
    assert counts["unattested"] <= 2


CHAIN = b"""
import { ChainOfTrust } from "/static/js/verify/chain.js";
window.judge = async (path, anchor) => {
  const file = new Uint8Array(await (await fetch(path)).arrayBuffer());
  const chain = new ChainOfTrust("/static/vendor/c2pa/");
  try {
    return await chain.demandTrusted(file, anchor);
  } catch (error) {
    return error.message;
  } finally {
    chain.close();
  }
};
window.ready = true;
"""


async def test_the_signed_recording_is_trusted_in_the_browser_and_a_changed_one_is_not() -> None:
    session = LiveSession()
    made = recording.sign_recording(
        session.signer, recording.playable_mp4(recording_of(session)), session.facts, session.init,
        fragment_file_sha256="00" * 32, mark_slots=session.facts.mark_slots, frames=30,
    )
    changed = bytearray(made.encoded)
    changed[made.encoded.index(b"mdat") + 500] ^= 1
    pages = {
        "/": ("text/html", PAGE), "/viewer.js": ("text/javascript", CHAIN), "/good.mp4": ("video/mp4", made.encoded),
        "/changed.mp4": ("video/mp4", bytes(changed)),
    }
    with serve(pages) as base:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            page = await browser.new_page()
            await page.goto(base + "/")
            await page.wait_for_function("window.ready")
            anchor = session.signer.anchor_pem
            good, bad, foreign = [
                await page.evaluate("([path, anchor]) => window.judge(path, anchor)", [path, trust])
                for path, trust in (("/good.mp4", anchor), ("/changed.mp4", anchor), ("/good.mp4", ""))
            ]
            await browser.close()
    assert good == made.label
    assert "Invalid" in bad
    assert "bmffHash.mismatch" in bad
    assert "not trusted" in foreign
