"""Turn-taking measured as eot-bench does (`make bench NAME=turns`): false cut-offs against dead air.

The held-out part of the generated set is spoken again, with voices and texts the shipped weights never heard; SET=DIR
takes a set that `python -m rendering.training.turns generate` wrote. Speech is synthetic: the figures say nothing of
real people. The controls are learned on the development part: a model that sees silence alone, and one whose labels
were shuffled among moments of equal silence, must both do as silence alone does.
"""

import json
import os
import time
from functools import partial
from pathlib import Path

import numpy as np

from rendering.dialogue.seams import HOP_S, HOP_SAMPLES, FlowSettings, Hop
from rendering.training.turns import build, overlap
from rendering.training.turns.__main__ import SEED
from rendering.training.turns.detector import detect
from rendering.training.turns.files import read
from rendering.training.turns.fit import learn
from rendering.training.turns.heard import HeardRow, hear, moments, said_by
from rendering.training.turns.scene import rows
from rendering.worker.turn_weights import installed_turns, turn_taker

TURNS, CONTROL_TURNS = 240, 400
OWN_LAG_S = 0.01  # of the embedded ears, whose last word comes within 10 ms (`make bench NAME=hearing`)


def figures() -> dict[str, object]:
    """All figures of the shipped weights."""
    model = installed_turns()
    held_out, development = _heard("held_out", TURNS), _heard("development", CONTROL_TURNS)
    seen = moments(held_out, lag_s=build.LAG_S)
    own = build.figures(model, seen)
    wordless = build.figures(model, moments(held_out, has_words=False))
    near = build.figures(model, moments(held_out, lag_s=OWN_LAG_S))
    known = build.thinned(moments(development, np.random.default_rng(SEED)))
    return {
        **{key: value for key, value in own.items() if key != "eot_bench_grid"},
        "eot_bench_grid": own["eot_bench_grid"],
        "dead_air_ms_at_5pct_without_words": wordless["dead_air_ms_at_5pct"],
        "with_own_ears": {name: near[name] for name in ("cutoff_600", "dead_air_ms_at_5pct", "dead_air_ratio")},
        **overlap.figures(held_out, partial(turn_taker, FlowSettings()), build.LAG_S),
        "settings": build.costs(model, model.facts["patience"], seen),
        "control_only_silence_ms_at_5pct": build.dead_air(learn(known, build.NOT_SILENCE), seen),
        "control_shuffled_ms_at_5pct": build.dead_air(learn(known, labels=build.shuffled(known)), seen),
        "decision_cpu_ms": round(_cost_ms(held_out[:12]), 4), "weights_sha256": model.sha256[:16],
    }  # fmt: skip


def _heard(split: str, count: int) -> list[HeardRow]:
    given = os.environ.get("SET")
    return list(hear(read(Path(given) / split) if given else rows(split, count, SEED), detect))  # type: ignore[arg-type]


def _cost_ms(heard: list[HeardRow]) -> float:
    """Processor time of one hop of the whole turn-taker, hearing included; the detector of speech is the ears' part."""
    spent, hops = 0.0, 0
    for one in heard:
        taker = turn_taker(FlowSettings())
        taker.reset(asked=one.row.asked)
        for index, speech in enumerate(one.speech):
            pcm = one.row.pcm[index * HOP_SAMPLES : (index + 1) * HOP_SAMPLES]
            hop = Hop(pcm, (index + 1) * HOP_S, float(speech))
            words = said_by(one.row.words, hop.at_s - build.LAG_S)
            started = time.thread_time()
            taker.push(hop, words=words, is_replica_speaking=False)
            spent += time.thread_time() - started
            hops += 1
    return 1000 * spent / hops


if __name__ == "__main__":
    print(json.dumps(figures()))
