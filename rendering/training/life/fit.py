"""Train the denoiser: noise a chunk's code by a random step of the schedule, predict the clean code and its variance.

The variance lets a resting head rest and a moving one move on: what a mean leaves open differs from moment to moment
(Bao, Li, Sun, Zhu and Zhang, Estimating the optimal covariance, 2022). Loss: likelihood weighted by a power of the
variance (Seitzer, Tavakoli, Antic and Martius, On the pitfalls of heteroscedastic uncertainty estimation, 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rendering.engine.motion.life import codec as codes
from rendering.engine.motion.life import schedule
from rendering.engine.motion.life.model import VISITED
from rendering.engine.motion.life.network import step_row
from rendering.training.life.dataset import Pairs
from rendering.training.life.network import TrainedNetwork

Array = np.ndarray[Any, np.dtype[Any]]
PRECISE = 0.5  # power of the variance that a number is weighted by: 1 for errors alone, 0 for likelihood alone
EVENT_WEIGHT = 4.0  # two numbers among a hundred, but everybody sees a blink


@dataclass(frozen=True)
class Settings:
    """How long and how fast to train."""

    iterations: int = 1200
    batch: int = 256
    peak_rate: float = 1.5e-3
    averaged: float = 0.999  # share the running mean of the weights keeps at each iteration
    no_style: float = 0.1  # share of the chunks whose person is not told
    seed: int = 20


@dataclass(frozen=True)
class Fitted:
    """Weights, and what turns contexts and styles into unit numbers."""

    tensors: dict[str, Array]
    middle: Array  # [C + STYLE]
    spread: Array  # [C + STYLE]
    loss: float  # mean over the last tenth


def train(
    draw: Callable[[int], Pairs], settings: Settings, on_step: Callable[[int, float], None] = lambda _, __: None,
) -> Fitted:
    """Train on pairs that `draw` gives for each pass over the data (0, 1, 2, ...)."""
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    data = draw(0)
    rows = np.concatenate([data.context, data.style], axis=1)
    middle, spread = rows.mean(0), np.maximum(rows.std(0), 1e-3)
    network = TrainedNetwork(rows.shape[1], data.code.shape[1])
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_rate, weight_decay=0.01, fused=True)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.peak_rate, settings.iterations, pct_start=0.08)
    # Only the steps that the sampler visits are ever asked for, so only those are learned.
    shares = torch.tensor([share for _, share, _ in schedule.pairs(VISITED)], dtype=torch.float32)
    step_rows = torch.tensor(np.stack([step_row(step) for step in VISITED]))
    weights = torch.ones(data.code.shape[1])
    weights[codes.EVENTS] = EVENT_WEIGHT
    losses, passes, at = [], 0, len(rows)
    tensors: tuple[torch.Tensor, ...] = ()
    for iteration in range(settings.iterations):
        if at + settings.batch > len(data.code):
            if passes:
                data = draw(passes)
            passes, at = passes + 1, 0
            tensors = _shuffled(data, middle, spread, random)
        context, code = (part[at : at + settings.batch] for part in tensors)
        at += settings.batch
        context = _forget_style(context, data.style.shape[1], settings.no_style, random)
        steps = torch.randint(0, len(VISITED), (len(code),), generator=random)
        share = shares[steps][:, None]
        noisy = share.sqrt() * code + (1 - share).sqrt() * torch.randn(code.shape, generator=random)
        mean, log_open = network(noisy, step_rows[steps], context)
        surprise = 0.5 * (log_open + (mean - code) ** 2 * torch.exp(-log_open))
        loss = (torch.exp(PRECISE * log_open.detach()) * surprise * weights).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rate.step()
        _average(kept, network, min(settings.averaged, (1 + iteration) / (10 + iteration)))
        losses.append(loss.item())
        on_step(iteration + 1, losses[-1])
    network.load_state_dict(kept)
    tail = max(1, len(losses) // 10)
    return Fitted(network.tensors(), middle, spread, float(np.mean(losses[-tail:])))


def _shuffled(data: Pairs, middle: Array, spread: Array, random: torch.Generator) -> tuple[torch.Tensor, ...]:
    order = torch.randperm(len(data.code), generator=random)
    rows = (np.concatenate([data.context, data.style], axis=1) - middle) / spread
    return torch.from_numpy(np.clip(rows, -6, 6).astype(np.float32))[order], torch.from_numpy(data.code)[order]


def _forget_style(context: torch.Tensor, width: int, share: float, random: torch.Generator) -> torch.Tensor:
    forgets = torch.rand(len(context), 1, generator=random) < share
    style = torch.where(forgets, 0.0, context[:, -width:])
    return torch.cat([context[:, :-width], style], dim=1)


def _average(kept: dict[str, torch.Tensor], network: TrainedNetwork, share: float) -> None:
    with torch.no_grad():
        torch._foreach_lerp_(list(kept.values()), list(network.state_dict().values()), 1 - share)
