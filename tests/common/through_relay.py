"""A viewer whose connection goes through a bad network, and what the browser itself knows of it."""

import json
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Route

from tests.common.relay import Relay
from tests.common.viewer import Viewer

# Keeps the page's connections where they can be asked, and when the replica's voice began and ended, and what was told.
EARS = """
(() => {
  const Plain = window.RTCPeerConnection;
  const kept = window.__line = { peers: [], loudAtMs: [], quietFromMs: [], isLoud: false, events: [] };
  window.RTCPeerConnection = class extends Plain {
    constructor(...given) {
      super(...given);
      kept.peers.push(this);
      this.addEventListener("track", ({ track }) => { if (track.kind === "audio") listen(track); });
    }
    createDataChannel(...given) {
      const channel = super.createDataChannel(...given);
      const keep = ({ data }) => kept.events.push({ atMs: performance.now(), ...JSON.parse(data) });
      channel.addEventListener("message", keep);
      return channel;
    }
  };
  async function listen(track) {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    let quietMs = 0;
    let lastLoudMs = 0;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length) > 0.01;
      quietMs = loud ? 0 : quietMs + value.duration / 1000;
      value.close();
      if (loud && !kept.isLoud) kept.loudAtMs.push(performance.now());
      if (loud) lastLoudMs = performance.now();
      if (kept.isLoud && quietMs >= 300) kept.quietFromMs.push(lastLoudMs);
      kept.isLoud = loud || (kept.isLoud && quietMs < 300);
    }
  }
})();
"""
STATS = """
async () => {
  const found = { audio: {}, video: {} };
  for (const peer of __line.peers) {
    for (const one of (await peer.getStats()).values()) if (one.type === "inbound-rtp") found[one.kind] = {
      concealed: one.concealedSamples, samples: one.totalSamplesReceived, lost: one.packetsLost,
      received: one.packetsReceived, headers: one.headerBytesReceived, bytes: one.bytesReceived,
      nacks: one.nackCount, keys: one.keyFramesDecoded,
    };
  }
  return found;
}
"""


def viewer_through(relay: Relay | None, browser: Browser, url: str) -> Viewer:
    """A viewer whose offer is answered with the relay's address; with none the line is as it is."""
    def answer(route: Route) -> None:
        if relay is None:
            route.continue_()
            return
        offer = json.loads(route.request.post_data or "{}")
        response = route.fetch(post_data=json.dumps(offer | {"sdp": without_candidates(offer["sdp"])}))
        body = response.json()
        if "sdp" in body:
            body["sdp"] = relay.rewritten(body["sdp"])
        route.fulfill(response=response, body=json.dumps(body))

    def prepare(context: BrowserContext) -> None:
        context.add_init_script(EARS)
        context.route("**/offer", answer)

    return Viewer(browser, url, prepare=prepare)


def without_candidates(offer_sdp: str) -> str:
    """The offer without the viewer's own addresses. A browser tells them where it may use the microphone, and the
    worker would go past the relay.
    """
    return "".join(line for line in offer_sdp.splitlines(keepends=True) if not line.startswith("a=candidate:"))


def stats(viewer: Viewer) -> dict[str, Any]:
    """What the browser counted of the sound and the pictures of the newest connection."""
    found: dict[str, Any] = viewer.page.evaluate(STATS)
    return found
