"""The page's turn-taker says what the server's says, on the same sound with the same weights."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from rendering.dialogue.seams import HOP_SAMPLES
from rendering.dialogue.turns.features import FEATURES, WORDS, Speaker, Turn
from rendering.dialogue.turns.hearing import Hearing, LevelVoice
from rendering.dialogue.turns.model import from_json
from rendering.speech.utterance import resample
from rendering.speech.voices import pick_voice
from rendering.worker.turn_weights import WEIGHTS
from tests.unit.rendering.dialogue.turns.sounds import hush, voice

REPOSITORY = Path(__file__).resolve().parents[4]


def made_voice() -> np.ndarray:
    return np.concatenate([hush(0.5), voice(0.9, 150, 130), hush(0.4), voice(0.5, 140, 95), hush(1.2)])


def spoken() -> np.ndarray:
    said = pick_voice("en").say("I would like a table for four, on Friday evening.")
    sound = resample(said.pcm, said.rate_hz, 16_000)
    return np.concatenate([hush(0.4), sound, hush(1.0)]).astype(np.int16)


@pytest.mark.parametrize("make", [made_voice, spoken])
def test_page_and_server_agree_hop_by_hop(make) -> None:
    pcm = make()
    order = json.dumps({"pcm": pcm.tolist(), "weights": json.loads(WEIGHTS.read_text())})
    done = subprocess.run(
        ["node", str(REPOSITORY / "tests/node/turn_hints.mjs"), str(REPOSITORY / "trustcore/static")],
        input=order, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    model, ear, detector, turn = from_json(WEIGHTS.read_text()), Hearing(), LevelVoice(), Turn(Speaker())
    pauses = 0
    for hop, theirs in enumerate(answer["hops"]):
        sound = ear.push(pcm[hop * HOP_SAMPLES : (hop + 1) * HOP_SAMPLES])
        speech = detector.push(sound)
        turn.push(sound, speech, "")
        assert theirs["levelDb"] == pytest.approx(sound.level_db, abs=1e-6)
        assert theirs["pitchHz"] == pytest.approx(sound.pitch_hz, abs=1e-3)
        assert theirs["speech"] == pytest.approx(speech, abs=1e-6)
        if not turn.has_started or turn.is_speaking:
            assert theirs["features"] is None
            continue
        pauses += 1
        for name, value in zip(FEATURES, turn.features(), strict=True):
            if name not in WORDS:
                assert theirs["features"][name] == pytest.approx(value, abs=1e-4), name
        judged = model.judge(turn.features())
        assert theirs["shares"] == pytest.approx([judged.over, *judged.on], abs=1e-4)
    assert pauses > 40
    hints = [hop["hint"] for hop in answer["hops"]]
    given = [index for index, hint in enumerate(hints) if hint is not None]
    assert given and min(np.diff(given)) >= 5  # at most ten a second
    assert json.loads(answer["message"]) == {"event_type": "trustcore.turn_hint", "properties": {"end": 0.123}}
