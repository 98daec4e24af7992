"""A viewer talks with the replica: asks by voice, is answered, interrupts the answer, and is answered again."""

import shutil
import wave
from collections.abc import Iterator

import av
import numpy as np
import pytest

from provenance.manifests import fmp4
from rendering.speech.voices import FliteVoice
from tests.common.live_rig import Rig, rigged, wait_until
from tests.common.through_relay import EARS

pytestmark = [
    pytest.mark.timeout(240), pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")]
RATE_HZ = 16_000
LOUD = 0.01  # root mean square, full scale is 1
STOPS_WITHIN_S = 0.07  # a packet that is being made, the mark's 10 ms, the fade, and the encoder's own 6.5 ms
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
    session, viewer = rig.session(prepare=lambda context: context.add_init_script(EARS))
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
    told = viewer.page.evaluate("__line.events")
    rig.control.revoke(session)
    viewer.wait_for("m.state === 'ended'", 5)
    wait_until(lambda: session.finished, 10)
    viewer.close()

    # How well the small recogniser understands is measured elsewhere; here it must be about the right thing.
    _, first, second = said.split("You: ")[:3]
    assert "paid" in first.partition("Replica: ")[0]
    assert "Replica: You will be paid within five working days." in first
    assert "claim" in second.partition("Replica: ")[0]
    assert "Keep that letter" not in said  # it was interrupted before
    assert marks["turn_prepare_ms"] < marks["turn_sound_laid_ms"] <= marks["turn_first_lip_frame_ms"]
    assert hints > 0
    (cut_s,) = [one["properties"]["interrupted_at"]["media_time_s"] for one in told
                if one["event_type"] == "conversation.stopped_speaking" and one["properties"]["interrupted"]]
    loud_s = loud_times_s(session.recording)
    assert any(cut_s - 1.0 < at_s < cut_s for at_s in loud_s)  # in the middle of the answer
    assert max(at_s for at_s in loud_s if at_s < cut_s + 0.4) - cut_s < STOPS_WITHIN_S
    assert session.troubles == [] and not viewer.errors


def loud_times_s(recording: bytes) -> list[float]:
    """The media times of the sent packets of sound in which somebody speaks."""
    (run,), decoder, found = fmp4.split_runs(recording), av.CodecContext.create("libopus", "r"), []
    for encoded in fmp4.split_recording(run)[1]:
        if fmp4.track_of(encoded) is not fmp4.SOUND:
            continue
        fragment = fmp4.parse_fragment(encoded, fmp4.SOUND)
        (frame,) = decoder.decode(av.Packet(fragment.mdat[8:]))
        if np.sqrt(np.mean(frame.to_ndarray().astype(np.float32) ** 2)) > LOUD * 32768:
            found.append(fmp4.fragment_facts(fragment)[1] / fmp4.TIMESCALE)
    return found


def transcript(viewer: object) -> str:
    return viewer.page.text_content("[data-part=transcript]") or ""  # type: ignore[attr-defined]
