"""The readable file, its hash, and a judgement that says why."""

import json

import numpy as np
import pytest

from rendering.dialogue.turns.features import FEATURES
from rendering.dialogue.turns.model import TurnModelInvalid, from_json, to_json

COUNT = len(FEATURES)


def weights_file(**facts: object) -> str:
    weights = np.zeros((2 * COUNT, 5))
    weights[FEATURES.index("filler_last"), 0] = -2.0
    weights[FEATURES.index("pause"), 0] = 3.0
    weights[COUNT + FEATURES.index("pitch_at_end"), 0] = -1.0
    return to_json(np.zeros(COUNT), np.ones(COUNT), weights, np.array([0.0, 0.1, 0.2, 0.3, 0.4]), facts)


def features(**given: float) -> np.ndarray:
    return np.array([given.get(name, 0.0) for name in FEATURES])


def slow_shares(text: str, values: np.ndarray) -> list[float]:
    """The definition, straight from the file, without matrices."""
    content = json.loads(text)
    fade = dict(zip(FEATURES, values, strict=True))["short_pause"]
    sums = list(content["bias"])
    for name, value in zip(FEATURES, values, strict=True):
        row = content["features"][name]
        step = (value - row["middle"]) / row["spread"]
        for outcome in range(5):
            sums[outcome] += step * row["steady"][outcome] + step * fade * row["faded"][outcome]
    raised = [float(np.exp(total)) for total in sums]
    return [value / sum(raised) for value in raised]


def test_shares_are_those_of_the_definition() -> None:
    text = weights_file()
    values = np.random.default_rng(3).normal(0, 1, COUNT)
    judged = from_json(text).judge(values)
    assert [judged.over, *judged.on] == pytest.approx(slow_shares(text, values), abs=1e-9)
    assert judged.over == pytest.approx(float(from_json(text).over(values[None])[0]), abs=1e-12)


def test_the_strongest_features_are_the_reasons() -> None:
    model = from_json(weights_file())
    assert [name for name, _ in model.judge(features(pause=1.0, filler_last=1.0)).reasons] == ["pause", "filler_last"]
    falling = model.judge(features(pitch_at_end=-4.0, short_pause=1.0)).reasons
    assert falling[0][0] == "pitch_at_end" and falling[0][1] > 0


def test_what_the_voice_did_fades_with_the_pause() -> None:
    model = from_json(weights_file())
    early = model.judge(features(pitch_at_end=-4.0, short_pause=1.0)).over
    late = model.judge(features(pitch_at_end=-4.0, short_pause=0.05)).over
    assert early > late + 0.3


def test_a_changed_weight_is_found() -> None:
    content = json.loads(weights_file())
    content["features"]["pause"]["steady"][0] = 9.0
    with pytest.raises(TurnModelInvalid, match="hash"):
        from_json(json.dumps(content))


OTHER_FEATURES = weights_file().replace("pitch_at_end", "pitch")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"sha256": 1}', "null", OTHER_FEATURES])
def test_damaged_files_are_refused(text: str) -> None:
    with pytest.raises(TurnModelInvalid):
        from_json(text)


def test_another_release_is_refused() -> None:
    with pytest.raises(TurnModelInvalid, match="release"):
        from_json(weights_file().replace('"release": 1', '"release": 99'))
