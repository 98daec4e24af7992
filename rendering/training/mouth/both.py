"""The base models, each with its progress and its number of updates: recognisers, and the motions behind them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from rendering.engine.motion.mouth.features import log_mel
from rendering.engine.motion.mouth.motion import MotionModel
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.training.mouth import movement, recognise
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle
from rendering.training.mouth.movement import Material, Overheard
from rendering.training.mouth.truth import Sounds

EVERY_S = 5.0


def train_recogniser(stage: str, speech: Speech, cycle: Cycle, seed: int) -> tuple[Recogniser, int]:
    """A recogniser of this speech, and how many updates it took."""
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("medium")  # half the time of full precision
    steps = Counted(tell(stage))
    return recognise.train(recognise.hear(speech, seed), cycle, seed, steps), steps.last


def train_motion(stage: str, material: Material, cycle: Cycle, seed: int) -> tuple[MotionModel, int]:
    """One motion model, and how many updates it took."""
    torch.set_num_threads(1)
    steps = Counted(tell(stage))
    return movement.train(material, cycle, seed, steps), steps.last


def overhear(listeners: Sequence[tuple[Recogniser, Speech]], seed: int) -> Overheard:
    """What recognisers make of speech, once as it was said and once through other rooms and lines."""
    random = np.random.default_rng([seed, 8])
    parts = []
    for recogniser, speech in listeners:
        sounds = Sounds(speech.starts_s, speech.ends_s, speech.classes)
        for samples in (speech.samples, recognise.spoiled(speech.samples, random)):
            parts.append((recogniser.posteriors(log_mel(samples)), sounds))
    return Overheard(tuple(parts))


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
