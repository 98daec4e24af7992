"""Faces of a replica that show an emotion, and the negative controls that must not pass for one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rendering.engine.motion import expression
from rendering.engine.motion.controls import INDEX, NAMES
from rendering.engine.motion.performer import neutral_state
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.engine.state import FaceState
from tests.common import emotion_measures
from tests.common.emotion_measures import Measures

Array = np.ndarray[Any, np.dtype[Any]]

# What must not pass for joy, and for nothing else that it is not.
CONTROLS = {
    "smile of the mouth alone": {"smile_right": 1.0, "smile_left": 1.0},
    "jaw open": {"jaw": 0.4},
    "blink": {"blink_right": 1.0, "blink_left": 1.0},
    "narrowed eyes alone": {"lid_tight": 1.0},
    "brows up alone": {"inner_brow_up": 0.3, "outer_brow_up": 0.3},
}


def amounts_of(**named: float) -> Array:
    """[A] control amounts by name."""
    amounts = np.zeros(len(NAMES), np.float32)
    for name, amount in named.items():
        amounts[INDEX[name]] = amount
    return amounts


@dataclass(frozen=True)
class Faces:
    """One replica's faces, as points and as pictures."""

    replica: Replica
    size_px: int = 256

    @cached_property
    def renderer(self) -> Renderer:
        return Renderer(self.replica, self.size_px)

    def state(self, amounts: Array) -> FaceState:
        """Facing the camera in silence."""
        return FaceState(amounts, expression.resting_closure(amounts), neutral_state(self.replica).pose)

    def points(self, amounts: Array) -> Array:
        """[478, 3] canonical points."""
        return self.renderer.face(self.state(amounts))[0]

    def picture(self, amounts: Array) -> Array:
        """[S, S, 3] uint8."""
        return self.renderer.draw(self.state(amounts))

    def measures(self, amounts: Array) -> Measures:
        return emotion_measures.measure(self.points(amounts), self.points(amounts_of()))

    def seen_in(self, amounts: Array) -> tuple[str, ...]:
        return emotion_measures.seen_in(self.points(amounts), self.points(amounts_of()))

    def confusion(self, milli: int) -> dict[str, tuple[str, ...]]:
        """Emotion, or control, -> the emotions whose test its face passes."""
        shown = {name: expression.amounts(name, milli) for name in expression.EMOTIONS}
        controls = {name: amounts_of(**named) for name, named in CONTROLS.items()}
        return {name: self.seen_in(amounts) for name, amounts in {**shown, **controls}.items()}
