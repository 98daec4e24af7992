"""A viewer talks with the replica: asks by voice, is answered, interrupts the answer, and is answered again."""

import shutil
import wave
from collections.abc import Iterator

import numpy as np
import pytest

from rendering.speech.voices import FliteVoice
from tests.common.live_rig import Rig, rigged, wait_until

pytestmark = [
    pytest.mark.timeout(240), pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")]
RATE_HZ = 16_000
LONG = ("When will I be paid?", "You will be paid within five working days. Then a letter comes to your house. "
        "It says how the sum was found. Keep that letter in a safe place for ten years.")
SHORT = ("What happened to my claim?", "It reached us on Friday.")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("voice")
    silence = np.zeros(RATE_HZ, np.int16)
    said = [silence[: RATE_HZ // 2], FliteVoice("rms").say(LONG[0]).pcm, np.tile(silence, 4),  # four seconds of answer
            FliteVoice("rms").say(SHORT[0]).pcm, np.tile(silence, 60)]
    with wave.open(str(folder / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate(said).tobytes())
    with rigged(folder, microphone=folder / "talk.wav") as rig:
        rig.control.facts = {"persona": {
            "name": "Claims helper", "context": "\n".join(f"Q: {q}\nA: {a}" for q, a in (LONG, SHORT)),
            "conversational_flow": {"turn_taking_patience": "low"}}}
        yield rig


def test_a_viewer_asks_by_voice_interrupts_and_is_answered(rig: Rig) -> None:
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 10")
    wait_until(lambda: "What would you like to know?" in (transcript(viewer) or ""), 20)
    wait_until(lambda: not viewer.page.evaluate("document.querySelector('[data-speaking=yes]')"), 20)
    viewer.page.click("[data-part=microphone]")
    wait_until(lambda: transcript(viewer).count("You: ") >= 2, 40)
    wait_until(lambda: "Replica: " in transcript(viewer).rpartition("You: ")[2], 20)
    said = transcript(viewer)
    wait_until(lambda: session.renewals[-1]["marks_ms"].get("turns", 0) >= 2, 10)
    wait_until(lambda: session.renewals[-1]["marks_ms"].get("hinted"), 10)  # the page's own hints took part
    marks, hints = session.renewals[-1]["marks_ms"], viewer.seen()["turnHints"]
    rig.control.revoke(session)
    viewer.wait_for("m.state === 'ended'", 5)
    viewer.close()

    # How well the small recogniser understands is measured elsewhere; here it must be about the right thing.
    _, first, second = said.split("You: ")[:3]
    assert "paid" in first.partition("Replica: ")[0]
    assert "Replica: You will be paid within five working days." in first
    assert "claim" in second.partition("Replica: ")[0]
    assert "Keep that letter" not in said  # it was interrupted before
    assert marks["turn_prepare_ms"] < marks["turn_sound_laid_ms"] <= marks["turn_first_lip_frame_ms"]
    assert hints > 0
    assert session.troubles == [] and not viewer.errors


def transcript(viewer: object) -> str:
    return viewer.page.text_content("[data-part=transcript]") or ""  # type: ignore[attr-defined]
