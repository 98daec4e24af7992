"""Both base models at once. They do not know of each other, so they learn side by side, a thread each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from rendering.engine.motion.mouth.motion import MotionModel
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.training.mouth import movement, recognise
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.movement import Material

EVERY_S = 5.0


def train(speech: Speech, steps: int, motion_steps: int, seed: int) -> tuple[Recogniser, MotionModel]:
    """The recogniser and the motion model of one training speech."""
    torch.set_num_threads(1)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        moving = beside.submit(_move, Material.of(speech), motion_steps, seed)
        heard = recognise.hear(speech, seed)
        recogniser = recognise.train(heard, steps, seed, tell("recogniser"))
        return recogniser, moving.result()


def _move(material: Material, steps: int, seed: int) -> MotionModel:
    torch.set_num_threads(1)
    return movement.train(material, steps, seed, tell("motion"))


def tell(stage: str) -> Callable[[int, int, float], None]:
    """A progress that writes a line now and then."""
    last_s = [-EVERY_S]

    def show(step: int, steps: int, loss: float) -> None:
        if time.monotonic() - last_s[0] > EVERY_S or step == steps:
            last_s[0] = time.monotonic()
            sys.stdout.write(f"{stage:10} {step}/{steps} {loss:.3f}\n")
            sys.stdout.flush()

    return show
