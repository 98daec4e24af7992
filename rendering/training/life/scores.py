"""The figures of a life model beside those of fitted noise: on recorded footage and on families never trained on.

`development` is what settings are chosen by; `scores` is the benchmark's, looked at when nothing is left to choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, Motion
from rendering.engine.motion.life.model import LifeModel
from rendering.engine.motion.life.scene import Scene, silent
from rendering.training.life import baseline, dataset, equalising, intervals, judge, rollout
from rendering.training.life.dataset import Clip
from rendering.training.life.recording import Recording

Array = np.ndarray[Any, np.dtype[Any]]

TRAINED_SHARE = 0.8  # of a recording, from its start
DEVELOPMENT_SHARE = 0.65  # of the short clip of the person that settings are chosen by
HELD_OUT_SEED, DEVELOPMENT_SEED = 99, 501
TAKES = 6  # seeds played for each recording
PEOPLE, PERSON_S, KNOWN_S = 8, 90.0, 50.0  # made-up people of the held-out family; what is known of each comes first
LOOP_S = 600.0
EQUALISER_SEED = 7000


@dataclass(frozen=True)
class Trial:
    """Somebody of whom a part is known, and the rest to be judged against."""

    known: Recording
    truth: Recording

    def plays(self, model: LifeModel, scene: Scene, seeds: list[int]) -> list[Motion]:
        """The model as this person, measured on what is known, in a scene: once for each seed."""
        clip = Clip.of("known", self.known.motion, self.known.scene)
        person = equalising.equalised(model, clip, EQUALISER_SEED)
        return [rollout.play(model, clip.manner, person, scene, seed) for seed in seeds]


def of_recording(recording: Recording, share: float = TRAINED_SHARE) -> Trial:
    """That share of a recording is known, the rest is the truth."""
    frames = len(recording.motion)
    return _split(recording, int(frames * share))


def of_family(family: dataset.Family, seed: int) -> list[Trial]:
    """People of a family that is never trained on."""
    trials = []
    for person in range(PEOPLE):
        clip = dataset.draw_clip("unseen", family, np.random.default_rng([seed, person]), PERSON_S)
        trials.append(_split(Recording(clip.motion, clip.scene), int(KNOWN_S * FRAMES_PER_S)))
    return trials


def compare(model: LifeModel, trials: list[Trial], takes: int) -> dict[str, float]:
    """Every figure for the model, for the noise (`_noise`) and, where it has one, for the truth (`_truth`)."""
    truth = [trial.truth for trial in trials]
    by_person = [
        trial.plays(model, trial.truth.scene, [1000 * take + person for take in range(takes)])
        for person, trial in enumerate(trials)
    ]
    made, noise = [], []
    for take in range(takes):
        for person, trial in enumerate(trials):
            made.append(Recording(by_person[person][take], trial.truth.scene))
            fitted = baseline.fit([trial.known.motion])
            drawn = baseline.play(fitted, len(trial.truth.motion), np.random.default_rng(1000 * take + person))
            noise.append(Recording(drawn, trial.truth.scene))
    figures: dict[str, float] = {}
    for name, samples in (("", made), ("_noise", noise)):
        score = judge.two_sample(truth, samples)
        figures[f"two_sample_accuracy{name}"] = score.accuracy
        figures[f"two_sample_low{name}"], figures[f"two_sample_high{name}"] = score.low, score.high
        figures[f"spectrum_distance{name}"] = judge.spectrum_distance(truth, samples)
        figures[f"blink_interval_ks{name}"] = judge.blink_interval_ks(truth, samples)
    for name, samples in (("", made), ("_noise", noise), ("_truth", truth)):
        figures[f"head_prosody_correlation{name}"] = judge.head_prosody_correlation(samples)
        figures[f"blinks_per_min{name}"] = _per_minute(samples)
    for name, (low, high) in intervals.gains(truth, made, noise).items():
        figures[f"{name}_gain_low"], figures[f"{name}_gain_high"] = low, high
    return figures


def of_loops(model: LifeModel, trial: Trial, seed: int = 5) -> dict[str, float]:
    """How much any ten seconds of ten idle minutes look like any other, beside noise that by its make never repeats."""
    idle = silent(round(LOOP_S * FRAMES_PER_S), listening=1.0)
    made = trial.plays(model, idle, [seed])[0]
    spread = np.random.default_rng(seed)
    noise = baseline.play(baseline.fit([made]), len(made), spread)
    return {
        "closest_return": judge.closest_return(made), "closest_return_noise": judge.closest_return(noise),
        "idle_blinks_per_min": len(made.blinks) / (LOOP_S / 60),
    }  # fmt: skip


def scores(model: LifeModel, recording: Recording | None) -> dict[str, float]:
    """All figures, rounded; those on the recording only where there is one, those on the family end in `_family`."""
    out: dict[str, float] = {}
    held_out = of_family(dataset.HELD_OUT, HELD_OUT_SEED)
    trial = held_out[0]
    if recording is not None:
        trial = of_recording(recording)
        out |= compare(model, [trial], TAKES)
    out |= {f"{name}_family": value for name, value in compare(model, held_out, 1).items()}
    out |= of_loops(model, trial)
    return {name: round(value, 4) for name, value in out.items()}


def development(model: LifeModel, person: Recording) -> dict[str, float]:
    """The figures that settings are chosen by: the family and the person kept for that, `_family` and `_person`."""
    unseen = of_family(dataset.DEVELOPMENT, DEVELOPMENT_SEED)
    out = {f"{name}_family": value for name, value in compare(model, unseen, 1).items()}
    trial = of_recording(person, DEVELOPMENT_SHARE)
    out |= {f"{name}_person": value for name, value in compare(model, [trial], TAKES).items()}
    return {name: round(value, 4) for name, value in out.items()}


def _split(recording: Recording, at: int) -> Trial:
    return Trial(recording.part(0, at), recording.part(at, len(recording.motion)))


def _per_minute(samples: list[Recording]) -> float:
    minutes = sum(len(sample.motion) for sample in samples) / FRAMES_PER_S / 60
    return sum(len(sample.motion.blinks) for sample in samples) / minutes
