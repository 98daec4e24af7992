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
MOST_APART = 3  # frames of the clip between two frames with a face that still belong together
GLIMPSES, CELLS = 24, 8


@dataclass(frozen=True)
class Dataset:
    """Frames at the training size; n in all, `train` and `held_out` index into them.

    `tracks` holds the landmarks of every frame of the clip that shows a face, so that a frame's neighbours in time are
    known even where only some frames are drawn. Nothing of the tail reaches training: neighbours are looked for within
    the frame's own part.
    """

    frames: Array  # [n, S, S, 3] uint8
    landmarks: Array  # [n, 478, 3] float32 pixels of the training size
    masks: Array | None  # [n, S, S] uint8
    train: Array  # [A] int64
    held_out: Array  # [B] int64
    fps: float
    tracks: Array  # [F, 478, 3] landmarks, in order of time
    times: Array  # [F] int64 which frame of the clip each of `tracks` is
    places: Array  # [n] int64 where each frame stands in `tracks`
    split: int  # the first of `tracks` that belongs to the tail
    crop: tuple[int, int, int]  # left, top and side of the square cut from the clip's pictures

    def near(self, places: Array, offsets: tuple[int, ...]) -> Array:
        """[c, W] places in `tracks` around each of `places`, held within each one's own part of the clip.

        Where the face was gone for a while, what comes after is another moment and no neighbour.
        """
        middle = places[:, None]
        gone = np.flatnonzero(np.diff(self.times) > MOST_APART) + 1
        firsts = np.unique(np.concatenate([[0, self.split], gone]))
        firsts = firsts[firsts < len(self.tracks)]
        own = np.searchsorted(firsts, middle, side="right") - 1
        lasts = np.append(firsts[1:], len(self.tracks)) - 1
        return np.asarray(np.clip(middle + np.array(offsets), firsts[own], lasts[own]))


def prepare(clip: Clip, config: TrainingConfig) -> Dataset:
    """Choose, crop and scale the frames that a run needs.

    Raises:
        FootageUnusable: too few frames show a face.
    """
    found: Array = np.asarray(np.isfinite(clip.landmarks).all(axis=(1, 2)))
    every = np.flatnonzero(found)
    split = int((every < int(len(found) * (1 - config.held_out_share))).sum())
    if split < FEWEST_FRAMES or len(every) - split < FEWEST_FRAMES // 4:
        raise FootageUnusable(len(every), FEWEST_FRAMES)
    train = spread(np.arange(split), min(config.training_frames, most_frames(config)))
    tail = spread(np.arange(split, len(every)), config.report_frames)
    places = np.concatenate([train, tail])
    chosen = every[places]
    crop = square_crop(clip.frames.shape[1:3], clip.landmarks[every[train]])
    tracks = clip.landmarks[every].astype(np.float32)
    tracks -= np.array([crop[0], crop[1], 0], np.float32)
    tracks *= np.float32(config.size_px / crop[2])
    masks = None if clip.mask is None else resize(clip.mask, chosen, crop, config.size_px)
    return Dataset(
        resize(clip.frames, chosen, crop, config.size_px),
        np.ascontiguousarray(tracks[places]),
        masks,
        np.arange(len(train)),
        np.arange(len(train), len(chosen)),
        float(clip.fps),
        tracks,
        every,
        places,
        split,
        crop,
    )


def glimpses(dataset: Dataset) -> Array:
    """[G, CELLS, CELLS] uint8 brightness of a few frames in coarse cells: enough to tell one clip from another."""
    chosen = spread(np.arange(len(dataset.frames)), GLIMPSES)
    edges = np.linspace(0, dataset.frames.shape[1], CELLS + 1).astype(int)[:-1]
    grey = dataset.frames[chosen].mean(axis=3)
    sums = np.add.reduceat(np.add.reduceat(grey, edges, axis=1), edges, axis=2)
    counts = np.add.reduceat(np.add.reduceat(np.ones_like(grey), edges, axis=1), edges, axis=2)
    return np.asarray((sums / counts).round(), np.uint8)


def most_frames(config: TrainingConfig) -> int:
    """How many training frames fit the memory that a run may take for them, masks included."""
    return max(FEWEST_FRAMES, int(config.frames_bytes // (4 * config.size_px**2)))


def spread(indices: Array, at_most: int) -> Array:
    """At most so many of `indices`, evenly spread."""
    if len(indices) <= at_most:
        return indices
    return np.asarray(indices[np.linspace(0, len(indices) - 1, at_most).round().astype(np.int64)])


def square_crop(shape: tuple[int, int], points: Array) -> tuple[int, int, int]:
    """Left, top and side of the largest square that holds the face in the middle as far as the picture allows."""
    height, width = shape
    side = min(height, width)
    middle_x = float(np.median(points[..., 0].mean(axis=1)))
    middle_y = float(np.median(points[..., 1].mean(axis=1)))
    left = int(np.clip(round(middle_x - side / 2), 0, width - side))
    top = int(np.clip(round(middle_y - side * 0.48), 0, height - side))
    return left, top, side


def resize(pictures: Array, chosen: Array, crop: tuple[int, int, int], size_px: int) -> Array:
    """Crop the chosen of uint8 pictures [T, H, W(, C)] and average them to squares of `size_px`, one at a time."""
    left, top, side = crop
    out = np.empty((len(chosen), size_px, size_px, *pictures.shape[3:]), np.uint8)
    for index, frame in enumerate(chosen):
        cut = pictures[frame, top : top + side, left : left + side]
        out[index] = cut if side == size_px else _scaled(cut, size_px)
    return out


def _scaled(picture: Array, size_px: int) -> Array:
    planes = picture.reshape(*picture.shape[:2], -1)
    plane = torch.from_numpy(np.array(planes)).permute(2, 0, 1)[None].float()
    mode = "area" if picture.shape[0] > size_px else "bilinear"
    small = torch.nn.functional.interpolate(plane, size=(size_px, size_px), mode=mode)
    scaled = small[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return np.asarray(scaled.reshape(size_px, size_px, *picture.shape[2:]))
