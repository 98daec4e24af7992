"""Fits a replica to footage: the whole of training in order, from a tracked clip to files and a quality report.

    1 prepare   crop, scale, hold out the tail          (dataset)
    2 scene     face space, mesh, splats at their start (scene)
    3 fit       draw a frame, compare, step; repeat     (losses, optimiser)
    4 calibrate lip opening and emotion caps            (calibration)
    5 measure   redraw the held-out tail                (report)
    6 show      a film and plots for those who approve  (exhibits)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import torch

from rendering.engine import rasterize
from rendering.engine.arrange import Arrangement, Arranger
from rendering.engine.rasterize.kernels import to_bytes as to_picture
from rendering.engine.rasterize.splats import SplatGradients
from rendering.training import checkpoint as checkpoints
from rendering.training import dataset as datasets
from rendering.training import following, losses, optimiser, pictures, report, scene
from rendering.training.checkpoint import FitState
from rendering.training.config import Clip, Progress, TrainedReplica, TrainingConfig
from rendering.training.dataset import Dataset
from rendering.training.exhibits import made as exhibits
from rendering.training.exhibits import stretch
from rendering.training.redetection import Detect
from rendering.training.scene import Geometry

Array = np.ndarray[Any, np.dtype[Any]]
FIT_SHARE = 0.91  # of the progress bar; preparing takes the first 2 %, measuring the last 6 %
FACE_WEIGHT, MOUTH_WEIGHT = 1.5, 3.0  # importance of a wrong pixel in the face and mouth boxes against elsewhere


def train(
    clip: Clip,
    config: TrainingConfig,
    *,
    checkpoint: bytes | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_checkpoint: Callable[[bytes], None] = lambda checkpoint: None,
    detect: Detect | None = None,
) -> TrainedReplica:
    """Train a replica.

    Args:
        clip: tracked footage; masks are used when it has them.
        checkpoint: bytes that `on_checkpoint` received in an earlier, interrupted run of the same clip and config.
        on_progress: called about every `progress_every_s`, with a preview now and then.
        on_checkpoint: called about every `checkpoint_every_s`.
        detect: finds landmarks in pictures (`redetection.track_frames`); without it nothing is re-detected.

    Raises:
        FootageUnusable: too few frames show a face.
        CheckpointMismatch: the checkpoint was made with other settings or of other footage, or is none.
    """
    torch.set_num_threads(config.threads)
    numba.set_num_threads(min(config.threads, numba.config.NUMBA_NUM_THREADS))
    on_progress(Progress("prepare", 0, config.iterations, 0.0, None, None, None))
    frames = datasets.prepare(clip, config)
    if checkpoint is None:
        start = scene.build(frames, config)
        motion = scene.geometry(start.space, frames, frames.places)
        state = FitState.start(start, motion.signals.shape[1])
    else:
        state = checkpoints.from_bytes(checkpoint, config, datasets.glimpses(frames))
        motion = scene.geometry(state.scene.space, frames, frames.places)
    Fit(frames, motion, state, config, on_progress, on_checkpoint).run()
    on_progress(Progress("measure", state.iteration, config.iterations, 0.94, None, 5.0, None))
    replica = report.assemble(state, frames, motion, config)
    part = stretch.cut(clip, config, frames, replica, state.follow)
    return exhibits.added_to(
        report.finish(replica, state, clip, frames, motion, config, part, detect), clip, config, part
    )


class Fit:
    """The loop: one training frame per iteration, in a seeded order that a resumed run takes up exactly."""

    def __init__(
        self,
        frames: Dataset,
        motion: Geometry,
        state: FitState,
        config: TrainingConfig,
        on_progress: Callable[[Progress], None],
        on_checkpoint: Callable[[bytes], None],
    ) -> None:
        self._frames, self._motion, self._state, self._config = frames, motion, state, config
        self._on_progress, self._on_checkpoint = on_progress, on_checkpoint
        self._arranger = Arranger(state.scene.mesh, state.scene.gaussians)
        self._rasterizer = rasterize.choose(config.rasterizer)
        self._rates = optimiser.learning_rates(config.iterations)
        self._errors: deque[float] = deque(maxlen=50)
        self._order: tuple[int, Array] = (-1, frames.train)
        self._glimpses = datasets.glimpses(frames)  # by which a resumed run knows its footage

    def run(self) -> None:
        """Iterate until the iterations or the time are spent."""
        state, config = self._state, self._config
        began, before = time.monotonic(), state.spent_s
        told = saved = shown = began
        while state.iteration < config.iterations and state.spent_s < config.time_limit_s:
            picture, index = self._iterate()
            now = time.monotonic()
            state.spent_s = before + now - began
            if now - told >= config.progress_every_s:
                preview = None
                if now - shown >= config.preview_every_s:
                    preview, shown = self._preview(picture, index), now
                self._tell(preview)
                told = now
            if now - saved >= config.checkpoint_every_s:
                self._on_checkpoint(checkpoints.to_bytes(state, config, self._glimpses))
                saved = now

    def share(self) -> float:
        """How much of the run is done, 0..1, by iterations or time, whichever is further."""
        state, config = self._state, self._config
        return min(1.0, max(state.iteration / config.iterations, state.spent_s / config.time_limit_s))

    def _iterate(self) -> tuple[Array, int]:
        state, motion = self._state, self._motion
        index = self._next_frame()
        placed = scene.place(state.scene.mesh, state.follow, motion, index, self._config.size_px)
        arranged = self._arranger.arrange(placed.vertices, motion.features[index], motion.unit(index))
        drawn = self._rasterizer.forward_parallel(arranged.splats, state.scene.plate)
        truth = self._frames.frames[index].astype(np.float32) / np.float32(255)
        gradient = losses.picture_gradient(
            drawn.picture, truth, self._weights(index), with_similarity=state.iteration % 2 == 1
        )
        by = self._rasterizer.backward_parallel(arranged.splats, drawn, gradient)
        by_place = following.place_gradient(
            state.scene.mesh, state.scene.gaussians, by.means_px, placed.skull, placed.torso)
        by_follow = np.outer(by_place * following.units(self._config.size_px), placed.said)
        self._step(arranged, motion.features[index], by, drawn.transmittance, by_follow)
        self._errors.append(float(np.square(drawn.picture - truth).mean()))
        return drawn.picture, index

    def _step(
        self, arranged: Arrangement, features: Array, by: SplatGradients, shown: Array, by_follow: Array
    ) -> None:
        state = self._state
        factor = np.float32(optimiser.decay(self.share()))
        state.iteration += 1
        correction_1 = np.float32(1 - optimiser.BETA_1**state.iteration)
        correction_2 = np.float32(1 - optimiser.BETA_2**state.iteration)
        splats = state.scene.gaussians
        optimiser.step(
            arranged.stretches, arranged.normals, arranged.seen, np.float32(arranged.unit), features,
            self._arranger.layers, splats.triangles, splats.values, state.first, state.second,
            by.means_px, by.covariances_px2, by.colours, by.opacities,
            self._rates * factor, correction_1, correction_2,
        )  # fmt: skip
        optimiser.plate_step(
            state.scene.plate, state.plate_first, state.plate_second, by.backdrop, shown,
            np.float32(optimiser.PLATE_RATE) * factor, correction_1, correction_2,
        )  # fmt: skip
        optimiser.plain_step(
            state.follow, state.follow_first, state.follow_second, by_follow + following.RIDGE * state.follow,
            following.RATE * float(factor), float(correction_1), float(correction_2),
        )  # fmt: skip

    def _next_frame(self) -> int:
        # The order is a function of seed and epoch alone, so a resumed run sees the frames an unbroken one would.
        epoch, place = divmod(self._state.iteration, len(self._frames.train))
        if self._order[0] != epoch:
            random = np.random.default_rng([self._config.seed, epoch])
            self._order = (epoch, random.permutation(self._frames.train))
        return int(self._order[1][place])

    def _weights(self, index: int) -> Array:
        size = self._config.size_px
        weights = np.ones((size, size), np.float32)
        face, mouth = scene.part_boxes(self._frames.landmarks[index], size)
        for (left, top, right, bottom), weight in ((face, FACE_WEIGHT), (mouth, MOUTH_WEIGHT)):
            weights[top:bottom, left:right] = weight
        return weights

    def _preview(self, picture: Array, index: int) -> bytes:
        return pictures.png(np.concatenate([self._frames.frames[index], to_picture(picture)], axis=1))

    def _tell(self, preview: bytes | None) -> None:
        state, config = self._state, self._config
        share = self.share()
        psnr_db = float(-10 * np.log10(max(float(np.mean(self._errors)), 1e-10)))
        eta_s = state.spent_s / share * (1 - share) + 5 if share > 0 else None
        self._on_progress(
            Progress("fit", state.iteration, config.iterations, 0.02 + FIT_SHARE * share, psnr_db, eta_s, preview)
        )
