"""Make or judge the base models of the mouth.

    python -m rendering.training.mouth build --out DIR [--minutes 100] [--steps 5000] [--motion-steps 4000] [--seed 1]
    python -m rendering.training.mouth evaluate [--models DIR]

`build` says the training sentences with flite and espeak-ng, which takes minutes, and keeps them in DIR/speech.npz, so
that a second run with the same seed goes on from there. It leaves mouth.safetensors and mouth.json in DIR.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rendering.engine.motion import mouth
from rendering.engine.motion.mouth.features import RATE_HZ
from rendering.engine.motion.mouth.release import MANIFEST_FILE, MODEL_FILE, MouthModels
from rendering.speech.voices import EspeakVoice, FliteVoice
from rendering.training.mouth import both, corpus, evaluate, texts
from rendering.training.mouth.corpus import Speech

RELEASE = "1"
SHIPPED = Path(mouth.__file__).with_name("weights")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked."""
    what = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m rendering.training.mouth", description=what)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("--out", type=Path, required=True)
    build.add_argument("--minutes", type=float, default=100.0)
    build.add_argument("--steps", type=int, default=5000)
    build.add_argument("--motion-steps", type=int, default=4000)
    build.add_argument("--seed", type=int, default=1)
    judge = commands.add_parser("evaluate")
    judge.add_argument("--models", type=Path, default=SHIPPED)
    given = parser.parse_args(arguments)
    if given.command == "build":
        _build(given)
    else:
        files = {name: (given.models / name).read_bytes() for name in (MODEL_FILE, MANIFEST_FILE)}
        print(json.dumps(_scores(MouthModels.from_files(files)), indent=1))
    return 0


def _build(given: argparse.Namespace) -> None:
    given.out.mkdir(parents=True, exist_ok=True)
    speech = _speech(given.out / "speech.npz", given.minutes, given.seed)
    recogniser, motion = both.train(speech, given.steps, given.motion_steps, given.seed)
    facts = {
        "release": RELEASE, "seed": given.seed,
        "command": f"python -m rendering.training.mouth build --minutes {given.minutes:g} --steps {given.steps} "
        f"--motion-steps {given.motion_steps} --seed {given.seed}",
        "training": {
            "speech": "synthetic: flite (slt, rms, kal16, kal) and espeak-ng in English, Hindi, Bengali and Assamese; "
            "no recording of a person who speaks, no flite awb",
            "minutes": round(len(speech.samples) / RATE_HZ / 60, 1), "voices": len(speech.voices),
            "truth": "our own viseme table and coarticulation rule in drawn styles, no tracked face",
        },
    }  # fmt: skip
    rough = MouthModels.from_files(MouthModels(recogniser, motion, facts).to_files())
    files = MouthModels(recogniser, motion, {**facts, "held_out": _scores(rough)}).to_files()
    for name, content in files.items():
        (given.out / name).write_bytes(content)
    print(files[MANIFEST_FILE].decode())


def _speech(kept: Path, minutes: float, seed: int) -> Speech:
    if kept.exists():
        found = np.load(kept)
        if float(found["minutes"]) == minutes and int(found["seed"]) == seed:
            samples = found["samples"].astype(np.float32) / 32768
            return Speech(samples, found["starts_s"], found["ends_s"], found["classes"], tuple(found["voices"]))
    shown = both.tell("speech")
    speech = corpus.build(minutes, seed, lambda share: shown(round(1000 * min(share, 1)), 1000, 0.0))
    np.savez(
        kept, samples=np.round(speech.samples * 32768).astype(np.int16), starts_s=speech.starts_s,
        ends_s=speech.ends_s, classes=speech.classes, voices=np.array(speech.voices), minutes=minutes, seed=seed,
    )  # fmt: skip
    return speech


def _scores(models: MouthModels) -> dict[str, Any]:
    unseen = corpus.spoken_by(FliteVoice(corpus.HELD_OUT_VOICE), texts.test_sentences("en"))
    klatt = corpus.spoken_by(EspeakVoice("en-us", variant="klatt2"), texts.test_sentences("en")[:25])
    return {"flite awb": evaluate.report(models, unseen), "espeak-ng klatt2": evaluate.report(models, klatt)}


if __name__ == "__main__":
    sys.exit(main())
