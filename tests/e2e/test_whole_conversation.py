"""One viewer, from the greeting to hanging up, as a person does it: asks by voice, is answered, interrupts, is answered
again, loses the network for three seconds, goes on, hangs up. Real control, real worker, real Chromium with a voice as
its microphone, a line between them that can be cut; and the log verifies.
"""

import shutil
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from deploy.stack import Stack
from rendering.speech.voices import FliteVoice
from tests.common.live_rig import wait_until
from tests.common.live_world import LiveWorld
from tests.common.relay import PROFILES, Relay, relaying
from tests.common.through_relay import viewer_through
from tests.common.viewer import Viewer, chromium

pytestmark = [
    pytest.mark.timeout(420), pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")]
RATE_HZ = 16_000
WORKER = {"TRUSTCORE_WORKER_KINDS": "session", "TRUSTCORE_WORKER_SIZE_PX": "256"}
LONG = ("When will I be paid?", "You will be paid within five working days. Then a letter comes to your house. "
        "It says how the sum was found. Keep that letter in a safe place for ten years.")
SHORT = ("What happened to my claim?", "It reached us on Friday.")
LAST = ("Where is your office?", "In Guwahati, near the river.")
OUTAGE_S = 3.0
STOPS_WITHIN_MS = 1000.0  # as the page hears it; of what was sent tells test_voice_conversation.py


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The long question, four seconds of its answer, and the short one into it; then silence."""
    path, silence = tmp_path_factory.mktemp("voice") / "talk.wav", np.zeros(RATE_HZ, np.int16)
    said = [silence[: RATE_HZ // 2], FliteVoice("rms").say(LONG[0]).pcm, np.tile(silence, 4),
            FliteVoice("rms").say(SHORT[0]).pcm, np.tile(silence, 90)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate(said).tobytes())
    return path


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(state_dir=tmp_path_factory.mktemp("stack"), workers=0, env=WORKER) as stack:
        yield stack


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[LiveWorld]:
    with LiveWorld(stack) as world:
        stack.start_worker(1)
        yield world


def asked(stack: Stack, world: LiveWorld, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call of the public API as the developer."""
    answer = httpx.request(
        method, f"{stack.base_url}{path}", json=body, headers={"x-api-key": world.facts["api_key"]}, timeout=20)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def test_a_viewer_speaks_interrupts_loses_the_network_comes_back_and_hangs_up(
    stack: Stack, world: LiveWorld, microphone: Path,
) -> None:
    persona = asked(stack, world, "POST", "/v2/personas", {
        "persona_name": "Claims helper", "context": "\n".join(f"Q: {q}\nA: {a}" for q, a in (LONG, SHORT, LAST)),
        "layers": {"conversational_flow": {"turn_taking_patience": "low"}}, "default_use": world.facts["use"]})
    made = world.new_conversation(persona_id=persona["persona_id"])
    with relaying(PROFILES["good4g"]) as relay, chromium(microphone) as browser:
        viewer = viewer_through(relay, browser, made["conversation_url"])
        try:
            viewer.wait_ready()
            viewer.connect()
            viewer.wait_for("m.framesPresented > 10", 30)
            talks_and_interrupts(viewer)
            loses_the_network(viewer, relay)
            viewer.page.click("[data-part=leave]")
            seen = viewer.wait_for("m.state === 'ended'", 5)
            errors = list(viewer.errors)
        finally:
            viewer.close()

    assert seen["reason"] == "viewer_left" and not errors
    for counts in (seen["counts"], seen["sound"]["counts"]):
        assert counts["received"] - counts["replayed"] == counts["verified"] > 100, counts
    assert seen["framesPresented"] <= seen["counts"]["verified"]
    path = f"/v2/conversations/{made['conversation_id']}"
    wait_until(lambda: asked(stack, world, "GET", path)["status"] == "ended", 15)
    assert stack.manage("verify_audit").startswith("log holds: ")


def talks_and_interrupts(viewer: Viewer) -> None:
    """Both questions are asked by voice, the second into the answer to the first, which stops."""
    wait_until(lambda: "What would you like to know?" in transcript(viewer), 30)
    wait_until(lambda: not viewer.page.evaluate("document.querySelector('[data-speaking=yes]')"), 20)
    viewer.page.click("[data-part=microphone]")
    wait_until(lambda: transcript(viewer).count("You: ") >= 2, 60)
    wait_until(lambda: "Replica: " in transcript(viewer).rpartition("You: ")[2], 30)
    _, first, second = transcript(viewer).split("You: ")[:3]
    assert "Replica: You will be paid within five working days." in first
    assert "claim" in second.partition("Replica: ")[0] and "It reached us on Friday." in second
    assert "Keep that letter" not in first
    wait_until(lambda: not viewer.page.evaluate("__line.isLoud"), 20)
    line = viewer.page.evaluate("({ events: __line.events, quietFromMs: __line.quietFromMs })")
    (cut,) = [one for one in line["events"]
              if one["event_type"] == "conversation.stopped_speaking" and one["properties"].get("interrupted")]
    late_ms = next(at_ms for at_ms in line["quietFromMs"] if at_ms > cut["atMs"] - 300) - cut["atMs"]
    assert late_ms < STOPS_WITHIN_MS, late_ms
    viewer.page.click("[data-part=microphone]")  # muted: the recording begins again at its end


def loses_the_network(viewer: Viewer, relay: Relay) -> None:
    """What was said is still there, and the next question is answered."""
    said, before = transcript(viewer), viewer.seen()["counts"]["verified"]
    relay.is_down, up_at_s = True, time.monotonic() + OUTAGE_S
    viewer.wait_for("m.state !== 'live'", 6)  # a picture that stands still is not called verified
    viewer.page.wait_for_timeout(1000 * max(0.0, up_at_s - time.monotonic()))
    relay.is_down = False
    viewer.wait_for(f"m.state === 'live' && m.counts.verified > {before} + 20", 30)
    assert transcript(viewer).startswith(said)
    viewer.say(LAST[0])
    wait_until(lambda: LAST[1] in transcript(viewer)[len(said) :], 30)


def transcript(viewer: Viewer) -> str:
    return viewer.page.text_content("[data-part=transcript]") or ""
