"""The networks while they learn (PyTorch), and their weights as the arrays that run without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth.features import INPUTS
from rendering.engine.motion.mouth.layers import TAPS, Block, Network
from rendering.engine.motion.mouth.motion import STYLE, MotionModel
from rendering.engine.motion.mouth.recogniser import HEARD
from rendering.engine.motion.visemes import MOUTH

Array = np.ndarray[Any, np.dtype[Any]]

RECOGNISER_WIDTH, RECOGNISER_DILATIONS = 192, (1, 2, 4, 8, 1, 2)
DROPPED = 0.1
MOTION_WIDTH, MOTION_DILATIONS, FILM_WIDTH = 128, (1, 2, 4), 48


class CausalNet(nn.Module):
    """The trainable twin of `rendering.engine.motion.mouth.layers.Network`; both agree, which a test compares."""

    def __init__(
        self, inputs: int, width: int, dilations: tuple[int, ...], outputs: int, dropped: float = 0.0
    ) -> None:
        super().__init__()
        self.dropped = dropped  # share of each block's inner values that an update does without
        self.dilations = dilations
        self.enter = nn.Linear(inputs, width)
        self.convolve = nn.ModuleList(nn.Linear(TAPS * width, width) for _ in dilations)
        self.project = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in dilations)
        self.leave = nn.Linear(width, outputs)

    @property
    def past_frames(self) -> int:
        """How many frames before the present one an output depends on."""
        return sum((TAPS - 1) * dilation for dilation in self.dilations)

    def forward(self, inputs: torch.Tensor, films: list[tuple[torch.Tensor, torch.Tensor]] | None = None) -> Any:
        """[B, T - past_frames, O] from [B, T, I]; films are factors and shifts [B, C] per block."""
        state = self.enter(inputs)
        width = state.shape[-1]
        for index, dilation in enumerate(self.dilations):
            taps = nn.functional.layer_norm(state, (width,))
            count = state.shape[1] - (TAPS - 1) * dilation
            stacked = torch.cat([taps[:, i * dilation : i * dilation + count] for i in range(TAPS)], dim=-1)
            inner = self.convolve[index](stacked)
            if films is not None:
                factor, shift = films[index]
                inner = inner * (1 + factor[:, None]) + shift[:, None]
            inner = nn.functional.dropout(torch.relu(inner), self.dropped, self.training)
            state = state[:, -count:] + self.project[index](inner)
        return self.leave(nn.functional.layer_norm(state, (width,)))

    def frozen(self) -> Network:
        """The weights as arrays."""
        blocks = tuple(
            Block(dilation, _array(c.weight.T), _array(c.bias), _array(p.weight.T))
            for dilation, c, p in zip(self.dilations, self.convolve, self.project, strict=True)
        )
        return Network(
            _array(self.enter.weight.T), _array(self.enter.bias), blocks,
            _array(self.leave.weight.T), _array(self.leave.bias),
        )  # fmt: skip


class MotionNet(nn.Module):
    """Class shares (VISEMES, or HEARD from a recogniser), style and emotion to mouth controls."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.body = CausalNet(inputs, MOTION_WIDTH, MOTION_DILATIONS, len(MOUTH))
        self.manner = nn.Linear(len(STYLE) + len(EMOTIONS), FILM_WIDTH)
        self.films = nn.ModuleList(nn.Linear(FILM_WIDTH, 2 * MOTION_WIDTH) for _ in MOTION_DILATIONS)

    def forward(self, shares: torch.Tensor, style: torch.Tensor, emotion: torch.Tensor) -> Any:
        """[B, T - past_frames, MOUTH] from [B, T, inputs], [B, STYLE], [B, EMOTIONS]."""
        hidden = torch.relu(self.manner(torch.cat([style, emotion], dim=-1)))
        films = [film(hidden).chunk(2, dim=-1) for film in self.films]
        return self.body(shares, films)

    def frozen(self) -> MotionModel:
        """The weights as arrays."""
        return MotionModel(
            self.body.frozen(), _array(self.manner.weight.T), _array(self.manner.bias),
            tuple((_array(film.weight.T), _array(film.bias)) for film in self.films),
        )  # fmt: skip


def recogniser_net() -> CausalNet:
    """An untrained recogniser."""
    return CausalNet(INPUTS, RECOGNISER_WIDTH, RECOGNISER_DILATIONS, HEARD, DROPPED)


def _array(tensor: torch.Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().numpy(), np.float32)
