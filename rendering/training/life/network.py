"""The training twin of `rendering.engine.motion.life.network`: the same lines in torch, with gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import layer_norm, silu

from rendering.engine.motion.life.network import (
    BLOCKS,
    INNER,
    LEAST_LOG_OPEN,
    MOOD,
    MOST_LOG_OPEN,
    STEPS_WIDTH,
)

Array = np.ndarray[Any, np.dtype[Any]]


class TrainedNetwork(nn.Module):
    """Predicts the clean code and what it leaves open; its `tensors` are what the engine's network reads."""

    def __init__(self, context: int, code: int) -> None:
        super().__init__()
        lines = {"steer_1": (context, INNER), "steer_2": (INNER, MOOD), "step": (STEPS_WIDTH, MOOD),
                 "in": (code, INNER), "out_steer": (MOOD, 2 * INNER), "out": (INNER, 2 * code)}  # fmt: skip
        for block in range(BLOCKS):
            lines[f"block{block}_steer"] = (MOOD, 2 * INNER)
            lines[f"block{block}_1"] = lines[f"block{block}_2"] = (INNER, INNER)
        made = {name: nn.Linear(*shape) for name, shape in lines.items()}
        self.lines = nn.ModuleDict(made)
        # Blocks start as the identity, so that depth costs nothing at first.
        quiet = [f"block{block}_{part}" for block in range(BLOCKS) for part in ("steer", "2")]
        for name in (*quiet, "out_steer", "out"):
            nn.init.zeros_(made[name].weight)
            nn.init.zeros_(made[name].bias)

    def forward(
        self, noisy: torch.Tensor, steps: torch.Tensor, context: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, W] clean codes and the logarithm of the variance about them.

        Args:
            noisy: [B, W].
            steps: [B, 32] rows of their steps.
            context: [B, C].
        """
        lines = self.lines
        mood = silu(lines["steer_2"](silu(lines["steer_1"](context))) + lines["step"](steps))
        hidden = lines["in"](noisy)
        for block in range(BLOCKS):
            scale, shift = lines[f"block{block}_steer"](mood).chunk(2, dim=1)
            inside = silu(lines[f"block{block}_1"](layer_norm(hidden, (INNER,)) * (1 + scale) + shift))
            hidden = hidden + lines[f"block{block}_2"](inside)
        scale, shift = lines["out_steer"](mood).chunk(2, dim=1)
        mean, log_open = lines["out"](layer_norm(hidden, (INNER,)) * (1 + scale) + shift).chunk(2, dim=1)
        return mean, log_open.clamp(LEAST_LOG_OPEN, MOST_LOG_OPEN)

    def tensors(self) -> dict[str, Array]:
        """Weights under the engine's names, as rows (`y = x @ weight + bias`)."""
        out = {}
        for name, line in self.lines.items():
            plain = name.replace("_", ".")
            assert isinstance(line, nn.Linear)
            out[f"{plain}.weight"] = line.weight.detach().numpy().T.copy()
            out[f"{plain}.bias"] = line.bias.detach().numpy().copy()
        return out
