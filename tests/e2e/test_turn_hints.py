"""The viewer's page in Chromium listens to a microphone, and its hints pass the worker's checks."""

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from django.template.loader import render_to_string

from rendering.dialogue.turns.edge import EdgeHints, is_hint
from rendering.speech.voices import FliteVoice
from rendering.worker.turn_weights import WEIGHTS
from tests.common.static_server import serve
from tests.common.viewer import chromium

pytestmark = [
    pytest.mark.timeout(120), pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")]
RATE_HZ = 16_000
LISTEN = """async () => {
  const { startTurnHints } = await import("/static/js/viewer/turns/hints.js");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const { turnWeightsUrl: weightsUrl } = document.querySelector("[data-viewer]").dataset;
  const sent = [];
  const send = (text) => sent.push([performance.now() / 1000, text]);
  const stop = await startTurnHints(stream, { weightsUrl, send });
  for (let waited = 0; sent.length < 5 && waited < 200; waited += 1) await new Promise((done) => setTimeout(done, 100));
  await stop();
  return sent;
}"""


def write_speech(path: Path) -> None:
    """What Chromium plays as its microphone, again and again."""
    said = FliteVoice().say("What happened to my claim?").pcm
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate((np.zeros(RATE_HZ, np.int16), said, np.zeros(2 * RATE_HZ, np.int16))).tobytes())


def test_hints_come_from_a_real_microphone_under_the_pages_policy(tmp_path: Path) -> None:
    write_speech(tmp_path / "speech.wav")
    page_html = render_to_string("rendering/viewer.html", {"conversation_id": "c1"}).encode()
    pages = {"/c": ("text/html", page_html), "/static/turns/turns.json": ("application/json", WEIGHTS.read_bytes())}
    with serve(pages) as url, chromium(tmp_path / "speech.wav") as browser:
        page = browser.new_page()
        page.goto(f"{url}/c")
        sent = page.evaluate(LISTEN)
    hints = EdgeHints()
    assert len(sent) >= 5 and all(is_hint(text) for _, text in sent)
    counted = [hints.for_hop() for at_s, text in sent if hints.take_text(text, at_s)]
    assert len(counted) >= 5 and all(end is not None and 0 <= end <= 1 for end in counted)
