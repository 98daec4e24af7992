"""The step of a training run that gives a replica its person's way to speak."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from rendering.engine.motion.mouth.release import MouthModels
from rendering.engine.motion.visemes import MOUTH
from rendering.engine.replica import Replica
from rendering.training.config import TrainedReplica, TrainingConfig
from rendering.training.mouth import style, tracked

Array = np.ndarray[Any, np.dtype[Any]]


class SpokenClip(Protocol):
    """The part of the tracker's `TrackedClip` that this step reads."""

    @property
    def fps(self) -> float:
        """Frames per second."""

    @property
    def landmarks(self) -> Array:
        """[T, 478, 3] float32 pixels, NaN where no face was found."""

    @property
    def pcm(self) -> Array:
        """[N] int16, empty when the clip has no sound."""

    @property
    def pcm_rate(self) -> int:
        """Hz."""


def with_style(
    trained: TrainedReplica, clip: SpokenClip, models: MouthModels | None, config: TrainingConfig | None = None
) -> TrainedReplica:
    """The replica with `calibration.mouth_style` fitted to its footage, and the models it was fitted to named.

    The tail that is held out from training is left out here as well. Without models the replica stays as it is.
    """
    if models is None:
        return trained
    replica = Replica.from_files(trained.files)
    kept = 1 - (config or TrainingConfig()).held_out_share
    points = clip.landmarks[: int(kept * len(clip.landmarks))]
    # Sound may go on after the last picture, so its share is counted in seconds of picture.
    sound_end = round(len(points) / clip.fps * clip.pcm_rate)
    found = np.isfinite(points).all(axis=(1, 2))
    mouth = np.full((len(points), len(MOUTH)), np.nan, np.float32)
    if found.any():
        mouth[found] = tracked.mouth_controls(points[found].astype(np.float32), replica.space, replica.jaw_gap)
    sound = style.to_hearing_rate(clip.pcm[:sound_end], clip.pcm_rate)
    fitted = style.fit(models, mouth, clip.fps, sound)
    calibration = {**replica.facts["calibration"], "mouth_style": fitted.to_facts()}
    new = {"calibration": calibration, "motion_models": [models.release]}
    files = replace(replica, facts={**replica.facts, **new}).to_files()
    return replace(trained, files={**trained.files, **files}, report={**trained.report, **new})
