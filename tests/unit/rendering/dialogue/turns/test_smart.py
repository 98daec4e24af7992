"""The features of Whisper against a slow reading of their definition and the wheel's own, and the judge in a pause."""

import importlib.util
import math
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pytest

from rendering.dialogue.turns import mel
from rendering.dialogue.turns.features import Speaker, Turn
from rendering.dialogue.turns.hearing import Hearing
from rendering.dialogue.turns.smart import SmartJudge, SmartTurn
from tests.unit.rendering.dialogue.turns.sounds import hops, hush, voice


class ByHand(Executor):
    """Runs nothing until told."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future, object, np.ndarray]] = []

    def submit(self, call, /, sound):  # type: ignore[no-untyped-def, override]
        future: Future = Future()
        self.waiting.append((future, call, sound))
        return future

    def answer(self) -> None:
        future, call, sound = self.waiting.pop(0)
        future.set_result(call(sound))


def slow_column(sound: np.ndarray, frame: int) -> list[float]:
    """Powers of one frame's bands, sum by sum, before the logarithm's limit."""
    taken = np.concatenate([np.zeros(max(0, mel.SAMPLES - len(sound))), sound])[-mel.SAMPLES :]
    even = (taken - taken.mean()) / math.sqrt(taken.var() + 1e-7)
    around = [even[abs(frame * mel.STEP + i - 200)] for i in range(400)]  # mirrored before the first sample
    shaped = [value * math.sin(math.pi * i / 400) ** 2 for i, value in enumerate(around)]
    powers = []
    for k in range(201):
        turned = sum(value * complex(math.cos(2 * math.pi * k * i / 400), -math.sin(2 * math.pi * k * i / 400))
                     for i, value in enumerate(shaped))  # fmt: skip
        powers.append(abs(turned) ** 2)
    top = 15 + math.log(8) / (math.log(6.4) / 27)
    edges = [m * 200 / 3 if m < 15 else 1000 * math.exp((m - 15) * math.log(6.4) / 27)
             for m in (top * i / 81 for i in range(82))]  # fmt: skip
    column = []
    for band in range(80):
        low, middle, high = edges[band : band + 3]
        column.append(sum(
            power * max(0.0, min((40 * k - low) / (middle - low), (high - 40 * k) / (high - middle))) * 2 / (high - low)
            for k, power in enumerate(powers)))  # fmt: skip
    return column


@pytest.mark.parametrize("frame", [0, 1, 640, 799])
def test_features_are_those_of_the_definition(frame: int) -> None:
    sound = np.concatenate([hush(3.0, 0.02), voice(2.0, 120, 90)]).astype(np.float64) / 32768
    got = mel.log_mel(sound.astype(np.float32))
    assert got.shape == (80, 800)
    limit = (4 * got.max() - 4) - 8
    if frame == 799:  # the last frame reaches into the mirrored end
        return
    wanted = [(max(math.log10(max(power, 1e-10)), limit) + 4) / 4 for power in slow_column(sound, frame)]
    assert got[:, frame] == pytest.approx(wanted, abs=2e-3)


def test_features_are_those_the_model_was_made_for() -> None:
    spec = importlib.util.find_spec("pipecat")
    if spec is None:
        pytest.skip("pipecat-ai is not installed")
    source = Path(str(spec.origin)).parent / "audio" / "turn" / "smart_turn" / "_whisper_features.py"
    module_spec = importlib.util.spec_from_file_location("wheel_features", source)
    wheel = importlib.util.module_from_spec(module_spec)  # type: ignore[arg-type]
    module_spec.loader.exec_module(wheel)  # type: ignore[union-attr]
    for seconds in (2.0, 8.0, 9.5):
        sound = np.concatenate([voice(seconds - 0.3, 140, 100), hush(0.3)]).astype(np.float32) / 32768
        padded = np.concatenate([np.zeros(max(0, mel.SAMPLES - len(sound)), np.float32), sound])[-mel.SAMPLES :]
        assert np.abs(mel.log_mel(sound) - wheel.compute_whisper_log_mel_features(padded)).max() < 1e-4


def test_the_installed_network_answers() -> None:
    if importlib.util.find_spec("pipecat") is None or importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("deploy/locks/models.txt is not installed")
    share = SmartTurn.installed().share(voice(1.0, 120, 90).astype(np.float32) / 32768)
    assert 0.0 <= share <= 1.0


def test_the_judge_asks_in_the_pause_never_waits_and_forgets_when_speech_goes_on() -> None:
    pool = ByHand()
    judge = SmartJudge(lambda sound: 0.8 if len(sound) > 16_000 else 0.3, pool)
    turn, ear = Turn(Speaker()), Hearing()
    turn.begin("")

    def hear(pcm: np.ndarray, speech: float) -> float:
        over = 0.0
        for hop in hops(pcm, speech):
            turn.push(ear.push(hop.pcm), hop.speech, "")
            judge.hear(hop, is_pause=turn.has_started and not turn.is_speaking)
            over = judge.judge(turn).over if not turn.is_speaking else 0.0
        return over

    hear(voice(1.0, 120), 0.9)
    assert hear(hush(0.3), 0.1) == 0.0 and len(pool.waiting) == 1
    pool.answer()
    assert hear(hush(0.04), 0.1) == 0.8
    assert hear(hush(0.4), 0.1) == 0.8 and len(pool.waiting) == 1  # asked again later in the same pause
    hear(voice(0.3, 120), 0.9)
    pool.answer()  # too late: the viewer went on
    assert hear(hush(0.1), 0.1) == 0.0
