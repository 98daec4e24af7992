"""All exhibits of one finished training."""

from __future__ import annotations

from typing import Any

from rendering.engine.replica import Replica
from rendering.training import emotion_grid, pictures
from rendering.training.config import Clip, TrainedReplica, TrainingConfig
from rendering.training.exhibits import coverage, error_map, film, sync_plot
from rendering.training.exhibits.stretch import Stretch

FILM, ERROR_MAP, SYNC_PLOT = "comparison.mp4", "error_map.png", "lips_and_sound.png"


def added_to(trained: TrainedReplica, clip: Clip, config: TrainingConfig, part: Stretch | None) -> TrainedReplica:
    """The training's outcome with its film, plots, a strip of each emotion and what its footage covers.

    A clip whose tail has no unbroken second (`part`: None) gets no film; the report then says so (`film`: null).
    """
    facts: dict[str, Any] = {"coverage": coverage.measure(clip, config), "film": None}
    made = emotion_grid.strips(Replica.from_files(trained.files))
    if part is not None:
        facts["film"] = {
            "fps": round(part.fps, 3), "start_s": round(part.start_s, 2),
            "errors": [round(float(error), 2) for error in part.errors],
        }  # fmt: skip
        made[FILM] = film.encode(part)
        made[ERROR_MAP] = pictures.png(error_map.draw(part.drawn, part.filmed))
        made[SYNC_PLOT] = pictures.png(sync_plot.draw(part))
    return TrainedReplica(trained.files, {**trained.report, **facts}, {**trained.pictures, **made})
