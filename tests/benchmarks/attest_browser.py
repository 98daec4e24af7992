"""The browser's half of the attest benchmark: the page's own code in headless Chromium, timed and over a lossy line."""

import base64
import statistics
from collections.abc import Sequence
from typing import Any

from playwright.async_api import async_playwright

from provenance.manifests.attest import SessionKey
from provenance.manifests.frame_codecs import FrameCodec
from tests.common.attested_viewer import ARGS, CHROMIUM, PAGE, Sender, as_it_is, lossy_line, viewer_page, watch
from tests.common.static_server import serve

LIVE_FRAMES = 600
BATCH = 10  # the page's clock has steps of 0.1 ms, so frames are timed ten at a time
PASSES = 5  # other work on the machine only adds, so the quickest pass is the one that is told
RECEIVER = b"""
import { FrameVerifier } from "/static/js/verify/frames.js";
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
window.time = async ({ session, units, batch }) => {
  const raw = bytes(session.publicKey);
  const publicKey = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  const verifier = new FrameVerifier({ ...session, publicKey, kid: bytes(session.kid) });
  const frames = units.map(bytes);
  const taken = [];
  for (let at = 0; at < frames.length; at += batch) {
    const start = performance.now();
    for (const frame of frames.slice(at, at + batch)) await verifier.check(frame, Date.now());
    taken.push((performance.now() - start) / Math.min(batch, frames.length - at));
  }
  return { taken, counts: verifier.counts };
};
window.ready = true;
"""


async def receiver_ms(key: SessionKey, label: str, codec: FrameCodec, units: Sequence[bytes]) -> float:
    """Median time that the page's verifier takes for one of these frames, which must all verify; of the best pass."""
    session = {
        "label": label, "codec": codec.name, "kid": base64.b64encode(key.kid).decode(), "minimumSequence": 1,
        "publicKey": base64.b64encode(key.public.public_bytes_raw()).decode(), "createdAtMs": 0,
        "validityS": 10**10,
    }
    pages = {"/": ("text/html", PAGE), "/viewer.js": ("text/javascript", RECEIVER)}
    with serve(pages) as base:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            page = await browser.new_page()
            await page.goto(base + "/")
            await page.wait_for_function("window.ready")
            work = {"session": session, "units": [base64.b64encode(unit).decode() for unit in units], "batch": BATCH}
            await page.evaluate("(work) => window.time(work)", work)  # the engine compiles while it runs
            passes = [await page.evaluate("(work) => window.time(work)", work) for _ in range(PASSES)]
            await browser.close()
    assert all(found["counts"]["verified"] == len(units) for found in passes), passes
    return min(statistics.median(found["taken"]) for found in passes)


async def live_counts(loss: float, codec: FrameCodec) -> tuple[dict[str, Any], dict[str, Any]]:
    """(pictures, sound) as a page counted them over a line that loses this share of RTP packets.

    LIVE_FRAMES pictures, 30 a second, and sound as long, 50 packets a second.
    """
    sender = Sender(as_it_is, count=LIVE_FRAMES, codec=codec, sound=as_it_is)
    with lossy_line(loss):
        async with viewer_page(sender) as page:
            seen = await watch(page, sender)
    return seen["verdict"]["counts"], seen["verdict"]["sound"]["counts"]
