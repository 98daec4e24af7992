"""Footage made ready for the fit: a square crop at the training size, and a tail held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rendering.training.config import Clip, TrainingConfig
from rendering.training.errors import FootageUnusable

Array = np.ndarray[Any, np.dtype[Any]]
FEWEST_FRAMES = 40
NEIGHBOURS = 3  # frames to either side that steady the head's pose


@dataclass(frozen=True)
class Dataset:
    """Frames at the training size; T in all, `train` and `held_out` index into them."""

    frames: Array  # [T, S, S, 3] uint8
    landmarks: Array  # [T, 478, 3] float32 pixels of the training size
    around: Array  # [T, 2 NEIGHBOURS + 1, 478, 3] the same of the frames before and after, the frame itself included
    masks: Array | None  # [T, S, S] uint8
    train: Array  # [A] int64
    held_out: Array  # [B] int64
    fps: float


def prepare(clip: Clip, config: TrainingConfig) -> Dataset:
    """Choose, crop and scale the frames that a run needs.

    Raises:
        FootageUnusable: too few frames show a face.
    """
    found: Array = np.asarray(np.isfinite(clip.landmarks).all(axis=(1, 2)))
    split = int(len(found) * (1 - config.held_out_share))
    train = np.flatnonzero(found[:split])
    tail = split + np.flatnonzero(found[split:])
    if len(train) < FEWEST_FRAMES or len(tail) < FEWEST_FRAMES // 4:
        raise FootageUnusable(len(train) + len(tail), FEWEST_FRAMES)
    # Neighbours come from the frame's own part: nothing of the tail reaches training.
    used = ((train, config.training_frames), (tail, config.report_frames))
    near = [neighbours(spread(part, count), part) for part, count in used]
    train, tail = near[0][:, NEIGHBOURS], near[1][:, NEIGHBOURS]
    chosen = np.concatenate([train, tail])
    crop = square_crop(clip.frames.shape[1:3], clip.landmarks[train])
    factor = config.size_px / crop[2]
    around = clip.landmarks[np.concatenate(near)].astype(np.float32)
    around[..., 0] -= crop[0]
    around[..., 1] -= crop[1]
    around *= np.float32(factor)
    masks = None if clip.mask is None else resize(clip.mask[chosen][..., None], crop, config.size_px)[..., 0]
    count = len(train)
    return Dataset(
        resize(clip.frames[chosen], crop, config.size_px),
        np.ascontiguousarray(around[:, NEIGHBOURS]),
        around,
        masks,
        np.arange(count),
        np.arange(count, len(chosen)),
        float(clip.fps),
    )


def spread(indices: Array, at_most: int) -> Array:
    """At most so many of `indices`, evenly spread."""
    if len(indices) <= at_most:
        return indices
    return np.asarray(indices[np.linspace(0, len(indices) - 1, at_most).round().astype(np.int64)])


def neighbours(chosen: Array, part: Array) -> Array:
    """[n, 2 NEIGHBOURS + 1] for each chosen frame the frames around it, each within `part`, else the frame itself."""
    near = chosen[:, None] + np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    return np.asarray(np.where(np.isin(near, part), near, chosen[:, None]))


def square_crop(shape: tuple[int, int], points: Array) -> tuple[int, int, int]:
    """Left, top and side of the largest square that holds the face in the middle as far as the picture allows."""
    height, width = shape
    side = min(height, width)
    middle_x = float(np.median(points[..., 0].mean(axis=1)))
    middle_y = float(np.median(points[..., 1].mean(axis=1)))
    left = int(np.clip(round(middle_x - side / 2), 0, width - side))
    top = int(np.clip(round(middle_y - side * 0.48), 0, height - side))
    return left, top, side


def resize(pictures: Array, crop: tuple[int, int, int], size_px: int) -> Array:
    """Crop uint8 pictures [T, H, W, C] and average them to a square of `size_px`."""
    left, top, side = crop
    cut = pictures[:, top : top + side, left : left + side]
    if side == size_px:
        return np.ascontiguousarray(cut)
    out = np.empty((len(cut), size_px, size_px, cut.shape[3]), np.uint8)
    for index, picture in enumerate(cut):
        plane = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
        mode = "area" if side > size_px else "bilinear"
        small = torch.nn.functional.interpolate(plane, size=(size_px, size_px), mode=mode)
        out[index] = small[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return out
