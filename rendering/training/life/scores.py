"""The figures of a life model beside those of fitted noise: on recorded footage and on a family never trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, Motion
from rendering.engine.motion.life.model import LifeModel
from rendering.engine.motion.life.scene import Scene, silent
from rendering.training.life import baseline, dataset, judge, rollout
from rendering.training.life.dataset import Clip
from rendering.training.life.recording import Recording

Array = np.ndarray[Any, np.dtype[Any]]

TRAINED_SHARE = 0.8  # of a recording, from its start
TAKES = 6  # seeds played for each recording
PEOPLE, PERSON_S, KNOWN_S = 8, 90.0, 50.0  # made-up people of the held-out family; what is known of each comes first
LOOP_S = 600.0


@dataclass(frozen=True)
class Trial:
    """Somebody of whom a part is known, and the rest to be judged against."""

    known: Recording
    truth: Recording

    def play(self, model: LifeModel, scene: Scene, seed: int) -> Motion:
        """The model as this person, measured on what is known, in a scene."""
        clip = Clip.of("known", self.known.motion, self.known.scene)
        return rollout.play(model, clip.manner, clip.person, scene, seed)


def of_recording(recording: Recording) -> Trial:
    """The trained share of a recording is known, the rest is the truth."""
    frames = len(recording.motion)
    return _split(recording, int(frames * TRAINED_SHARE))


def of_held_out(seed: int = 99) -> list[Trial]:
    """People of the family that is never trained on."""
    trials = []
    for person in range(PEOPLE):
        clip = dataset.draw_clip("held-out", dataset.HELD_OUT, np.random.default_rng([seed, person]), PERSON_S)
        trials.append(_split(Recording(clip.motion, clip.scene), int(KNOWN_S * FRAMES_PER_S)))
    return trials


def compare(model: LifeModel, trials: list[Trial], takes: int) -> dict[str, float]:
    """Every figure for the model, for the noise (`_noise`) and, where it has one, for the truth (`_truth`)."""
    truth = [trial.truth for trial in trials]
    made, noise = [], []
    for take in range(takes):
        for person, trial in enumerate(trials):
            seed = 1000 * take + person
            made.append(Recording(trial.play(model, trial.truth.scene, seed), trial.truth.scene))
            fitted = baseline.fit([trial.known.motion])
            drawn = baseline.play(fitted, len(trial.truth.motion), np.random.default_rng(seed))
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
    return figures


def of_loops(model: LifeModel, trial: Trial, seed: int = 5) -> dict[str, float]:
    """How much any ten seconds of ten idle minutes look like any other, beside noise that by its make never repeats."""
    idle = silent(round(LOOP_S * FRAMES_PER_S), listening=1.0)
    made = trial.play(model, idle, seed)
    spread = np.random.default_rng(seed)
    noise = baseline.play(baseline.fit([made]), len(made), spread)
    return {
        "closest_return": judge.closest_return(made), "closest_return_noise": judge.closest_return(noise),
        "idle_blinks_per_min": len(made.blinks) / (LOOP_S / 60),
    }  # fmt: skip


def scores(model: LifeModel, recording: Recording | None) -> dict[str, float]:
    """All figures, rounded; those on the recording only where there is one, those on the family end in `_family`."""
    out: dict[str, float] = {}
    held_out = of_held_out()
    trial = held_out[0]
    if recording is not None:
        trial = of_recording(recording)
        out |= compare(model, [trial], TAKES)
    out |= {f"{name}_family": value for name, value in compare(model, held_out, 1).items()}
    out |= of_loops(model, trial)
    return {name: round(value, 4) for name, value in out.items()}


def _split(recording: Recording, at: int) -> Trial:
    return Trial(recording.part(0, at), recording.part(at, len(recording.motion)))


def _per_minute(samples: list[Recording]) -> float:
    minutes = sum(len(sample.motion) for sample in samples) / FRAMES_PER_S / 60
    return sum(len(sample.motion.blinks) for sample in samples) / minutes
