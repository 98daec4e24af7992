"""All exhibits of one finished training."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.training import pictures
from rendering.training.config import Clip, TrainedReplica, TrainingConfig
from rendering.training.dataset import Dataset
from rendering.training.exhibits import coverage, error_map, film, stretch, sync_plot

Array = np.ndarray[Any, np.dtype[Any]]
FILM, ERROR_MAP, SYNC_PLOT = "comparison.mp4", "error_map.png", "lips_and_sound.png"


def added_to(
    trained: TrainedReplica, clip: Clip, config: TrainingConfig, frames: Dataset, follow: Array
) -> TrainedReplica:
    """The training's outcome with its film, plots and what its footage covers.

    A clip whose tail has no unbroken second gets no film; the report then says so (`film`: null).
    """
    replica = Replica.from_files(trained.files)
    part = stretch.cut(clip, config, frames, replica, Renderer(replica, config.size_px), follow)
    facts: dict[str, Any] = {"coverage": coverage.measure(clip, config), "film": None}
    made = {}
    if part is not None:
        facts["film"] = {
            "fps": round(part.fps, 3), "start_s": round(part.start_s, 2),
            "errors": [round(float(error), 2) for error in part.errors],
        }  # fmt: skip
        made[FILM] = film.encode(part)
        made[ERROR_MAP] = pictures.png(error_map.draw(part.drawn, part.filmed))
        made[SYNC_PLOT] = pictures.png(sync_plot.draw(part))
    return TrainedReplica(trained.files, {**trained.report, **facts}, {**trained.pictures, **made})
