"""A causal residual network over time, in plain numpy: for whole recordings and one frame at a time.

Each block normalises, convolves over three moments of the past, scales and shifts by what does not change with time
(FiLM, Perez et al. 2018), and adds its result to what came in. Trained by `rendering.training.mouth`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

TAPS = 3
_EPSILON = 1e-5


@dataclass(frozen=True)
class Block:
    """One block of width C; `dilation` frames lie between its taps."""

    dilation: int
    convolve: Array  # [TAPS * C, C], the oldest tap first
    bias: Array  # [C]
    project: Array  # [C, C]


@dataclass(frozen=True)
class Network:
    """Input layer, blocks, output layer."""

    enter: Array  # [I, C]
    enter_bias: Array  # [C]
    blocks: tuple[Block, ...]
    leave: Array  # [C, O]
    leave_bias: Array  # [O]

    @property
    def past_frames(self) -> int:
        """How many frames before the present one an output depends on."""
        return sum((TAPS - 1) * block.dilation for block in self.blocks)

    def run(self, inputs: Array, films: Sequence[tuple[Array, Array]] | None = None) -> Array:
        """[T - past_frames, O] outputs of the frames of `inputs` [T, I] whose whole past is there.

        Args:
            films: for each block a factor and a shift [C], which stay the same for all frames.
        """
        state = inputs @ self.enter + self.enter_bias
        for index, block in enumerate(self.blocks):
            taps = _normal(state)
            reach = (TAPS - 1) * block.dilation
            count = len(state) - reach
            stacked = np.concatenate([taps[i * block.dilation :][:count] for i in range(TAPS)], axis=1)
            state = state[reach:] + _block(block, stacked, films[index] if films else None)
        return np.asarray(_normal(state) @ self.leave + self.leave_bias)


class NetworkStream:
    """The same network for frames that come one by one; before the first frame, all states are those of `rest`."""

    def __init__(self, network: Network, rest: Array) -> None:
        self._network = network
        self._held: list[Array] = []
        state = rest @ network.enter + network.enter_bias
        for block in network.blocks:
            taps = _normal(state)
            self._held.append(np.repeat(taps[None], (TAPS - 1) * block.dilation, axis=0))
            state = state + _block(block, np.tile(taps, TAPS)[None], None)[0]

    def step(self, frame: Array) -> Array:
        """[O] output of one more frame [I]."""
        network = self._network
        state = frame @ network.enter + network.enter_bias
        for index, block in enumerate(network.blocks):
            taps, held = _normal(state), self._held[index]
            stacked = np.concatenate([held[0], held[block.dilation], taps])
            self._held[index] = np.concatenate([held[1:], taps[None]])
            state = state + _block(block, stacked[None], None)[0]
        return np.asarray(_normal(state) @ network.leave + network.leave_bias)


def _block(block: Block, stacked: Array, film: tuple[Array, Array] | None) -> Array:
    inner = stacked @ block.convolve + block.bias
    if film is not None:
        inner = inner * (1 + film[0]) + film[1]
    return np.asarray(np.maximum(inner, 0.0) @ block.project)


def _normal(state: Array) -> Array:
    """Layer normalisation over the last axis, without factors of its own."""
    centred = state - state.mean(-1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + _EPSILON))
