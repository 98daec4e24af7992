"""Make or judge the base models of the mouth.

    python -m rendering.training.mouth build --out DIR [--minutes 130] [--steps 16000] [--motion-steps 3500]
        [--time-limit S] [--seed 1]
    python -m rendering.training.mouth evaluate [--models DIR]

`build` says the training sentences with flite and espeak-ng, which takes minutes, and keeps them in DIR/speech.npz; a
second run with the same seed goes on from there, and one with the same steps from the recogniser in DIR/recogniser. It
leaves mouth.safetensors and mouth.json in DIR.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import RATE_HZ
from rendering.engine.motion.mouth.motion import MotionModel
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.engine.motion.mouth.release import MANIFEST_FILE, MODEL_FILE, MouthModels
from rendering.motion_models import SHIPPED
from rendering.speech.voices import EspeakVoice, FliteVoice
from rendering.training.mouth import both, closing, corpus, evaluate, nets, texts
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle

RELEASE = "2"
CHOSEN_ON_MINUTES = 5.0  # of the strangers


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked."""
    what = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m rendering.training.mouth", description=what)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("--out", type=Path, required=True)
    build.add_argument("--minutes", type=float, default=130.0)
    build.add_argument("--steps", type=int, default=16000)
    build.add_argument("--motion-steps", type=int, default=3500)
    build.add_argument("--time-limit", type=float, default=math.inf, help="seconds for each model's updates")
    build.add_argument("--seed", type=int, default=1)
    judge = commands.add_parser("evaluate")
    judge.add_argument("--models", type=Path, default=SHIPPED)
    given = parser.parse_args(arguments)
    if given.command == "build":
        _build(given)
    else:
        print(json.dumps(_scores(_read(given.models)), indent=1))
    return 0


def _read(folder: Path) -> MouthModels:
    return MouthModels.from_files({name: (folder / name).read_bytes() for name in (MODEL_FILE, MANIFEST_FILE)})


def _build(given: argparse.Namespace) -> None:
    given.out.mkdir(parents=True, exist_ok=True)
    speech = _speech(given.out / "speech.npz", given.minutes, given.seed)
    known, strangers = speech.parted()
    recogniser, updates = _recogniser(given, known)
    motion, motion_updates = both.train_motion(speech, Cycle(given.motion_steps, given.time_limit), given.seed)
    chosen = closing.choose(recogniser, motion, strangers.first(CHOSEN_ON_MINUTES))
    facts = {
        "release": RELEASE, "seed": given.seed,
        "command": f"python -m rendering.training.mouth build --minutes {given.minutes:g} --steps {given.steps} "
        f"--motion-steps {given.motion_steps}{_limit(given.time_limit)} --seed {given.seed}",
        "training": {
            "speech": "synthetic: flite (slt, rms, kal16, kal) and espeak-ng in English, Hindi, Bengali and Assamese; "
            "no recording of a person who speaks, no flite awb",
            "minutes": round(len(speech.samples) / RATE_HZ / 60, 1), "voices": len(speech.voices),
            "strangers_to_the_recogniser_minutes": round(len(strangers.samples) / RATE_HZ / 60, 1),
            "truth": "our own viseme table and coarticulation rule in drawn styles, no tracked face",
        },
        "updates": {"recogniser": updates, "motion": motion_updates},
        "closing": {"readiness": chosen.readiness, "strangers": chosen.quality.rounded()},
    }  # fmt: skip
    _finish(closing.with_readiness(recogniser, chosen.readiness), motion, facts, given.out)


def _limit(seconds: float) -> str:
    return f" --time-limit {seconds:g}" if math.isfinite(seconds) else ""


def _recogniser(given: argparse.Namespace, known: Speech) -> tuple[Recogniser, int]:
    """Trained, or kept from a run with the same seed and steps, as its file holds it; and how many updates it took."""
    folder = given.out / "recogniser"
    cause = {"seed": given.seed, "minutes": given.minutes, "steps": given.steps}
    if folder.exists() and (kept := _read(folder)).facts["cause"] == cause:
        return kept.recogniser, int(kept.facts["updates"])
    recogniser, updates = both.train_recogniser(known, Cycle(given.steps, given.time_limit), given.seed)
    folder.mkdir(exist_ok=True)
    files = MouthModels(recogniser, nets.MotionNet().frozen(), {"cause": cause, "updates": updates}).to_files()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return _read(folder).recogniser, updates


def _finish(recogniser: Recogniser, motion: MotionModel, facts: dict[str, Any], out: Path) -> None:
    """Judge the models as their files hold them, and write the files."""
    rough = MouthModels.from_files(MouthModels(recogniser, motion, facts).to_files())
    files = MouthModels(recogniser, motion, {**facts, "held_out": _scores(rough)}).to_files()
    for name, content in files.items():
        (out / name).write_bytes(content)
    print(files[MANIFEST_FILE].decode())


def _speech(kept: Path, minutes: float, seed: int) -> Speech:
    if kept.exists():
        found = np.load(kept)
        if float(found["minutes"]) == minutes and int(found["seed"]) == seed:
            samples = found["samples"].astype(np.float32) / 32768
            return Speech(
                samples, found["starts_s"], found["ends_s"], found["classes"], found["speakers"],
                tuple(found["voices"]),
            )  # fmt: skip
    shown = both.tell("speech")
    speech = corpus.build(minutes, seed, lambda share: shown(round(1000 * min(share, 1)), 1000, 0.0))
    np.savez(
        kept, samples=np.round(speech.samples * 32768).astype(np.int16), starts_s=speech.starts_s,
        ends_s=speech.ends_s, classes=speech.classes, speakers=speech.speakers, voices=np.array(speech.voices),
        minutes=minutes, seed=seed,
    )  # fmt: skip
    return speech


def _scores(models: MouthModels) -> dict[str, Any]:
    unseen = corpus.spoken_by(FliteVoice(corpus.HELD_OUT_VOICE), texts.test_sentences("en"))
    klatt = corpus.spoken_by(EspeakVoice("en-us", variant="klatt2"), texts.test_sentences("en")[:25])
    return {"flite awb": evaluate.report(models, unseen), "espeak-ng klatt2": evaluate.report(models, klatt)}


if __name__ == "__main__":
    sys.exit(main())
