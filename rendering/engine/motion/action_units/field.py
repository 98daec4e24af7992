"""A movement of the face, drawn at a few points and carried smoothly over the skin between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Move = tuple[float, float, float] | tuple[float, float]


class Field:
    """A displacement [478, 3] in outer eye distances and how sure it is of each point [478], 0..1."""

    def __init__(self, points: Array) -> None:
        self.points = points  # [478, 3] neutral face, outer eye distances
        self.move = np.zeros_like(points)
        self.sure = np.zeros(len(points), np.float32)

    def put(self, indices: Iterable[int], move: Array | Move, sure: float = 1.0) -> None:
        """Set the movement of some points."""
        rows = list(indices)
        self.move[rows] = move
        self.sure[rows] = sure

    def add(self, indices: Iterable[int], move: Array | Move, sure: float = 1.0) -> None:
        """Add to the movement of some points."""
        rows = list(indices)
        self.move[rows] += move
        self.sure[rows] = sure

    def around(self, anchors: tuple[int, ...], move: tuple[float, float, float], reach: float, sure: float) -> None:
        """Add a movement that fades with the distance from the nearest anchor."""
        fade = np.exp(-0.5 * (self._gaps(anchors).min(1) / reach) ** 2)
        self.move += fade[:, None] * np.array(move, np.float32)
        self.sure = np.maximum(self.sure, sure * fade).astype(np.float32)

    def skin(
        self, knots: Mapping[int, Move], reach: float, sure: float = 0.9, still: Iterable[int] = (),
        without: Iterable[int] = (),
    ) -> None:
        """Add a movement given at knots and carried over the skin between and around them.

        The skin moves by the mean of its knots, weighted by nearness, so that it never moves farther than they do, and
        fades out with the distance from the nearest knot. Points in `still` are knots that keep their place; points in
        `without` are left alone: lids and lips move by rules of their own.
        """
        drawn = {**dict.fromkeys(still, (0.0, 0.0, 0.0)), **knots}
        rows = tuple(drawn)
        moves = np.array([(*move, 0.0)[:3] for move in drawn.values()], np.float32)
        gaps = self._gaps(rows)
        weights = np.exp(-0.5 * (gaps / reach) ** 2) + 1e-12
        carried = (weights / weights.sum(1, keepdims=True)) @ moves
        fade = np.exp(-0.5 * (gaps.min(1) / reach) ** 2)
        carried *= fade[:, None]
        carried[list(rows)] = moves
        left = list(without)
        carried[left], fade[left] = 0.0, 0.0
        self.move += carried.astype(np.float32)
        self.sure = np.maximum(self.sure, sure * fade).astype(np.float32)

    def _gaps(self, anchors: tuple[int, ...]) -> Array:
        """[478, n] distances in the picture plane from every point to each anchor."""
        return np.asarray(np.linalg.norm(self.points[:, None, :2] - self.points[None, list(anchors), :2], axis=2))


def across_mouth(points: Array, indices: tuple[int, ...]) -> Array:
    """[n] position between the mouth corners: -1 at the person's right one, +1 at the left one."""
    right, left = points[61, 0], points[291, 0]
    return np.asarray((points[list(indices), 0] - 0.5 * (right + left)) / (0.5 * (left - right)))


def lift(field: Field, lips: tuple[int, ...], middle: float, beside: float, forward: float = 0.0) -> None:
    """Add a vertical movement of lip points: `middle` at the middle, `beside` half way to the corners, none there."""
    u = across_mouth(field.points, lips)
    height = np.interp(np.abs(u), (0.0, 0.5, 1.0), (middle, beside, 0.0))
    field.add(lips, np.stack([0 * u, height, -forward * (1 - np.clip(np.abs(u), 0, 1))], axis=1))
