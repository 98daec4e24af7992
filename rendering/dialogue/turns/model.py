"""How likely a turn is over: a softmax over sums that can be read, each feature with its own weight.

Five outcomes: the turn is over, or the speaker goes on within 0-200, 200-400, 400-600 ms or later (time bins as in
voice activity projection, Ekstedt and Skantze 2022). Each feature counts twice, once as it is and once faded with the
length of the pause, because what the voice did matters most right after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.turns.features import FEATURES
from trustcore.primitives.errors import Fault

Floats = NDArray[np.float64]

RELEASE = 1
OUTCOMES = ("over", "on_within_200_ms", "on_within_400_ms", "on_within_600_ms", "on_later")
FADE = FEATURES.index("short_pause")
STRONGEST = 3
LEAST_WEIGHT = 0.15  # a feature that moves the log odds by less is not a reason


class TurnModelInvalid(Fault):
    """The file of the turn model is damaged or of another release."""

    code = "dialogue.turn_model_invalid"


@dataclass(frozen=True)
class Judgement:
    """`over` 0..1, `on` [4] how likely the speaker goes on within each time, `reasons` strongest first."""

    over: float
    on: tuple[float, float, float, float]
    reasons: tuple[tuple[str, float], ...]  # feature and what it adds to the log odds of "over"


@dataclass(frozen=True)
class TurnModel:
    """The weights. Arrays are never changed after loading."""

    middle: Floats  # [F]
    spread: Floats  # [F]
    weights: Floats  # [2F, 5]
    bias: Floats  # [5]
    facts: Mapping[str, Any]
    sha256: str

    def judge(self, features: Floats) -> Judgement:
        """Judge [F] features of one moment."""
        steps = expanded((features - self.middle) / self.spread, features[FADE])
        parts = steps[:, None] * self.weights  # [2F, 5]
        shares = _softmax(parts.sum(0) + self.bias)
        on = shares[1:] / max(shares[1:].sum(), 1e-12)
        added = parts[:, 0] - parts[:, 1:] @ on
        by_feature = added[: len(FEATURES)] + added[len(FEATURES) :]
        order = np.argsort(-np.abs(by_feature))[:STRONGEST]
        reasons = tuple((FEATURES[i], float(by_feature[i])) for i in order if abs(by_feature[i]) >= LEAST_WEIGHT)
        return Judgement(float(shares[0]), tuple(float(value) for value in shares[1:]), reasons)  # type: ignore[arg-type]

    def over(self, features: Floats) -> Floats:
        """[N] how likely each of [N, F] moments is the end."""
        steps = expanded((features - self.middle) / self.spread, features[:, FADE, None])
        return np.asarray(_softmax(steps @ self.weights + self.bias)[..., 0])


def expanded(steps: Floats, fade: Floats | float) -> Floats:
    """[..., 2F]: the features, and the features faded with the pause."""
    return np.concatenate([steps, steps * fade], axis=-1)


def to_json(middle: Floats, spread: Floats, weights: Floats, bias: Floats, facts: Mapping[str, Any]) -> str:
    """The file: readable, one feature a line, with its own hash over everything else."""
    count = len(FEATURES)
    rows = {
        name: {
            "middle": _short(middle[i]), "spread": _short(spread[i]),
            "steady": [_short(value) for value in weights[i]], "faded": [_short(value) for value in weights[count + i]],
        }
        for i, name in enumerate(FEATURES)
    }  # fmt: skip
    content: dict[str, Any] = {
        "release": RELEASE, "outcomes": list(OUTCOMES), "bias": [_short(value) for value in bias], "features": rows,
        "facts": dict(facts),
    }  # fmt: skip
    content["sha256"] = _hash(content)
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    rest = {key: value for key, value in content.items() if key != "features"}
    head = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in rest.items())
    return f'{{\n{head},\n  "features": {{\n{lines}\n  }}\n}}\n'


def from_json(text: str) -> TurnModel:
    """Read the file.

    Raises:
        TurnModelInvalid: it is no such file, its hash does not fit, or its features are not this version's.
    """
    try:
        content = json.loads(text)
        given = content.pop("sha256")
        if content["release"] != RELEASE or tuple(content["outcomes"]) != OUTCOMES:
            raise TurnModelInvalid("The turn model is of another release. Build it again.")
        if tuple(content["features"]) != FEATURES:
            raise TurnModelInvalid("The turn model knows other features. Build it again.")
        if given != _hash(content):
            raise TurnModelInvalid("The turn model does not fit its own hash. Install it again.")
        rows = [content["features"][name] for name in FEATURES]
        middle, spread = (np.array([row[key] for row in rows], dtype=float) for key in ("middle", "spread"))
        weights = np.array([row["steady"] for row in rows] + [row["faded"] for row in rows], dtype=float)
        bias = np.array(content["bias"], dtype=float)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TurnModelInvalid("The file of the turn model cannot be read.", cause=type(error).__name__) from error
    if weights.shape != (2 * len(FEATURES), len(OUTCOMES)) or not (spread > 0).all() or not np.isfinite(weights).all():
        raise TurnModelInvalid("The turn model has weights that do not fit.")
    return TurnModel(middle, spread, weights, bias, content["facts"], given)


def _softmax(sums: Floats) -> Floats:
    raised = np.exp(sums - sums.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))


def _short(value: float) -> float:
    return round(float(value), 5)


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
