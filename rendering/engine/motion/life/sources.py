"""Where life comes from: the diffusion model, or drifting noise when there are no weights. One interface for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rendering.engine.motion.idle import BREATHS_PER_S, Drift, Schedule, nod
from rendering.engine.motion.life.channels import INDEX, blink_curve
from rendering.engine.motion.life.hearing import Hearing
from rendering.engine.motion.life.model import LifeModel, Person
from rendering.engine.motion.life.stream import LifeStream

Array = np.ndarray[Any, np.dtype[Any]]

SPEECH_NOD_RAD = 0.035
SWAY = 0.3  # share of a person's deviation of place and size that is not bound to turning
AIM_RAD, FARTHEST_AIM_RAD = 0.07, 0.24
BROWS, SMILE = 0.05, 0.035  # amount of a control for one deviation
MOST_BROWS = 0.3
MOST_SMILE = 0.12  # a small smile stays far below the least that reads as joy


@dataclass(frozen=True)
class Living:
    """What a face does on its own at one moment, on top of speech and emotion."""

    turn_rad: Array  # [3] yaw, pitch, roll from the person's facing
    shift: Array  # [3] x, y, log size in the person's deviations
    breath: float  # about -1..1
    aim_rad: Array  # [2] where the eyes look beside the camera: right, down
    lids: float  # 0..1 closed
    brow_inner: float  # amounts of controls
    brow_outer: float
    brow_down: float
    smile: float
    cheek: float


class LifeSource(Protocol):
    """Gives life for moments that do not go back by more than a second."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the record of a session says of it: `source`, and the weights' hash or why there are none."""
        ...

    def at(self, t_s: float, speaking: float, listening: float, stress: float) -> Living:
        """Life at a time; how much is being spoken, listened (0..1) and stressed right now."""
        ...


class NoiseLife:
    """Drifting noise, a blink timer and nods on stress: the tier below the model, and what the model has to beat."""

    def __init__(self, turn_rad: Array, seed: int, reason: str) -> None:
        random = np.random.default_rng(seed)
        self._turn_rad = turn_rad
        self._reason = reason
        self._slow = [Drift(random, 0.03, 0.16) for _ in range(3)]
        self._quick = [Drift(random, 0.25, 0.7) for _ in range(3)]
        self._brows = Drift(random, 0.05, 0.3)
        self._blinks = Schedule(random, (2.0, 5.0), 1)
        self._glances = Schedule(random, (0.7, 2.6), 3)
        self._nods = Schedule(random, (2.5, 6.0), 1)

    @property
    def facts(self) -> dict[str, Any]:
        return {"source": "noise", "reason": self._reason}

    def at(self, t_s: float, speaking: float, listening: float, stress: float) -> Living:
        slow = np.array([drift.at(t_s) for drift in self._slow])
        quick = np.array([drift.at(t_s) for drift in self._quick])
        turn = self._turn_rad * (0.75 * slow * (1 - 0.5 * listening) + (0.15 + 0.3 * speaking) * quick)
        turn[1] += SPEECH_NOD_RAD * stress + 0.06 * listening * nod(self._nods.last(t_s)[0])
        brows = max(0.0, 0.12 * self._brows.at(t_s) + 0.15 * listening + 0.10 * stress)
        return Living(
            turn, np.zeros(3), float(np.sin(2 * np.pi * BREATHS_PER_S * t_s)), self._aim(t_s) * (1 - 0.8 * listening),
            float(blink_curve(self._blinks.last(t_s)[0])), brows, brows, 0.0, 0.0, 0.0,
        )  # fmt: skip

    def _aim(self, t_s: float) -> Array:
        since_s, now, before = self._glances.last(t_s)
        share = min(1.0, since_s / 0.05)  # a saccade is over in about 50 ms
        return _glance(before) + share * (_glance(now) - _glance(before))


class DiffusedLife:
    """The diffusion model's life for one person and session.

    Args:
        turn_rad: [3] what one deviation of yaw, pitch and roll is.
        person: how the replica's person moves, from their own footage; without it a usual person.
        smile_most: the largest amount of a small smile, 0 where the grant forbids joy.
    """

    def __init__(
        self, model: LifeModel, turn_rad: Array, hearing: Hearing, seed: int, *, person: Person | None = None,
        smile_most: float = MOST_SMILE,
    ) -> None:
        self._turn_rad = turn_rad
        self._smile_most = min(smile_most, MOST_SMILE)
        self._stream = LifeStream(model, person or model.usual, seed, hearing.at)
        self._sha256 = str(model.facts["sha256"])
        self._is_fitted = person is not None

    @property
    def facts(self) -> dict[str, Any]:
        return {"source": "diffusion", "sha256": self._sha256, "is_fitted": self._is_fitted, "late": self._stream.late}

    def at(self, t_s: float, speaking: float, listening: float, stress: float) -> Living:
        frame = self._stream.at(t_s)
        part = {name: float(frame.smooth[position]) for name, position in INDEX.items()}

        def amount(name: str, unit: float, most: float) -> float:
            return min(most, max(0.0, unit * (0.5 + part[name])))

        return Living(
            self._turn_rad * frame.smooth[:3], SWAY * frame.smooth[3:6], part["breath"],
            np.clip(frame.aim * AIM_RAD, -FARTHEST_AIM_RAD, FARTHEST_AIM_RAD), frame.lids,
            amount("brow_inner", BROWS, MOST_BROWS), amount("brow_outer", BROWS, MOST_BROWS),
            amount("brow_down", 0.5 * BROWS, MOST_BROWS), amount("smile", SMILE, self._smile_most),
            amount("cheek", SMILE, self._smile_most),
        )  # fmt: skip


def _glance(drawn: Array) -> Array:
    """Where the eyes go for three normal numbers: mostly small shifts about the camera, sometimes aside."""
    wide = 0.16 if drawn[2] > 1.2 else 0.035
    return np.asarray(np.clip(drawn[:2], -1.5, 1.5) * [wide, 0.6 * wide])
