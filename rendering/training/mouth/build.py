"""The whole way from sentences to files: speech, the recogniser and its likeness, both motion models, their judgement.

The likeness is a second recogniser that never heard the recorded speaker of kal. What it makes of him is what a
recogniser makes of a stranger: from that the motion behind it learns, and on that is chosen how readily lips close.
"""

from __future__ import annotations

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rendering.engine.motion.mouth.features import RATE_HZ
from rendering.engine.motion.mouth.motion import MotionModel, Motions
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.engine.motion.mouth.release import MouthModels
from rendering.speech.voices import EspeakVoice, FliteVoice
from rendering.training.mouth import both, closing, corpus, evaluate, kept, movement, texts
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.cycle import Cycle
from rendering.training.mouth.movement import Timed

RELEASE = "2"
DISGUISED_SHARE = 0.16  # of the voices that the recogniser knows, for the motion behind it to hear disguised
CHOSEN_ON_SHARE = 0.25  # of what the recorded stranger says
_STRANGERS = {
    "recogniser": corpus.STRANGERS, "likeness": (*corpus.STRANGERS, *corpus.RECORDED_STRANGERS),
}  # fmt: skip


@dataclass(frozen=True)
class Build:
    """What to make, and where."""

    out: Path
    minutes: float = 130.0
    steps: int = 40000  # updates of each recogniser
    motion_steps: int = 3000  # updates of each motion model
    time_limit_s: float = math.inf  # for each model's updates
    seed: int = 1

    @property
    def motion_cycle(self) -> Cycle:
        """The training of each motion model."""
        return Cycle(self.motion_steps, self.time_limit_s)

    @property
    def command(self) -> str:
        """How to make the same again."""
        limit = f" --time-limit {self.time_limit_s:g}" if math.isfinite(self.time_limit_s) else ""
        return (
            f"python -m rendering.training.mouth build --minutes {self.minutes:g} --steps {self.steps} "
            f"--motion-steps {self.motion_steps}{limit} --seed {self.seed}"
        )


def run(build: Build) -> dict[str, bytes]:
    """Make the models; their files by name."""
    build.out.mkdir(parents=True, exist_ok=True)
    speech = _speech(build)
    (recogniser, updates), (likeness, likeness_updates) = _recognisers(build)
    timed = Timed.of(speech)
    exact, exact_updates = both.train_motion("exact", timed, build.motion_cycle, build.seed)
    heard, heard_updates, chosen = _behind(build, speech, recogniser, likeness)
    facts = {
        "release": RELEASE, "seed": build.seed, "command": build.command,
        "training": {
            "speech": "synthetic: flite (slt, rms, kal16, kal) and espeak-ng in English, Hindi, Bengali and Assamese; "
            "no recording of a person who speaks, no flite awb",
            "minutes": round(len(speech.samples) / RATE_HZ / 60, 1), "voices": len(speech.voices),
            "truth": "our own viseme table and coarticulation rule in drawn styles, no tracked face",
        },
        "updates": {
            "recogniser": updates, "likeness": likeness_updates, "exact": exact_updates, "heard": heard_updates,
        },
        "closing": {
            "readiness": chosen.readiness,
            "strangers": dict(zip(("kal", "espeak-ng"), (q.rounded() for q in chosen.qualities), strict=True)),
        },
    }  # fmt: skip
    motions = Motions(exact, heard, movement.unexplained(exact, timed, build.seed))
    return judged(closing.with_readiness(recogniser, chosen.readiness), motions, facts)


def _behind(
    build: Build, speech: Speech, recogniser: Recogniser, likeness: Recogniser
) -> tuple[MotionModel, int, closing.Chosen]:
    """The motion behind the recogniser, its updates, and how readily it should hear p, b and m.

    A motion model learns how its strangers are misheard, so the readiness is chosen with models that never heard them.
    """
    known, others = speech.parted()
    recorded = speech.parted(corpus.RECORDED_STRANGERS)[1]
    disguised = both.overhear_disguised(recogniser, known.split(DISGUISED_SHARE)[0], build.seed)
    by_likeness = both.overhear(likeness, recorded, build.seed)
    by_both = both.overhear(recogniser, others, build.seed) + both.overhear(likeness, others, build.seed + 1)
    trained = [
        both.train_motion(stage, overheard + disguised, build.motion_cycle, build.seed)
        for stage, overheard in (("others", by_both), ("recorded", by_likeness), ("heard", by_both + by_likeness))
    ]
    (of_others, _), (of_recorded, _), (heard, updates) = trained
    chosen = closing.choose([
        closing.Stranger(likeness, of_others, recorded.split(CHOSEN_ON_SHARE)[0]),
        closing.Stranger(recogniser, of_recorded, others),
    ])  # fmt: skip
    return heard, updates, chosen


def _recognisers(build: Build) -> list[tuple[Recogniser, int]]:
    """The recogniser and its likeness, and how many updates each took."""
    with ProcessPoolExecutor(len(_STRANGERS), multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(_recogniser, _STRANGERS, [build] * len(_STRANGERS)))


def _recogniser(name: str, build: Build) -> tuple[Recogniser, int]:
    cause = {"seed": build.seed, "minutes": build.minutes, "steps": build.steps, "strangers": list(_STRANGERS[name])}
    path = build.out / f"{name}.npz"
    found = kept.kept_recogniser(path, cause)
    if found is None:
        known, _ = _speech(build).parted(_STRANGERS[name])
        found = both.train_recogniser(name, known, Cycle(build.steps, build.time_limit_s), build.seed)
        kept.keep_recogniser(path, *found, cause)
    return found


def judged(recogniser: Recogniser, motions: Motions, facts: dict[str, Any]) -> dict[str, bytes]:
    """The files, with what held-out voices gave through the models as their files hold them."""
    rough = MouthModels.from_files(MouthModels(recogniser, motions, facts).to_files())
    return MouthModels(recogniser, motions, {**facts, "held_out": scores(rough)}).to_files()


def _speech(build: Build) -> Speech:
    path, cause = build.out / "speech.npz", {"seed": build.seed, "minutes": build.minutes}
    speech = kept.kept_speech(path, cause)
    if speech is None:
        shown = both.tell("speech")
        speech = corpus.build(build.minutes, build.seed, lambda share: shown(round(1000 * min(share, 1)), 1000, 0.0))
        kept.keep_speech(path, speech, cause)
    return speech


def scores(models: MouthModels) -> dict[str, Any]:
    """Both paths on voices that are kept out of all training."""
    unseen = corpus.spoken_by(FliteVoice(corpus.HELD_OUT_VOICE), texts.test_sentences("en"))
    klatt = corpus.spoken_by(EspeakVoice("en-us", variant="klatt2"), texts.test_sentences("en")[:25])
    return {"flite awb": evaluate.report(models, unseen), "espeak-ng klatt2": evaluate.report(models, klatt)}
