"""The step of a training run that gives a replica its person's manner of moving head, eyes and brows."""

from __future__ import annotations

from dataclasses import replace

from rendering.engine.motion.life.model import LifeModel
from rendering.engine.replica import Replica
from rendering.training.config import Clip, TrainedReplica, TrainingConfig
from rendering.training.life import fitting


def with_manner(
    trained: TrainedReplica, clip: Clip, model: LifeModel | None, config: TrainingConfig
) -> TrainedReplica:
    """The replica with `life` measured on its footage, and without it where the footage is too short or has gaps.

    The tail that is held out from training is left out here as well.
    """
    kept = int((1 - config.held_out_share) * len(clip.landmarks))
    pcm = clip.pcm[: round(kept / clip.fps * clip.pcm_rate)]
    life = fitting.of_footage(clip.landmarks[:kept], clip.fps, pcm, clip.pcm_rate, model, config.seed)
    if life is None:
        return trained
    replica = Replica.from_files(trained.files)
    files = replace(replica, facts={**replica.facts, "life": life}).to_files()
    return replace(trained, files={**trained.files, **files})
