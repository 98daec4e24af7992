"""The diffusion schedule and its sampler, in the form of the papers.

Squared-cosine schedule: Nichol and Dhariwal, Improved denoising diffusion probabilistic models (2021), equation 17.
Sampler: Song, Meng and Ermon, Denoising diffusion implicit models (2021), equation 12, for a network that predicts
the clean sample. A predicted sample is a mean; with few steps what it leaves open must be put back, else everything
shrinks: Bao, Li, Zhu and Zhang, Analytic-DPM (2022), theorem 1, with the open part measured for every number of the
code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

TRAINING_STEPS = 1000
OFFSET = 0.008
MOST_BETA = 0.999


def kept_shares(steps: int = TRAINING_STEPS) -> Array:
    """[steps] share of the clean sample's variance that is left at each step (alpha bar), falling from 1 towards 0."""
    angle = (np.arange(steps + 1) / steps + OFFSET) / (1 + OFFSET) * np.pi / 2
    curve = np.cos(angle) ** 2
    return np.asarray(np.cumprod(1 - np.minimum(1 - curve[1:] / curve[:-1], MOST_BETA)))


def ddim_step(
    noisy: Array, clean: Array, kept: float, kept_next: float, *, eta: float = 0.0, fresh: Array | None = None,
    doubt: Array | float = 0.0,
) -> Array:
    """One step from share `kept` to `kept_next`, given the predicted clean sample.

    Args:
        eta: 0 for the deterministic sampler, 1 for as much fresh noise as the ancestral sampler adds.
        fresh: standard normal numbers of the same shape; without them nothing is added.
        doubt: variance of the clean sample about its prediction.
    """
    spread2 = eta**2 * (1 - kept_next) / (1 - kept) * (1 - kept / kept_next)
    along = np.sqrt(max(0.0, 1 - kept_next - spread2))
    noise = (noisy - np.sqrt(kept) * clean) / np.sqrt(1 - kept)
    out = np.sqrt(kept_next) * clean + along * noise
    if fresh is None:
        return np.asarray(out)
    by_clean = np.sqrt(kept_next) - along * np.sqrt(kept / (1 - kept))
    return np.asarray(out + np.sqrt(spread2 + by_clean**2 * doubt) * fresh)


def pairs(steps: Sequence[int]) -> list[tuple[int, float, float]]:
    """Each visited step with its share and the next one's; the last goes to a share of 1, the clean sample."""
    shares = kept_shares()
    after = [*(float(shares[step]) for step in steps[1:]), 1.0]
    return [(step, float(shares[step]), share) for step, share in zip(steps, after, strict=True)]
