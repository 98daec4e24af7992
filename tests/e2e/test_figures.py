"""What a real viewer's page measures of a real conversation arrives at the service, and a viewer can end it."""

import shutil
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from deploy.stack import Stack
from rendering.speech.voices import FliteVoice
from tests.benchmarks.start import WORKER
from tests.common.live_rig import wait_until
from tests.common.live_world import LiveWorld
from tests.common.viewer import Viewer, chromium

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")]
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def world() -> Iterator[LiveWorld]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(state_dir=Path(folder), workers=0, env={**WORKER, "TRUSTCORE_REGIONS": "*=Guwahati"}) as stack,
        LiveWorld(stack) as world,
    ):
        stack.start_worker(1)
        yield world


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path, silence = tmp_path_factory.mktemp("voice") / "talk.wav", np.zeros(RATE_HZ, np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        said = [silence, FliteVoice("rms").say("Are you a real person?").pcm, np.tile(silence, 9)]
        file.writeframes(np.concatenate(said).tobytes())
    with chromium(path) as browser:
        yield browser


def joined(world: LiveWorld, browser: Browser) -> Viewer:
    viewer = Viewer(browser, world.new_conversation()["conversation_url"])
    viewer.wait_ready()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 30", 40)
    return viewer


def newest(world: LiveWorld) -> dict[str, Any]:
    visits = world.ask("visits")["visits"]
    return dict(visits[-1]) if visits else {}


def test_a_conversation_is_measured_from_its_offer_to_its_end(world: LiveWorld, browser: Browser) -> None:
    viewer = joined(world, browser)
    time.sleep(4)  # the greeting
    viewer.say("Is this an AI?")
    time.sleep(6)
    viewer.page.click("[data-part=microphone]")
    time.sleep(14)
    viewer.page.click("[data-part=leave]")
    wait_until(lambda: newest(world).get("is_last", False), 10)
    told, errors = newest(world), list(viewer.errors)
    viewer.close()

    assert not errors
    assert (told["path"], told["transport"], told["region"]) == ("direct", "udp", "Guwahati")
    assert told["network"] in ("4g", "3g", "2g", "slow-2g", "unknown")
    assert 0 < told["connect_ms"] < told["ttff_ms"] < 20_000
    assert told["received"] == told["verified"] > 100 and told["sound_received"] == told["sound_verified"] > 100
    assert told["frames"] > 100 and told["watched_ms"] > 5000 and told["samples"] > 48_000 * 10
    assert sum(told["rung_ms"].values()) > 15_000
    kinds = {one["kind"] for one in told["answers"]}
    assert kinds == {"typed", "voice"}, told["answers"]
    assert all(50 < one["ms"] < 10_000 for one in told["answers"])


def test_a_viewer_who_wants_no_measuring_is_not_measured(world: LiveWorld, browser: Browser) -> None:
    before = len(world.ask("visits")["visits"])
    viewer = joined(world, browser)
    viewer.page.click("[data-part=figures] [data-act=end]")
    assert "The line is not measured." in viewer.page.inner_text("[data-part=figures]")
    time.sleep(13)
    viewer.page.click("[data-part=leave]")
    time.sleep(2)
    errors = list(viewer.errors)
    viewer.close()
    assert len(world.ask("visits")["visits"]) == before and not errors
