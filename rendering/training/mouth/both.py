"""The base models, each with its progress and its number of updates: recognisers, and the motions behind them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from rendering.engine.motion.mouth.features import INPUTS, log_mel
from rendering.engine.motion.mouth.motion import MotionModel
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.training.mouth import movement, recognise
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle
from rendering.training.mouth.movement import Material, Overheard
from rendering.training.mouth.truth import Sounds

EVERY_S = 5.0
_DISGUISE_FRAMES = 150  # that one throat speaks


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


def overhear(recogniser: Recogniser, speech: Speech, seed: int) -> Overheard:
    """What a recogniser makes of strangers, once as they spoke and once through other rooms and lines."""
    random = np.random.default_rng([seed, 8])
    sounds = Sounds(speech.starts_s, speech.ends_s, speech.classes)
    heard = (speech.samples, recognise.spoiled(speech.samples, random))
    return Overheard(tuple((recogniser.posteriors(log_mel(samples)), sounds) for samples in heard))


def overhear_disguised(recogniser: Recogniser, speech: Speech, seed: int) -> Overheard:
    """What it makes of voices that it learnt, once they speak through other throats, rooms and lines."""
    random = np.random.default_rng([seed, 9])
    features = log_mel(recognise.spoiled(speech.samples, random))
    count = len(features) // _DISGUISE_FRAMES * _DISGUISE_FRAMES
    pieces = features[:count].reshape(-1, _DISGUISE_FRAMES, INPUTS)
    disguised = recognise.another_voice(pieces, random).reshape(count, INPUTS)
    return Overheard(((recogniser.posteriors(disguised), Sounds(speech.starts_s, speech.ends_s, speech.classes)),))


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
