"""The reporter in a real browser: two voices over a real connection, and what it then tells of them."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from rendering.measuring import batch
from tests.common.static_server import serve
from tests.common.viewer import chromium

pytestmark = pytest.mark.timeout(240)
PAGE = b"""<!doctype html><meta charset="utf-8"><main data-viewer data-state="live">
<div data-part="figures" data-state="on"><button data-act="end">Do not measure</button></div><audio autoplay></audio>
</main><script type="module" src="/page.js"></script>"""
# One browser plays both sides. `speak(who, ms)` lets a tone through for so long.
SCRIPT = b"""
import { createFigures } from "/static/js/viewer/figures/reporter.js";
const context = new AudioContext(), voices = {};
for (const who of ["viewer", "replica"]) {
  const tone = new OscillatorNode(context, { frequency: 220 }), gate = new GainNode(context, { gain: 0 });
  const out = new MediaStreamAudioDestinationNode(context);
  tone.connect(gate).connect(out);
  tone.start();
  voices[who] = { gate, stream: out.stream };
}
const there = new RTCPeerConnection(), here = new RTCPeerConnection();
there.onicecandidate = ({ candidate }) => candidate && here.addIceCandidate(candidate);
here.onicecandidate = ({ candidate }) => candidate && there.addIceCandidate(candidate);
there.addTrack(voices.replica.stream.getAudioTracks()[0]);
const arrived = new Promise((resolve) => { here.ontrack = ({ track }) => resolve(new MediaStream([track])); });
await there.setLocalDescription(await there.createOffer());
await here.setRemoteDescription(there.localDescription);
await here.setLocalDescription(await here.createAnswer());
await there.setRemoteDescription(here.localDescription);
const measures = { marks: { connected_ms: 90, first_verified_frame_ms: 300 }, rungMs: { full: 900 }, watchedMs: 900,
  frozenMs: 0, smoothFrames: 27, connections: 1, counts: { received: 27, verified: 27 }, sound: null };
const figures = createFigures(document.querySelector("main"), {
  measures, url: "/figures", headers: { "X-Viewer-Secret": "s" }, peerNow: () => here });
figures.begin();
const stream = await arrived;
document.querySelector("audio").srcObject = stream;
figures.hear("replica", stream);
figures.hear("viewer", voices.viewer.stream);
window.speak = (who, ms) => new Promise((resolve) => {
  voices[who].gate.gain.value = 0.3;
  setTimeout(() => { voices[who].gate.gain.value = 0; resolve(); }, ms);
});
window.wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
window.talk = async () => {
  await speak("viewer", 900); await wait(450); await speak("replica", 1500); await wait(1200);
  figures.typed(); await wait(300); await speak("replica", 700); await wait(1200);
};
window.figures = figures;
window.isReady = true;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with serve({"/": ("text/html", PAGE), "/page.js": ("text/javascript", SCRIPT)}) as base:
        page = browser.new_page()
        page.goto(base + "/")
        yield page
        page.close()


def taking(page: Page, status: int = 200) -> list[dict[str, Any]]:
    """What the page posts from now on, answered with this status."""
    posted: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        posted.append({"headers": route.request.headers, **json.loads(route.request.post_data or "{}")})
        route.fulfill(status=status, body="{}")

    page.route("**/figures", answer)
    return posted


def wait_ready(page: Page) -> None:
    """Asked from outside: the page forbids eval, which `wait_for_function` sometimes falls back on."""
    until = time.monotonic() + 30.0
    while not page.evaluate("Boolean(window.isReady)"):
        assert time.monotonic() < until, "the page was never ready"
        page.wait_for_timeout(50)


def wait_for(page: Page, posted: list[dict[str, Any]], count: int, timeout_s: float = 60.0) -> None:
    until = time.monotonic() + timeout_s
    while len(posted) < count and time.monotonic() < until:
        page.wait_for_timeout(100)
    assert len(posted) >= count, posted


def test_a_spoken_and_a_typed_answer_are_timed_and_told_once(page: Page) -> None:
    posted = taking(page)
    wait_ready(page)
    page.evaluate("talk()")
    wait_for(page, posted, 1)
    page.evaluate("figures.finish()")
    wait_for(page, posted, 2)
    first, last = ({name: value for name, value in one.items() if name != "headers"} for one in posted[:2])
    for number, one in enumerate((first, last), start=1):
        told = batch.read(one)
        batch.demand_possible(told, None, passed_s=60.0)
        assert (told.number, told.path, told.transport) == (number, "direct", "udp")
    assert (first["is_last"], last["is_last"]) == (False, True) and first["visit"] == last["visit"]
    answers = {one["kind"]: one["ms"] for one in [*first["answers"], *last["answers"]]}
    assert len([*first["answers"], *last["answers"]]) == len(answers) == 2, answers
    # Lower bounds are the pauses themselves; what the browser's own buffers and a busy machine add is above them.
    assert 400 < answers["voice"] < 3000 and 250 < answers["typed"] < 3000, answers
    assert last["samples"] > 48_000 and last["packets"] > 50 and last["frames"] == 27
    assert posted[0]["headers"]["x-viewer-secret"] == "s"


def test_nothing_is_told_after_the_viewer_ended_it(page: Page) -> None:
    posted = taking(page)
    wait_ready(page)
    page.click("[data-act=end]")
    page.evaluate("talk()")
    page.wait_for_timeout(9000)
    page.evaluate("figures.finish()")
    page.wait_for_timeout(500)
    assert posted == [] and page.get_attribute("[data-part=figures]", "data-state") == "ended"


def test_a_browser_that_asks_not_to_be_followed_is_not(browser: Browser) -> None:
    with serve({"/": ("text/html", PAGE), "/page.js": ("text/javascript", SCRIPT)}) as base:
        page = browser.new_page()
        page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
        posted = taking(page)
        page.goto(base + "/")
        wait_ready(page)
        page.wait_for_timeout(13_000)
        page.evaluate("figures.finish()")
        page.wait_for_timeout(300)
        page.close()
    assert posted == []


def test_a_service_that_takes_no_more_is_told_no_more(page: Page) -> None:
    posted = taking(page, status=410)
    wait_ready(page)
    wait_for(page, posted, 1)
    page.evaluate("figures.finish()")
    page.wait_for_timeout(500)
    assert len(posted) == 1
