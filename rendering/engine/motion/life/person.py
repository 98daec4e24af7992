"""A person's manner: how far, how fast and when they move, measured from their own motion in their own scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.codec import DISTANCES
from rendering.engine.motion.life.prosody import blurred
from rendering.engine.motion.life.scene import SPEAKING, STRESS, Scene

Array = np.ndarray[Any, np.dtype[Any]]

SLOW = 20.0  # frames; what is slower than this is posture and no answer to a syllable
STILL = 1e-6  # a channel that deviates less does not move in this person
LAG = 1  # frames between a stressed syllable and the nod that goes with it
STYLE = 6 * len(SMOOTH) + 7  # length of `Manner.style`
USUAL_AIM_RAD = 0.08


@dataclass(frozen=True)
class Manner:
    """What a person's motion is measured in, and the numbers that tell one person's from another's."""

    centre: Array  # [12] mean of each channel
    deviation: Array  # [12] standard deviation; 0: this person never moves it
    speed: Array  # [12] root mean square change per frame, in deviations
    aim_rad: float  # root mean square distance of the aim from its centre
    aim_centre: Array  # [2] rad
    distances: Array  # [DISTANCES] quantiles of how far glances go from the centre, in `aim_rad`
    style: Array  # [STYLE]

    def normal(self, smooth: Array) -> Array:
        """[T, 12] in deviations; zeros where the person does not move."""
        return np.asarray((smooth - self.centre) / np.where(self.deviation > STILL, self.deviation, np.inf), np.float32)


def measure(motion: Motion, scene: Scene) -> Manner:
    """Measure a person on at least half a minute of their motion and its scene."""
    centre, deviation = motion.smooth.mean(0), motion.smooth.std(0)
    deviation = np.where(deviation > STILL, deviation, 0.0)
    aim_centre = np.median(motion.aim, axis=0)
    aim_rad = max(float(np.sqrt(((motion.aim - aim_centre) ** 2).sum(1).mean())), 1e-3)
    normal = (motion.smooth - centre) / np.where(deviation > 0, deviation, np.inf)
    steps = np.diff(normal, axis=0)
    speed = np.sqrt((steps**2).mean(0))
    style = np.concatenate([_rhythm(normal, steps, speed, scene), _events(motion, scene, aim_rad)])
    targets = motion.aim[motion.saccades()]
    far = np.linalg.norm(targets - aim_centre, axis=1) / aim_rad if len(targets) else np.zeros(1)
    distances = np.quantile(far, np.linspace(0, 1, DISTANCES))
    return Manner(centre, deviation, np.maximum(speed, 1e-3), aim_rad, aim_centre, distances, style)


def _rhythm(normal: Array, steps: Array, speed: Array, scene: Scene) -> Array:
    """[72] per channel: speed, smoothness, livelier in speech, what follows stress, bursts, how uneven seconds are."""
    moves = speed > STILL
    safe = np.where(moves, speed, 1.0)
    smoothness = np.sqrt((np.diff(steps, axis=0) ** 2).mean(0)) / safe
    speaks = scene.heard[1 : len(steps) + 1, SPEAKING] > 0.5
    livelier = np.zeros(len(SMOOTH))
    if 30 < speaks.sum() < len(speaks) - 30:
        livelier = np.log((_rms(steps[speaks]) + 1e-3 * safe) / (_rms(steps[~speaks]) + 1e-3 * safe))
    stress = scene.heard[: len(normal), STRESS]
    quick = normal - np.stack([blurred(normal[:, c], SLOW) for c in range(len(SMOOTH))], axis=1)
    follows = np.array([_correlation(stress[:-LAG], quick[LAG:, c]) for c in range(len(SMOOTH))])
    rows = (
        np.log(np.maximum(safe, 1e-3)), np.log(np.maximum(smoothness, 1e-2)), np.clip(livelier, -2, 2), follows,
        *_restlessness(steps),
    )  # fmt: skip
    return np.concatenate([np.where(moves, row, 0.0) for row in rows])


def _restlessness(steps: Array) -> tuple[Array, Array]:
    """[12] each: how far bends of the path are from normal ones, and how much seconds differ in liveliness."""
    bends = np.diff(steps, axis=0)
    kurtosis = (bends**4).mean(0) / ((bends**2).mean(0) ** 2 + 1e-20)
    seconds = steps[: len(steps) // FRAMES_PER_S * FRAMES_PER_S].reshape(-1, FRAMES_PER_S, len(SMOOTH))
    levels = np.log(np.sqrt((seconds**2).mean(1)) + 1e-2 * _rms(steps) + 1e-9)
    return np.log(kurtosis + 1), levels.std(0)


def _events(motion: Motion, scene: Scene, aim_rad: float) -> Array:
    """[7] blinks and glances: how often, how evenly, in speech, how far."""
    seconds = len(motion) / FRAMES_PER_S
    gaps = np.diff(motion.blinks)
    speaks = scene.heard[: len(motion), SPEAKING] > 0.5
    at = np.minimum((motion.blinks * FRAMES_PER_S).astype(int), len(motion) - 1)
    in_speech = (speaks[at].mean() - speaks.mean()) if len(at) else 0.0
    shortest = float(np.quantile(gaps, 0.1)) if len(gaps) > 3 else 1.0
    spread = float(gaps.std() / gaps.mean()) if len(gaps) > 3 else 0.5
    glances = len(motion.saccades()) / seconds
    return np.array([
        3 * len(motion.blinks) / seconds, spread, shortest, in_speech, glances, np.log(aim_rad / USUAL_AIM_RAD),
        float((np.linalg.norm(motion.aim, axis=1) > 2 * aim_rad).mean()),
    ])  # fmt: skip


def _rms(values: Array) -> Array:
    return np.asarray(np.sqrt((values**2).mean(0)))


def _correlation(a: Array, b: Array) -> float:
    if a.std() < STILL or b.std() < STILL:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
