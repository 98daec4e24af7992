"""Learns the turn model: multinomial logistic regression, the whole set at once. Pure; the same input gives the same
weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from rendering.dialogue.turns.features import FEATURES
from rendering.dialogue.turns.model import FADE, OUTCOMES, expanded
from rendering.training.turns.heard import Moments

Floats = NDArray[np.float64]

GOES_ON_S = (0.2, 0.4, 0.6)
LEARNED_S = 2.0  # of a silence: later moments all look alike
DECAY = 2e-4
STEPS = 120
LEAST_SPREAD = 1e-3


def outcomes(moments: Moments) -> NDArray[np.int64]:
    """[N] which of OUTCOMES comes."""
    on = 1 + np.searchsorted(GOES_ON_S, moments.on_in_s, side="left")
    return np.where(moments.is_end, 0, np.minimum(on, len(OUTCOMES) - 1))


def learn(
    moments: Moments, left_out: Sequence[str] = (), labels: NDArray[np.int64] | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights from moments.

    Args:
        left_out: features that get no weight (ablations and controls).
        labels: [N] other outcomes than the true ones (a control).

    Returns:
        middle [F], spread [F], weights [2F, 5], bias [5], as `TurnModel` takes them.
    """
    known = moments.silence_s <= LEARNED_S
    features = moments.features[known]
    wanted = (outcomes(moments) if labels is None else labels)[known]
    middle, spread = features.mean(0), features.std(0)
    spread = np.where(spread < LEAST_SPREAD, 1.0, spread)
    steps = expanded((features - middle) / spread, features[:, FADE, None])
    kept = np.array([name not in left_out for name in FEATURES] * 2)
    weights, bias = _regression(steps * kept, wanted)
    return middle, spread, weights * kept[:, None], bias


def _regression(steps: Floats, wanted: NDArray[np.int64]) -> tuple[Floats, Floats]:
    given, target = torch.from_numpy(steps), torch.from_numpy(wanted)
    weights = torch.zeros(steps.shape[1], len(OUTCOMES), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(OUTCOMES), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=STEPS, history_size=12, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(given @ weights + bias, target) + DECAY * (weights**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach().numpy(), bias.detach().numpy()
