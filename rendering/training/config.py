"""What a training run is told, and what it says while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Clip(Protocol):
    """The part of the tracker's `TrackedClip` that training reads."""

    @property
    def frames(self) -> Array:
        """[T, H, W, 3] uint8 RGB."""

    @property
    def fps(self) -> float:
        """Frames per second."""

    @property
    def landmarks(self) -> Array:
        """[T, 478, 3] float32 pixels, NaN where no face was found."""

    @property
    def mask(self) -> Array | None:
        """[T, H, W] uint8, 255 where the person is, or None when it was not asked for."""

    @property
    def pcm(self) -> Array:
        """[N] int16 mono, empty without sound."""

    @property
    def pcm_rate(self) -> int:
        """Hz."""


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of one run. The learning rates are those measured for 256x256 footage of one person."""

    size_px: int = 256
    splats: int = 15_000
    iterations: int = 5_000
    time_limit_s: float = 240.0  # whichever of iterations and time comes first ends the run
    seed: int = 1
    held_out_share: float = 0.2  # tail of the clip, never trained on
    training_frames: int = 2400  # at most, spread evenly
    frames_bytes: int = 640_000_000  # memory for them and their masks: 2,441 frames at 256x256, 610 at 512x512
    report_frames: int = 120  # held-out frames that are measured
    shapes: int = 40  # coefficients of the person's shape space
    progress_every_s: float = 2.0
    preview_every_s: float = 6.0
    checkpoint_every_s: float = 20.0
    threads: int = 2
    rasterizer: str = "cpu"  # or "gpu"; the rest of the fit runs on the processor either way


@dataclass(frozen=True)
class Progress:
    """Where a run stands."""

    stage: str  # "prepare" | "fit" | "measure"
    iteration: int
    iterations: int
    share: float  # 0..1 of the whole run
    psnr_db: float | None  # running mean over the last training frames
    eta_s: float | None
    preview_png: bytes | None  # true frame and drawn frame side by side


@dataclass(frozen=True)
class TrainedReplica:
    """The outcome: files of the replica, the quality report and its pictures."""

    files: dict[str, bytes]
    report: dict[str, Any]
    pictures: dict[str, bytes]  # and one film; by file name
