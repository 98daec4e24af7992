"""What we sign, judged by readers that are not the one that signed: c2pa-web in Chromium, c2pa-ts in Node.

c2pa-web is another build of the same C2PA library; c2pa-ts is another code base, and checks no chain of trust.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from provenance.manifests import recording, still
from provenance.manifests.frame_codecs import VP8_FRAMES
from tests.common.live_session import LiveSession, recording_with_sound
from tests.common.static_server import STATIC, serve
from tests.unit.provenance.manifests.test_recording import opus

CHROMIUM = "/usr/bin/chromium"
REPOSITORY = Path(__file__).resolve().parents[2]
NODE_MODULES = Path(os.environ.get("TRUSTCORE_NODE_MODULES", REPOSITORY / "deploy/npm/node_modules"))
PAGE = b"""<!doctype html><meta charset="utf-8"><script type="module" src="/judge.js"></script>"""
JUDGE = b"""
const worker = new Worker("/judge_worker.js", { type: "module" });  // the reader reads blobs as only a worker may
window.judge = (asked) => new Promise((resolve) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => resolve({ error: event.message });
  worker.postMessage(asked);
});
window.ready = true;
"""
JUDGE_WORKER = b"""
async function judge([path, type, anchor]) {
  const engine = await import("/static/vendor/c2pa/c2pa.js");
  await engine.default({ module_or_path: "/static/vendor/c2pa/c2pa_bg.wasm" });
  const settings = {
    ...(anchor ? { trust: { trust_anchors: anchor } } : {}),
    verify: { verify_trust: true, remote_manifest_fetch: false, ocsp_fetch: false },
  };
  const reader = await engine.WasmReader.fromBlob(type, await (await fetch(path)).blob(), JSON.stringify(settings));
  const report = JSON.parse(reader.json());
  reader.free();
  const active = report.manifests[report.active_manifest];
  const said = Object.fromEntries(active.assertions.map((entry) => [entry.label, entry.data]));
  return {
    state: report.validation_state, label: report.active_manifest, binding: said["c2pa.soft-binding"],
    failures: report.validation_results.activeManifest.failure.map((entry) => entry.code),
    ingredients: active.ingredients.map((one) => one.relationship),
  };
}
self.onmessage = ({ data }) => judge(data).then(
  (told) => self.postMessage(told), (error) => self.postMessage({ error: String(error?.message ?? error) }),
);
"""


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


@pytest.fixture(scope="module")
def files() -> dict[str, tuple[str, bytes, str]]:
    """Name -> (media type, bytes, manifest label); each also once with one bit changed, under "changed-"."""
    session = LiveSession()
    sent = recording_with_sound(session, opus(1.0))
    slots = recording.slots_shown(session.facts.mark_slots, [3000 * number for number in range(1, 31)])
    whole = recording.sign_recording(
        session.signer, recording.playable_mp4(sent), session.facts, session.init, fragment_file_sha256="00" * 32,
        mark_slots=slots, frames=30)
    picture = still.sign_still(
        session.signer, still.picture_at(sent, 500), session.facts, session.init, mark_slot=slots[0])
    vp8 = LiveSession(codec=VP8_FRAMES)
    vp8_whole = recording.sign_recording(
        vp8.signer, recording.playable_mp4(recording_with_sound(vp8, opus(1.0))), vp8.facts, vp8.init,
        fragment_file_sha256="00" * 32, mark_slots=slots, frames=30)
    init = session.init.encoded
    at_sound = whole.encoded.index(opus(1.0)[20]) + 10
    return {
        "vp8.mp4": ("video/mp4", vp8_whole.encoded, vp8_whole.label),
        "changed-sound.mp4": ("video/mp4", flipped(whole.encoded, at_sound), whole.label),
        "init.mp4": ("video/mp4", init, session.init.label),
        "changed-init.mp4": ("video/mp4", flipped(init, init.index(b"mdhd") + 20), session.init.label),
        "whole.mp4": ("video/mp4", whole.encoded, whole.label),
        "changed-whole.mp4": ("video/mp4", flipped(whole.encoded, whole.encoded.index(b"mdat") + 500), whole.label),
        "still.jpg": ("image/jpeg", picture.encoded, picture.label),
        "changed-still.jpg": ("image/jpeg", flipped(picture.encoded, len(picture.encoded) - 300), picture.label),
        "changed-claim.jpg": (
            "image/jpeg", flipped(picture.encoded, picture.encoded.index(b"viewer-nonce-1")), picture.label),
    }


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not installed")
@pytest.mark.skipif(not (STATIC / "vendor" / "c2pa").exists(), reason="browser packages: run make setup")
async def test_the_browser_build_trusts_what_is_whole_and_nothing_that_was_changed(
    files: dict[str, tuple[str, bytes, str]],
) -> None:
    pages = {f"/{name}": (kind, content) for name, (kind, content, _) in files.items()}
    pages |= {"/": ("text/html", PAGE), "/judge.js": ("text/javascript", JUDGE),
              "/judge_worker.js": ("text/javascript", JUDGE_WORKER)}
    anchor = LiveSession().signer.anchor_pem
    with serve(pages) as base:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = await browser.new_page()
            page.on("console", lambda message: print("page:", message.text))
            page.on("pageerror", lambda error: print("page error:", error))
            await page.goto(base + "/")
            await page.wait_for_function("() => window.ready", timeout=10_000)
            told = {
                name: await page.evaluate("(asked) => window.judge(asked)", [f"/{name}", kind, anchor])
                for name, (kind, _, _) in files.items()
            }
            stranger = await page.evaluate("(asked) => window.judge(asked)", ["/still.jpg", "image/jpeg", ""])
            await browser.close()
    for name, (_, _, label) in files.items():
        assert told[name]["label"] == label
        assert told[name]["state"] == ("Invalid" if name.startswith("changed") else "Trusted"), (name, told[name])
        assert bool(told[name]["failures"]) == name.startswith("changed")
    assert told["whole.mp4"]["binding"]["blocks"] == [
        {"scope": {"timespan": {"start": 33, "end": 1033}}, "value": "ASNFZ4mrze8="}]
    assert told["whole.mp4"]["ingredients"] == told["still.jpg"]["ingredients"] == ["inputTo", "inputTo"]
    assert (stranger["state"], stranger["failures"]) == ("Valid", ["signingCredential.untrusted"])


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(not (NODE_MODULES / "@trustnxt/c2pa-ts").exists(), reason="browser packages: run make setup")
def test_another_code_base_reads_the_pictures_too(files: dict[str, tuple[str, bytes, str]], tmp_path: Path) -> None:
    paths = {}
    for name, (kind, content, _) in files.items():
        if kind == "image/jpeg":
            paths[name] = tmp_path / name
            paths[name].write_bytes(content)
    command = ["node", str(REPOSITORY / "tests/node/read_jpeg.mjs"), str(NODE_MODULES), *map(str, paths.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told[str(paths["still.jpg"])] == {"isValid": True, "codes": []}
    assert told[str(paths["changed-still.jpg"])]["codes"] == ["assertion.dataHash.mismatch"]
    assert not told[str(paths["changed-claim.jpg"])]["isValid"]
