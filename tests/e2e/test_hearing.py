"""The viewer speaks into Chromium's microphone, and the right words come out of the worker's ears."""

import json
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rendering.speech.voices import FliteVoice
from tests.common.embedding_page import EmbeddingPage, serving_page
from tests.common.live_rig import Rig, rigged, wait_until

pytestmark = [
    pytest.mark.timeout(240), pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")]
SENTENCE = "What happened to my claim?"
EXPECTED = [SENTENCE, "Where is your office?", "How long does it take?", "thank you"]


def write_speech(path: Path, text: str) -> None:
    """What Chromium plays as its microphone, again and again."""
    pcm = np.concatenate((np.zeros(24_000, np.int16), FliteVoice().say(text).pcm, np.zeros(40_000, np.int16)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(pcm.tobytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hearing")
    write_speech(made / "speech.wav", SENTENCE)
    return made


@pytest.fixture(scope="module")
def rig(folder: Path) -> Iterator[Rig]:
    with rigged(folder, "tests.common.hearing_worker", microphone=folder / "speech.wav",
                HEARD_FILE=str(folder / "heard"), EXPECTED=json.dumps(EXPECTED)) as rig:
        yield rig


def heard(folder: Path) -> list[dict[str, Any]]:
    file = folder / "heard"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_what_the_viewer_says_is_heard_and_understood(rig: Rig, folder: Path) -> None:
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 10")
    assert viewer.page.text_content("[data-part=microphone]") == "Speak"
    assert not heard(folder), "nothing is sent before the viewer turns the microphone on"
    viewer.page.click("[data-part=microphone]")
    viewer.wait_for("m.microphone === 'on'", 5)
    wait_until(lambda: len(heard(folder)) >= 3, 40)
    said = viewer.page.text_content("[data-part=microphone-note]")
    level = viewer.page.evaluate("document.querySelector('[data-part=microphone-level]').hidden")
    viewer.page.click("[data-part=microphone]")
    viewer.wait_for("m.microphone === 'muted'", 5)
    rig.control.revoke(session)
    viewer.wait_for("m.state === 'ended' && m.microphone === 'off'", 5)
    wait_until(lambda: session.finished, 10)
    viewer.close()

    whole = heard(folder)[1:3]  # the microphone was turned on in the middle of the first one, perhaps
    assert [one["text"] for one in whole] == ["what happened to my claim"] * 2, whole
    assert all(one["level_dbfs"] > -35 and one["confidence"] > 0.4 for one in whole)
    assert all(abs(step - 0.02) < 0.03 and step >= 0 for one in whole for step in one["steps_s"]), whole
    assert "does not keep it" in (said or "") and level is False
    assert not viewer.errors


def test_a_page_of_another_site_may_lend_its_frame_the_microphone(rig: Rig, folder: Path) -> None:
    """It is muted when the frame is made too small to show that it is on."""
    session, base = rig.embedded_session()
    with serving_page(f"{rig.url}{base}/", rig.url) as listed:
        rig.control.frame_ancestors = listed.rstrip("/")
        rig.control.page = rig.embedded_page(base, listed.rstrip("/"))
        host = EmbeddingPage(rig.browser, listed)
        frame = host.frame_with("m.isPrepared && m.slotState === 'ready'", 60.0)
        frame.click("[data-part=connect]")
        host.frame_with("m.framesPresented > 10")
        before = len(heard(folder))
        frame.click("[data-part=microphone]")
        host.frame_with("m.microphone === 'on'", 5)
        wait_until(lambda: len(heard(folder)) > before + 1, 30)
        host.set_size("height: 200px; min-height: 0")
        host.frame_with("m.microphone === 'muted'", 10)
        host.set_size("height: 500px")
        host.page.evaluate("document.querySelector('trustcore-player').leave()")
        wait_until(lambda: host.of_kind("ended"), 10)
        assert {data.get("type") for _, data in host.messages()} <= {"ready", "verdict", "ended"}
        host.close()
    wait_until(lambda: session.finished, 10)
    assert heard(folder)[-1]["text"] == "what happened to my claim"
