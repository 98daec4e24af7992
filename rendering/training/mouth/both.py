"""Both base models, each with its progress and its number of updates."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from rendering.engine.motion.mouth.motion import MotionModel
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.training.mouth import movement, recognise
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle
from rendering.training.mouth.movement import Material

EVERY_S = 5.0


def train_recogniser(speech: Speech, cycle: Cycle, seed: int) -> tuple[Recogniser, int]:
    """The recogniser of all voices but the strangers, and how many updates it took."""
    torch.set_num_threads(1)
    steps = Counted(tell("recogniser"))
    return recognise.train(recognise.hear(speech, seed), cycle, seed, steps), steps.last


def train_motion(speech: Speech, cycle: Cycle, seed: int) -> tuple[MotionModel, int]:
    """The motion model with what it leaves unexplained, and how many updates it took."""
    torch.set_num_threads(1)
    material, steps = Material.of(speech), Counted(tell("motion"))
    motion = movement.train(material, cycle, seed, steps)
    return replace(motion, unevenness=movement.unexplained(motion, material, seed)), steps.last


class Counted:
    """A progress that keeps the last step; a time limit may have come before the steps were done."""

    def __init__(self, told: Callable[[int, int, float], None]) -> None:
        self._told = told
        self.last = 0

    def __call__(self, step: int, steps: int, loss: float) -> None:
        """One more step."""
        self.last = step
        self._told(step, steps, loss)


def tell(stage: str) -> Callable[[int, int, float], None]:
    """A progress that writes a line now and then."""
    last_s = [-EVERY_S]

    def show(step: int, steps: int, loss: float) -> None:
        if time.monotonic() - last_s[0] > EVERY_S or step == steps:
            last_s[0] = time.monotonic()
            sys.stdout.write(f"{stage:10} {step}/{steps} {loss:.3f}\n")
            sys.stdout.flush()

    return show
