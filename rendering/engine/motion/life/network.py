"""The denoising network: a residual network over one chunk's code, steered by the context through adaptive norms.

Plain numpy, so that drawing needs no training library; the training twin is `rendering.training.life.network`. Adaptive
norms (adaLN) as in Peebles and Xie, Scalable diffusion models with transformers (2023), section 3.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

BLOCKS, INNER, MOOD, STEPS_WIDTH = 3, 256, 128, 32
LEAST_LOG_OPEN, MOST_LOG_OPEN = -6.0, 1.5
Tensors = dict[str, Array]


class Network:
    """Predicts a chunk's clean code and how far it may be off. Weights are float32 rows: `y = x @ weight + bias`."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}

    def steer(self, context: Array) -> Array:
        """[B, MOOD] from context and style [B, C]; the same for every step of a chunk."""
        return self._line("steer.2", silu(self._line("steer.1", context)))

    def clean(self, noisy: Array, step: int, steering: Array) -> tuple[Array, Array]:
        """[B, W] the predicted clean code of a noisy one [B, W] at a step, and the variance of what it leaves open."""
        mood = silu(steering + self._line("step", step_row(step)[None]))
        hidden = self._line("in", noisy)
        for block in range(BLOCKS):
            scale, shift = np.split(self._line(f"block{block}.steer", mood), 2, axis=1)
            inside = silu(self._line(f"block{block}.1", normed(hidden) * (1 + scale) + shift))
            hidden = hidden + self._line(f"block{block}.2", inside)
        scale, shift = np.split(self._line("out.steer", mood), 2, axis=1)
        mean, log_open = np.split(self._line("out", normed(hidden) * (1 + scale) + shift), 2, axis=1)
        return mean, np.exp(np.clip(log_open, LEAST_LOG_OPEN, MOST_LOG_OPEN))

    def _line(self, name: str, values: Array) -> Array:
        return np.asarray(values @ self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"])


def shapes(context: int, code: int) -> dict[str, tuple[int, ...]]:
    """The shape of every weight for a context and a code of these widths."""
    lines = {
        "steer.1": (context, INNER), "steer.2": (INNER, MOOD), "step": (STEPS_WIDTH, MOOD), "in": (code, INNER),
        "out.steer": (MOOD, 2 * INNER), "out": (INNER, 2 * code),
    }  # fmt: skip
    for block in range(BLOCKS):
        lines[f"block{block}.steer"] = (MOOD, 2 * INNER)
        lines[f"block{block}.1"] = lines[f"block{block}.2"] = (INNER, INNER)
    return {
        f"{name}.{part}": shape if part == "weight" else shape[1:]
        for name, shape in lines.items()
        for part in ("weight", "bias")
    }


def silu(values: Array) -> Array:
    """x times its logistic; bounded so that the exponential cannot overflow."""
    return np.asarray(values / (1 + np.exp(-np.clip(values, -60, 60))))


def normed(values: Array) -> Array:
    """Rows without mean and of unit deviation."""
    centred = values - values.mean(1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5))


def step_row(step: int) -> Array:
    """[STEPS_WIDTH] sines and cosines of a step."""
    rates = np.exp(-np.arange(STEPS_WIDTH // 2) * (np.log(1000.0) / (STEPS_WIDTH // 2 - 1)))
    return np.concatenate([np.sin(step * rates), np.cos(step * rates)]).astype(np.float32)
