"""How long from the posted offer to the first verified picture? Real control, real worker, real Chromium.

The page is open, the slot is claimed and the replica loaded; the clock starts when the page posts its offer. The
baseline is aiortc's own example server in the same browser: no grant, no manifest, no signature, no check.
"""

import argparse
import asyncio
import json
import platform
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack, VideoStreamTrack
from playwright.sync_api import Browser

from deploy.stack import Stack
from tests.common.live_world import LiveWorld
from tests.common.viewer import Viewer, chromium

BASELINE_PAGE = b"""<!doctype html><video autoplay muted playsinline></video><script>
window.run = async () => {
  const video = document.querySelector("video"), peer = new RTCPeerConnection();
  peer.addTransceiver("video", { direction: "recvonly" });
  const shown = new Promise((resolve) => video.requestVideoFrameCallback((now) => resolve(now)));
  peer.ontrack = ({ streams, track }) => { video.srcObject = streams[0] ?? new MediaStream([track]); };
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((resolve) => peer.iceGatheringState === "complete" ? resolve()
    : peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && resolve()));
  const posted = performance.now();
  const answer = await fetch("/offer", { method: "POST", body: peer.localDescription.sdp });
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  const answered = performance.now(), first = await shown;
  peer.close();
  return { post_to_answer_ms: answered - posted, first_frame_ms: first - posted };
};
</script>"""
WORKER = {"TRUSTCORE_WORKER_KINDS": "session", "TRUSTCORE_WORKER_SIZE_PX": "256"}


def measure(browser: Browser, world: LiveWorld, size: tuple[int, int] = (1280, 860)) -> dict[str, float]:
    """The marks of one new conversation."""
    viewer = Viewer(browser, world.new_conversation()["conversation_url"], width=size[0], height=size[1])
    try:
        viewer.wait_ready()
        time.sleep(0.5)  # the page's own loading is over
        viewer.connect()
        seen = viewer.wait_for("'first_verified_frame_ms' in m.marks && m.framesPresented > 20")
        marks = dict(seen["marks"])
        marks["fps_shown"] = viewer.frames_shown_per_s(4.0)
        counts = viewer.seen()["counts"]
        marks["frames_received"], marks["frames_verified"] = counts["received"], counts["verified"]
        viewer.page.click("[data-part=leave]")
        viewer.wait_for("m.state === 'ended'")
        return marks
    finally:
        viewer.close()


def measure_baseline(browser: Browser, url: str) -> dict[str, float]:
    page = browser.new_page()
    page.goto(url)
    marks: dict[str, float] = page.evaluate("run()")
    page.close()
    return marks


@contextmanager
def plain_aiortc(
    page: bytes = BASELINE_PAGE, tracks: Callable[[], Sequence[MediaStreamTrack]] = lambda: [VideoStreamTrack()],
    on_answer: Callable[[str], str] = str,
) -> Iterator[str]:
    """aiortc with its defaults: the test picture, its own encoder, no public STUN server."""
    peers: list[RTCPeerConnection] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = page
        if scope["path"] == "/offer":
            offer = b""
            while True:
                message = await receive()
                offer += message.get("body", b"")
                if not message.get("more_body"):
                    break
            peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            peers.append(peer)
            for track in tracks():
                peer.addTrack(track)
            await peer.setRemoteDescription(RTCSessionDescription(offer.decode(), "offer"))
            await peer.setLocalDescription()
            body = on_answer(peer.localDescription.sdp).encode()
        kind = b"text/html" if scope["path"] == "/" else b"application/sdp"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))

    async def run() -> None:
        await server.serve()
        await asyncio.gather(*(peer.close() for peer in peers))

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    time.sleep(0.5)
    try:
        yield f"http://localhost:{port}/"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)


def medians(rows: list[dict[str, float]], prefix: str = "") -> dict[str, float]:
    names = set.intersection(*(set(row) for row in rows))
    return {prefix + name: round(statistics.median(row[name] for row in rows), 1) for name in sorted(names)}


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(state_dir=Path(folder), workers=0, env=WORKER, say=_say) as stack,
        LiveWorld(stack) as world,
    ):
        stack.start_worker(1)
        with chromium() as browser, plain_aiortc() as baseline_url:
            measure(browser, world)  # warm-up, not counted
            measure_baseline(browser, baseline_url)
            rows, baseline = [], []
            for run in range(given.runs):
                rows.append(measure(browser, world))
                baseline.append(measure_baseline(browser, baseline_url))
                print(f"run {run + 1} of {given.runs}: {rows[-1]}", flush=True)
    figures = medians(rows)
    plain = medians(baseline, "baseline_")
    print(json.dumps({
        "runs": given.runs, **figures, **plain,
        "first_verified_frame_ms_max": round(max(row["first_verified_frame_ms"] for row in rows), 1),
        "ratio_first_frame": round(figures["first_verified_frame_ms"] / plain["baseline_first_frame_ms"], 2),
        "verified_share": sum(row["frames_verified"] for row in rows) / sum(row["frames_received"] for row in rows),
        "machine": platform.processor() or platform.machine(),
    }))


if __name__ == "__main__":
    main()
