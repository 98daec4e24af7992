"""Head, eyes and idle: the shipped life model against fitted noise (`make bench NAME=motion_life`).

On the last fifth of ../shared/data/subjects/asha where it is, and always on a family of motion that was never trained
on. The baseline in the same run is filtered noise with a blink timer, fitted to the same known part of each person.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S
from rendering.engine.motion.life.hearing import Hearing
from rendering.engine.motion.life.stream import LifeStream
from rendering.motion_models import NO_LIFE, life_model
from rendering.training.life import scores
from rendering.training.life.__main__ import asha

SUBJECTS = Path(__file__).resolve().parents[3] / "shared/data/subjects"
TIMED_FRAMES = 1800
ROUNDS = 3


def measure() -> dict[str, Any]:
    """All figures of the shipped weights; those on `asha` only where the subject is."""
    model = life_model()
    if model is None:
        return {"life_source": "noise", "life_reason": NO_LIFE}
    each, worst = _cost_ms(model)
    return {
        **scores.scores(model, asha(SUBJECTS)),
        "life_cpu_ms_per_frame": round(each, 3), "life_cpu_ms_largest": round(worst, 3),
        "life_sha256": model.facts["sha256"][:16],
    }  # fmt: skip


def _cost_ms(model) -> tuple[float, float]:
    """Processor time per frame, and of the dearest frame; the best of some rounds, for the machine is shared."""
    rounds = []
    for _ in range(ROUNDS):
        hearing = Hearing()
        stream = LifeStream(model, model.usual, 1, hearing.at)
        costs = np.empty(TIMED_FRAMES)
        for frame in range(TIMED_FRAMES):
            if frame % 150 == 0:
                hearing.lay(np.full((90, 4), 0.5, np.float32), frame / FRAMES_PER_S)
            started = time.thread_time()
            stream.at(frame / FRAMES_PER_S)
            costs[frame] = time.thread_time() - started
        rounds.append((1000 * costs.mean(), 1000 * float(np.quantile(costs, 0.999))))
    return min(rounds)


if __name__ == "__main__":
    print(json.dumps(measure()))
