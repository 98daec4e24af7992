"""How well a replica redraws frames it never saw, against the naive method: showing the most similar seen frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.training import losses
from rendering.training.dataset import Dataset
from rendering.training.scene import part_boxes

Array = np.ndarray[Any, np.dtype[Any]]
GMSD_C = 170 / 255**2  # as published, for values of 0..255


@dataclass(frozen=True)
class Scores:
    """Means over frames; decibels but for `ssim`."""

    psnr_full: float
    psnr_face: float
    psnr_mouth: float
    ssim: float
    gmsd: float  # 0: every edge as sharp as in the original; blur raises it where it lowers PSNR least

    def rounded(self) -> dict[str, float]:
        """For reports."""
        return {
            "psnr_full_db": round(self.psnr_full, 2), "psnr_face_db": round(self.psnr_face, 2),
            "psnr_mouth_db": round(self.psnr_mouth, 2), "ssim": round(self.ssim, 4), "gmsd": round(self.gmsd, 4),
        }  # fmt: skip


def psnr(error2: Array) -> float:
    """Peak signal to noise of squared errors on a 0..1 scale, in decibels."""
    return float(-10 * np.log10(max(float(error2.mean()), 1e-10)))


def measure(drawn: Array, truth: Array, points: Array) -> Scores:
    """Scores of drawn pictures [T, S, S, 3] uint8 against true ones, boxes from true landmarks [T, 478, 3]."""
    rows = [_one(d.astype(np.float32) / 255, t.astype(np.float32) / 255, p)
            for d, t, p in zip(drawn, truth, points, strict=True)]  # fmt: skip
    return Scores(*(float(mean) for mean in np.mean(rows, axis=0)))


def _one(drawn: Array, truth: Array, points: Array) -> tuple[float, float, float, float, float]:
    error2 = (drawn - truth) ** 2
    face, mouth = part_boxes(points, truth.shape[0])
    planes = [
        losses.similarity(np.ascontiguousarray(drawn[..., c]), np.ascontiguousarray(truth[..., c]))[0].mean()
        for c in range(3)
    ]
    sharpness = gmsd(drawn @ losses.LUMA, truth @ losses.LUMA)
    return psnr(error2), psnr(_cut(error2, face)), psnr(_cut(error2, mouth)), float(np.mean(planes)), sharpness


def gmsd(drawn: Array, truth: Array) -> float:
    """Gradient magnitude similarity deviation of two luma planes 0..1.

    Xue, Zhang, Mou and Bovik, "Gradient Magnitude Similarity Deviation", IEEE Trans. Image Processing 23 (2014).
    """
    one, other = (_gradients(plane) for plane in (drawn, truth))
    likeness = (2 * one * other + GMSD_C) / (one * one + other * other + GMSD_C)
    return float(likeness.std())


def _gradients(plane: Array) -> Array:
    """Prewitt gradient magnitudes of a plane halved by averaging."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    half = plane[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3)).astype(np.float64)
    rows = (half[:-2] + half[1:-1] + half[2:]) / 3
    columns = (half[:, :-2] + half[:, 1:-1] + half[:, 2:]) / 3
    across, down = rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2]
    return np.asarray(np.hypot(across, down))


def _cut(error2: Array, box: tuple[int, int, int, int]) -> Array:
    left, top, right, bottom = box
    return error2[top:bottom, left:right]


def nearest_frames(dataset: Dataset) -> Array:
    """For each held-out frame the training frame with the most similar landmarks: indices [B]."""
    seen = dataset.landmarks[dataset.train][:, :, :2].reshape(len(dataset.train), -1)
    asked = dataset.landmarks[dataset.held_out][:, :, :2].reshape(len(dataset.held_out), -1)
    distance = (asked**2).sum(1)[:, None] - 2 * asked @ seen.T + (seen**2).sum(1)[None]
    return np.asarray(dataset.train[distance.argmin(1)])
