"""Make the set and the weights of the turn-taker that ship with the product.

    python -m rendering.training.turns generate --out DIR [--seed N] [--train N] [--development N] [--held-out N]
        [--jobs N]
    python -m rendering.training.turns endings [--out FILE]
    python -m rendering.training.turns build --set DIR --out FILE [--seed N] [--jobs N]
    python -m rendering.training.turns eot-bench --set DIR [--weights FILE] [--language en]
    python -m rendering.training.turns picture --set DIR --id ROW --out FILE

`generate` speaks the two-party set with flite and espeak-ng; `endings` writes the table of sentence ends; `build`
learns from the training part, chooses the policy on the development part and writes the readable weights; `eot-bench`
scores weights on a folder in eot-bench's schema. The same seed and voices give the same files, however many jobs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rendering.dialogue.turns.endings import TABLE
from rendering.dialogue.turns.model import from_json
from rendering.dialogue.turns.policy import settings_of
from rendering.dialogue.turns.taker import ModelTurnTaker, OwnJudge
from rendering.training.turns import build, files, scene, sentence_ends
from rendering.training.turns.detector import detect
from rendering.training.turns.picture import picture
from rendering.training.turns.scene import Row
from rendering.training.turns.texts import SPLITS, Split

WEIGHTS = Path(__file__).resolve().parents[2] / "dialogue" / "turns" / "weights" / "turns.json"
SEED = 7
TURNS = (640, 400, 240)  # of each split


def main(arguments: list[str] | None = None) -> int:
    """Parse and run."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m rendering.training.turns", description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate")
    generate.add_argument("--out", type=Path, required=True)
    generate.add_argument("--seed", type=int, default=SEED)
    for split, count in zip(SPLITS, TURNS, strict=True):
        generate.add_argument(f"--{split.replace('_', '-')}", type=int, default=count)
    generate.add_argument("--jobs", type=int, default=1)
    ends = commands.add_parser("endings")
    ends.add_argument("--out", type=Path, default=TABLE)
    learn = commands.add_parser("build")
    learn.add_argument("--set", type=Path, required=True)
    learn.add_argument("--out", type=Path, default=WEIGHTS)
    learn.add_argument("--seed", type=int, default=SEED)
    learn.add_argument("--jobs", type=int, default=1)
    score = commands.add_parser("eot-bench")
    score.add_argument("--set", type=Path, required=True)
    score.add_argument("--weights", type=Path, default=WEIGHTS)
    score.add_argument("--language", default="en")
    show = commands.add_parser("picture")
    show.add_argument("--set", type=Path, required=True)
    show.add_argument("--id", required=True)
    show.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.command == "generate":
        for split in SPLITS:
            count = files.write(_spoken(split, getattr(given, split), given.seed, given.jobs), given.out / split)
            print(f"{given.out / split}: {count} turns", flush=True)
    elif given.command == "endings":
        given.out.write_text(sentence_ends.table())
    elif given.command == "build":
        text = build.build(given.set, given.seed, build.Jobs(given.jobs))
        given.out.write_text(text)
        print(f"{given.out}: {len(text)} bytes")
    elif given.command == "picture":
        row = next(row for row in files.read(given.set) if row.id == given.id)
        model = from_json(WEIGHTS.read_text())
        taker = ModelTurnTaker(OwnJudge(model), settings_of(model.facts, "medium"))
        given.out.write_bytes(picture(row, detect(row.pcm), taker, build.LAG_S))
    else:
        print(json.dumps(build.eot_bench(given.set, given.weights.read_text(), given.language)))
    return 0


def _spoken(split: Split, count: int, seed: int, jobs: int) -> Iterator[Row]:
    """The same rows as `scene.rows`, by several processes."""
    speak = partial(scene.conversation, split, count=count, seed=seed)
    with get_context("spawn").Pool(jobs) as pool:
        for turns in pool.imap(speak, range(scene.conversations(count))):
            yield from turns


if __name__ == "__main__":
    sys.exit(main())
