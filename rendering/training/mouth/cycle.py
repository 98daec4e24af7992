"""The updates of a training: AdamW under a one-cycle rate that ends with the steps or the time, whichever is first."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

PEAK_RATE, DECAY, CLIP = 2e-3, 0.01, 1.0
RISE = 0.3  # share of the run in which the rate rises
START, END = 1 / 25, 1e-4  # of the peak


@dataclass(frozen=True)
class Cycle:
    """How long to train. A run that its time limit shortens still lets its rate fall to the end."""

    steps: int
    limit_s: float = math.inf

    def start(self, net: nn.Module) -> Updates:
        """The updates of one network."""
        return Updates(net, self)


class Updates:
    """One network on its way through the cycle."""

    def __init__(self, net: nn.Module, cycle: Cycle) -> None:
        self._net, self._cycle = net, cycle
        self._optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
        self._began_s = time.monotonic()
        self.step = 0

    def share(self) -> float:
        """0..1 of the run that is over."""
        spent_s = time.monotonic() - self._began_s
        return min(1.0, max(self.step / self._cycle.steps, spent_s / self._cycle.limit_s))

    def is_over(self) -> bool:
        """True after the last update."""
        return self.step > 0 and self.share() >= 1.0

    def take(self, loss: Any) -> None:
        """One update down this loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = PEAK_RATE * height(self.share())
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._net.parameters(), CLIP)
        self._optimiser.step()
        self.step += 1


def height(share: float) -> float:
    """The learning rate over its peak: half a cosine up, half a cosine down (Smith and Topin 2018)."""
    low, part = (START, share / RISE) if share < RISE else (END, (1 - share) / (1 - RISE))
    return low + (1 - low) * 0.5 * (1 - math.cos(math.pi * part))
