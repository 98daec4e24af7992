"""Make or judge the base models of the mouth.

    python -m rendering.training.mouth build --out DIR [--minutes 130] [--steps 40000] [--motion-steps 3000]
        [--time-limit S] [--seed 1]
    python -m rendering.training.mouth evaluate [--models DIR]

`build` says the training sentences with flite and espeak-ng, which takes minutes, and trains the recogniser and its
likeness in two processes. It keeps all three in DIR; a second run from the same numbers goes on from there. It leaves
mouth.safetensors and mouth.json in DIR.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from rendering.engine.motion.mouth.release import MANIFEST_FILE, MODEL_FILE, MouthModels
from rendering.motion_models import SHIPPED
from rendering.training.mouth.build import Build, run, scores


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked."""
    what = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m rendering.training.mouth", description=what)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("--out", type=Path, required=True)
    build.add_argument("--minutes", type=float, default=Build.minutes)
    build.add_argument("--steps", type=int, default=Build.steps, help="updates of each recogniser")
    build.add_argument("--motion-steps", type=int, default=Build.motion_steps, help="updates of each motion model")
    build.add_argument("--time-limit", type=float, default=math.inf, help="seconds for each model's updates")
    build.add_argument("--seed", type=int, default=Build.seed)
    judge = commands.add_parser("evaluate")
    judge.add_argument("--models", type=Path, default=SHIPPED)
    given = parser.parse_args(arguments)
    if given.command == "build":
        _build(given)
    else:
        print(json.dumps(scores(_read(given.models)), indent=1))
    return 0


def _build(given: argparse.Namespace) -> None:
    files = run(Build(given.out, given.minutes, given.steps, given.motion_steps, given.time_limit, given.seed))
    for name, content in files.items():
        (given.out / name).write_bytes(content)
    print(files[MANIFEST_FILE].decode())


def _read(folder: Path) -> MouthModels:
    return MouthModels.from_files({name: (folder / name).read_bytes() for name in (MODEL_FILE, MANIFEST_FILE)})


if __name__ == "__main__":
    sys.exit(main())
