"""Speech from silence: the network, the readable rule beside it, and the edges."""

import json
import subprocess
import sys

import numpy as np
import pytest

from rendering.dialogue.hearing.voice_activity import (
    EnergyVoiceActivity,
    SileroVoiceActivity,
    VoiceActivity,
    level_dbfs,
)
from tests.common.speech_edges import SpeechEdges
from tests.common.voice_packets import speech

HOP = 320


def with_pauses() -> tuple[np.ndarray, np.ndarray]:
    """Half a second of faint noise around and between two sentences, and for each hop whether somebody speaks."""
    noise = (np.random.default_rng(1).normal(0, 20, 12_000)).astype(np.int16)
    parts = [(noise, False), (speech("Where is your office?"), True), (noise, False),
             (speech("How long does it take?"), True), (noise, False)]
    sound = np.concatenate([pcm for pcm, _ in parts])
    labels = np.concatenate([np.full(len(pcm), is_speech) for pcm, is_speech in parts])
    whole = len(sound) // HOP
    return sound[: whole * HOP].reshape(whole, HOP), labels[: whole * HOP].reshape(whole, HOP).mean(1) > 0.5


def agreement(activity: VoiceActivity) -> float:
    """Share of the hops that are rightly called, with the edges' hysteresis."""
    hops, labels = with_pauses()
    edges = SpeechEdges()
    called = np.array([edges.push(activity.push(hop)) for hop in hops])
    return float(np.mean(called == labels))


def test_the_network_and_the_readable_rule_agree_with_what_was_said() -> None:
    assert agreement(SileroVoiceActivity()) > 0.85
    assert agreement(EnergyVoiceActivity()) > 0.8


def test_a_door_and_a_hum_are_no_speech_for_the_network() -> None:
    """The negative control, and why the rule is only a fallback: it takes the door for a word."""
    rng = np.random.default_rng(2)
    door = (rng.normal(0, 9000, 8_000) * np.exp(-np.arange(8_000) / 1_500)).astype(np.int16)
    hum = (2000 * np.sin(2 * np.pi * 100 * np.arange(128_000) / 16_000)).astype(np.int16)
    sound = np.concatenate((np.zeros(8_000, np.int16), door, hum)).reshape(-1, HOP)
    silero, energy = SileroVoiceActivity(), EnergyVoiceActivity()
    assert max(silero.push(hop) for hop in sound) < 0.5
    called = [energy.push(hop) for hop in sound]
    assert max(called[25:40]) > 0.9
    assert called[-1] < 0.5, "a steady sound becomes the floor"


def test_it_says_what_the_wheels_own_code_says() -> None:
    """The wheel's own reader of the network, which needs torch; ours must agree window by window."""
    asked = """
import json, sys
import numpy as np, torch
from silero_vad.utils_vad import OnnxWrapper
from rendering.dialogue.hearing.voice_activity import SileroVoiceActivity
from tests.common.voice_packets import speech
from importlib.util import find_spec
from pathlib import Path
theirs = OnnxWrapper(str(Path(find_spec("silero_vad").origin).with_name("data") / "silero_vad_16k_op15.onnx"))
ours, pcm = SileroVoiceActivity(), speech()
windows = [pcm[at : at + 512] for at in range(0, len(pcm) - 512, 512)]
floats = [torch.from_numpy(one / np.float32(32768)) for one in windows]
print(json.dumps([[ours.push(one), theirs(same, 16000).item()] for one, same in zip(windows, floats)]))
"""
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60)
    if "No module named" in ran.stderr:
        pytest.skip("the wheel's own code needs what is not installed")
    both = np.array(json.loads(ran.stdout.splitlines()[-1]))
    assert len(both) > 50 and np.abs(both[:, 0] - both[:, 1]).max() < 1e-4


def test_it_begins_anew_after_a_reset() -> None:
    activity, hops = SileroVoiceActivity(), with_pauses()[0]
    first = [activity.push(hop) for hop in hops[:60]]
    activity.reset()
    assert [activity.push(hop) for hop in hops[:60]] == first


def test_edges_ignore_what_is_short_and_tell_since_when() -> None:
    edges = SpeechEdges(onset_s=0.06, offset_s=0.1)
    called = [edges.push(speech) for speech in [0.9, 0.1, 0.9, 0.9, 0.9, 0.4, 0.1, 0.1, 0.4, *[0.1] * 5]]
    assert called == [False] * 4 + [True] * 9 + [False]
    assert edges.for_s == pytest.approx(0.1)


def test_loudness() -> None:
    assert level_dbfs(np.zeros(320, np.int16)) == -96.0
    assert level_dbfs(np.full(320, 16_384, np.int16)) == pytest.approx(-6.02, abs=0.01)


def test_torch_is_never_loaded_for_it() -> None:
    asked = ("import sys; from rendering.dialogue.hearing.voice_activity import SileroVoiceActivity;"
             "SileroVoiceActivity(); print('torch' in sys.modules)")
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
