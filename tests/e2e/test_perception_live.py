"""A viewer lets their browser read their face, is read, and takes it back: real Chromium, a face as its camera, a real
worker. What leaves the page is counted at its only three doors: data channel, requests, media.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from django.template.loader import render_to_string
from playwright.sync_api import BrowserContext

from rendering.demo.people import DemoPerson
from rendering.demo.performance import FEELINGS, REST
from rendering.demo.rig import Face
from rendering.perception.vectors import MAX_MESSAGE_CHARS
from rendering.services import perception_notice
from tests.common.live_rig import Rig, rigged, wait_until
from trustcore.policy import perception

pytestmark = pytest.mark.timeout(240)
SIZE_PX, FPS = 256, 10
# Another face than the camera's: news, if anybody takes it.
GLAD = {"units_milli": [0, 0, 0, 0, 0, 0, 0, 900, 0, 0, 0, 0, 0], "units_sure_milli": [900] * 13,
        "affect_milli": [900, 0, 0, 0, 0, 0], "affect_sure_milli": 900}
REST_S, FELT_S = 9, 60  # the frame learns the face at rest first
# Everything that a page can send with, and the camera, watched in the page and in the frame that perceives alike.
WATCH = """(() => {
  const seen = (top.__seen ??= { sent: [], got: [], tracks: [], peers: [], asked: [] });
  const { send } = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function (what) {
    const text = typeof what === "string" ? what : "";
    seen.sent.push([performance.now() / 1000, text, text.length || what.byteLength || what.size]);
    if (!this.__watched) this.addEventListener("message", ({ data }) => seen.got.push(data));
    this.__watched = true;
    return send.call(this, what);
  };
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...how) { super(...how); seen.peers.push(this); }
    createDataChannel(...how) {
      const channel = super.createDataChannel(...how);
      channel.__watched = true;
      channel.addEventListener("message", ({ data }) => seen.got.push(data));
      return channel;
    }
  };
  if (navigator.mediaDevices) {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (what) => {
      seen.asked.push(JSON.stringify(what));
      const stream = await ask(what);
      seen.tracks.push(...stream.getVideoTracks());
      return stream;
    };
  }
})()"""


def write_face(path: Path) -> None:
    """What Chromium plays as its camera: a drawn person, at rest and then surprised."""
    rest = DemoPerson().frame(Face(**REST), SIZE_PX)
    felt = {name: REST.get(name, 0.0) + change for name, change in FEELINGS["surprise"].items()}
    surprised = DemoPerson().frame(Face(**{**REST, **felt}), SIZE_PX)
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=FPS)
        stream.width = stream.height = SIZE_PX
        stream.pix_fmt = "yuvj420p"
        for picture, seconds in ((rest, REST_S), (surprised, FELT_S)):
            for _ in range(seconds * FPS):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("perception")
    write_face(folder / "face.mjpeg")
    with rigged(folder, camera=folder / "face.mjpeg") as rig:
        rig.control.perception_frame = render_to_string(
            "rendering/perception_frame.html", {"reads_face": True, "model_url": "/static/vendor/face_mesh/"}).encode()
        yield rig


def page_of(level: str) -> dict[str, Any]:
    """What `rendering.views.perception_page` gives the page."""
    if level == "off":
        return {"perception_level": level}
    return {
        "perception_level": level, "perception_url": "{base}/perception", "frame_url": "{base}/perception/frame",
        "perception_notice": perception_notice.sentences("full"), "reads_face": True}


def watch(context: BrowserContext) -> None:
    context.add_init_script(WATCH)


def sent(viewer: Any) -> list[tuple[float, dict[str, Any]]]:
    return [(at_s, json.loads(text)) for at_s, text, _ in viewer.page.evaluate("__seen.sent") if text.startswith("{")]


def vectors(viewer: Any) -> list[tuple[float, dict[str, Any]]]:
    return [(at_s, one["properties"]) for at_s, one in sent(viewer) if one["event_type"] == "trustcore.perception"]


def analyses(viewer: Any) -> list[dict[str, Any]]:
    texts = viewer.page.evaluate("__seen.got.filter((one) => String(one).startsWith('{'))")
    told = [json.loads(text) for text in texts]
    return [one for one in told if one["event_type"] == "conversation.perception_analysis"]


def numbers(what: Any) -> Iterator[int]:
    for one in what.values() if isinstance(what, dict) else what if isinstance(what, list) else [what]:
        if isinstance(one, dict | list):
            yield from numbers(one)
        elif one is not None:
            yield one


def test_a_face_is_read_by_consent_and_forgotten_at_a_word(rig: Rig) -> None:
    session, viewer = rig.session(
        page=page_of("full"), grant={"context_of_use": "public", "perception": "full"}, prepare=watch)
    bodies: list[int] = []
    viewer.page.on("request", lambda request: bodies.append(len(request.post_data_buffer or b"")))
    viewer.connect()
    viewer.wait_for("m.framesPresented > 10")
    assert not vectors(viewer) and not viewer.page.evaluate("__seen.asked.length")  # nothing before the word
    bodies.clear()

    viewer.page.click("[data-act=allow]")
    wait_until(lambda: analyses(viewer), 100)
    read = vectors(viewer)
    assert analyses(viewer)[0]["properties"]["frames"] == []
    assert viewer.page.evaluate("__seen.tracks.map((one) => one.readyState)") == ["live"]

    viewer.page.click("[data-act=stop]")
    assert viewer.page.evaluate("__seen.tracks.map((one) => one.readyState)") == ["ended"]
    assert viewer.page.evaluate("document.querySelectorAll('iframe').length") == 0
    told, count = len(analyses(viewer)), len(vectors(viewer))
    consent, last = vectors(viewer)[-1][1]["consent"], vectors(viewer)[-1][1]

    # Mallory's page goes on with the consent that was taken back: the worker, which control has told nothing, is deaf.
    for step in range(1, 7):
        vector = {"consent": consent, "number": last["number"] + step, "face": GLAD, "voice": None}
        viewer.page.evaluate(
            "(text) => document.querySelector('[data-viewer]').dispatchEvent("
            "new CustomEvent('trustcore:send', { detail: text }))",
            json.dumps({"event_type": "trustcore.perception", "properties": vector}, separators=(",", ":")))
        time.sleep(0.5)
    assert len(vectors(viewer)) == count + 6  # hers alone
    assert len(analyses(viewer)) == told
    assert [one for _, one in sent(viewer) if one["event_type"] == "trustcore.perception_revoked"]

    # Never more than a few whole numbers, at most twice a second; no picture by any door.
    for _, properties in read:
        amounts = list(numbers({name: properties[name] for name in ("face", "voice")}))
        assert len(amounts) <= 36 and all(type(one) is int and 0 <= one <= 1000 for one in amounts)
    assert len(read) >= 3 and (len(read) - 1) / (read[-1][0] - read[0][0]) <= 2.2
    largest = max(size for _, _, size in viewer.page.evaluate("__seen.sent"))
    assert largest <= MAX_MESSAGE_CHARS and max(bodies, default=0) <= MAX_MESSAGE_CHARS
    assert viewer.page.evaluate(
        "__seen.peers.flatMap((one) => one.getSenders()).filter((one) => one.track?.kind === 'video').length") == 0
    assert not viewer.errors
    rig.control.revoke(session)
    viewer.close()


def test_at_work_the_page_has_no_script_for_it_and_the_worker_takes_no_vector(rig: Rig) -> None:
    """The log's `perception.refused` and the header that takes the camera away: `functional/.../test_perception.py`."""
    grant = {"context_of_use": "workplace", "perception": "full"}  # forged: the law is asked again
    ruling = perception.rule("full", context_of_use="workplace", audience="customers", purpose="support")
    session, viewer = rig.session(page=page_of(ruling.level), grant=grant, prepare=watch)
    viewer.connect()
    viewer.wait_for("m.framesPresented > 10")
    assert viewer.page.evaluate("document.querySelector('[data-perception]') === null")
    loaded = viewer.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert not [one for one in loaded if "perception" in one or "face_mesh" in one]
    rig.control.push(session, "perception", {"consent": "forged"})
    for number in range(1, 7):
        viewer.page.evaluate(
            "(text) => document.querySelector('[data-viewer]').dispatchEvent("
            "new CustomEvent('trustcore:send', { detail: text }))",
            json.dumps({"event_type": "trustcore.perception", "properties": {
                "consent": "forged", "number": number, "face": GLAD, "voice": None}}, separators=(",", ":")))
        time.sleep(0.5)
    assert analyses(viewer) == [] and viewer.page.evaluate("__seen.asked.length") == 0
    rig.control.revoke(session)
    viewer.close()
