"""How far made motion is from recorded motion: a classifier two-sample test, spectra, blink gaps, prosody.

Two-sample test: Lopez-Paz and Oquab, Revisiting classifier two-sample tests (2017). A classifier is trained to tell
windows of the one from windows of the other; what it gets right at times it never saw is the score: 0.5 is perfect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, Motion
from rendering.engine.motion.life.person import STILL
from rendering.engine.motion.life.prosody import blurred
from rendering.engine.motion.life.scene import STRESS
from rendering.training.life.recording import Recording

Array = np.ndarray[Any, np.dtype[Any]]

WINDOW, HOP = 90, 15  # frames
BLOCK = 120  # frames of time that are left out together
BANDS_HZ = (0.0, 0.4, 0.9, 1.6, 2.8, 5.0, 15.0)
RIDGE = 1.0
RESAMPLES = 1000
PROSODY_LAGS = range(0, 13, 2)  # frames


@dataclass(frozen=True)
class Score:
    """Balanced accuracy and its bootstrap 95 % interval over blocks of time."""

    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Hits:
    """What a classifier that never saw a block's time got right about its windows."""

    right: Array  # [K, 2] of truth, of made
    windows: Array  # [K, 2]

    def accuracy(self, counts: Array) -> Array:
        """[R] balanced accuracy where block k is counted `counts` [R, K] times."""
        return np.asarray((counts @ self.right / np.maximum(counts @ self.windows, 1)).mean(1))


def two_sample(truth: list[Recording], made: list[Recording], seed: int = 0) -> Score:
    """Balanced accuracy of telling `made` from `truth`; times of both are left out together."""
    hits = two_sample_hits(truth, made)
    accuracies = hits.accuracy(block_draws(len(hits.right), seed))
    low, high = np.quantile(accuracies, (0.025, 0.975))
    whole = hits.accuracy(np.ones((1, len(hits.right))))
    return Score(float(whole[0]), float(low), float(high))


def block_draws(blocks: int, seed: int) -> Array:
    """[RESAMPLES, blocks] how often each block is drawn when as many are drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(0, blocks, (RESAMPLES, blocks))
    return np.stack([np.bincount(row, minlength=blocks) for row in drawn])


def two_sample_hits(truth: list[Recording], made: list[Recording]) -> Hits:
    """What a classifier gets right, by blocks of time in rising order."""
    scale = channel_scale(truth)
    rows, labels, blocks = [], [], []
    for label, samples in enumerate((truth, made)):
        for index, sample in enumerate(samples):
            windows, starts = features(sample, scale)
            rows.append(windows)
            labels.append(np.full(len(windows), label))
            # Made samples repeat the scenes of the truth in order.
            blocks.append(1000 * (index % len(truth)) + starts // BLOCK)
    x, y, block = np.concatenate(rows), np.concatenate(labels), np.concatenate(blocks)
    right = _cross_validated(x, y, block)
    kinds = np.unique(block)
    return Hits(
        np.array([[right[(block == k) & (y == label)].sum() for label in (0, 1)] for k in kinds]),
        np.array([[((block == k) & (y == label)).sum() for label in (0, 1)] for k in kinds]),
    )


def features(sample: Recording, scale: Array) -> tuple[Array, Array]:
    """Rows of numbers of overlapping windows [W, F], and the frame each begins at [W]."""
    motion, scene = sample.motion, sample.scene
    moving = scale > 0
    smooth = (motion.smooth[:, moving] - motion.smooth[:, moving].mean(0)) / scale[moving]
    lids, stress = motion.lids(), scene.heard[: len(motion), STRESS]
    starts = np.arange(0, len(motion) - WINDOW + 1, HOP)
    rows = [
        _window(smooth[s : s + WINDOW], motion.aim[s : s + WINDOW], lids[s : s + WINDOW], stress[s : s + WINDOW])
        for s in starts
    ]
    return np.stack(rows), starts


def _window(smooth: Array, aim: Array, lids: Array, stress: Array) -> Array:
    steps = np.diff(smooth, axis=0)
    bends = np.diff(steps, axis=0)
    centred = smooth - smooth.mean(0)
    power = np.abs(np.fft.rfft(centred * np.hanning(WINDOW)[:, None], axis=0)) ** 2
    rates = np.fft.rfftfreq(WINDOW, 1 / FRAMES_PER_S)
    bands = [
        np.log(power[(rates >= low) & (rates < high)].mean(0) + 1e-7)
        for low, high in zip(BANDS_HZ, BANDS_HZ[1:], strict=False)
    ]
    jumps = np.linalg.norm(np.diff(aim, axis=0), axis=1)
    gaze = [
        np.log(aim.std() + 1e-3), np.log(np.sort(jumps)[-1] + 1e-3), np.log(np.sort(jumps)[-4] + 1e-3),
        float((jumps > 0.012).sum()), float((jumps < 0.002).mean()), float(np.linalg.norm(aim, axis=1).mean()),
    ]  # fmt: skip
    begins = np.flatnonzero((lids[1:] > 0.3) & (lids[:-1] <= 0.3))
    blinks = [float(len(begins)), float(lids.mean()), float(np.diff(begins).min()) if len(begins) > 1 else 90.0]
    quick = centred - np.stack([blurred(column, 12.0) for column in centred.T], axis=1)
    follows = [float(stress @ quick[:, c]) / WINDOW for c in range(min(3, quick.shape[1]))]
    trembling = steps[:, :5] + 1e-9 * np.random.default_rng(0).normal(size=steps[:, :5].shape)
    together = np.asarray(np.corrcoef(trembling.T))
    kurtosis = (bends**4).mean(0) / ((bends**2).mean(0) ** 2 + 1e-12)
    return np.concatenate([
        *bands, np.log(np.abs(steps).mean(0) + 1e-5), np.log(np.abs(bends).mean(0) + 1e-5), np.log(kurtosis + 1),
        np.log(centred.std(0) + 1e-3), smooth.mean(0), gaze, blinks, follows, together[np.triu_indices(5, 1)],
    ])  # fmt: skip


def channel_scale(truth: list[Recording]) -> Array:
    """[12] deviation of each channel in the truth; 0 where it does not move and so cannot be judged."""
    deviation = np.concatenate([sample.motion.smooth - sample.motion.smooth.mean(0) for sample in truth]).std(0)
    return np.where(deviation > STILL, deviation, 0.0)


def _cross_validated(x: Array, y: Array, block: Array) -> Array:
    """[N] 1 where the label of a window was found by a classifier that never saw windows near its time."""
    kinds = np.unique(block)
    right = np.zeros(len(y))
    for fold in np.array_split(kinds, min(6, len(kinds))):
        out = np.isin(block, fold)
        # Windows are longer than the hop: those that reach into the left-out block are not trained on either.
        near = np.isin(block, np.concatenate([fold - 1, fold, fold + 1]))
        if len(np.unique(y[~near])) < 2:
            near = out
        weights = logistic(x[~near], y[~near])
        right[out] = (weights(x[out]) > 0) == (y[out] > 0.5)
    return right


def logistic(x: Array, y: Array) -> Any:
    """The margin of a balanced ridge logistic regression on features and their squares, as a function."""
    middle, spread = x.mean(0), x.std(0) + 1e-6

    def widen(rows: Array) -> Array:
        unit = np.clip((rows - middle) / spread, -5, 5)
        return np.concatenate([np.ones((len(rows), 1)), unit, unit**2 - 1], axis=1)

    rows = widen(x)
    weight = np.where(y > 0.5, 0.5 / max((y > 0.5).mean(), 1e-6), 0.5 / max((y <= 0.5).mean(), 1e-6))
    beta = np.zeros(rows.shape[1])
    penalty = RIDGE * np.sqrt(len(rows)) * np.eye(len(beta))
    for _ in range(12):  # Newton's method
        chance = 1 / (1 + np.exp(-np.clip(rows @ beta, -30, 30)))
        slope = rows.T @ (weight * (y - chance)) - penalty @ beta
        curve = (rows * (weight * chance * (1 - chance) + 1e-6)[:, None]).T @ rows + penalty
        beta = beta + np.linalg.solve(curve, slope)
    return lambda rows_: widen(rows_) @ beta


def spectrum_distance(truth: list[Recording], made: list[Recording]) -> float:
    """Mean over channels and bands of the difference of log power (natural units): 0 is the same spectrum."""
    scale = channel_scale(truth)
    levels = [np.mean([_spectrum(sample.motion, scale) for sample in samples], axis=0) for samples in (truth, made)]
    return float(np.abs(np.log(levels[0] + 1e-7) - np.log(levels[1] + 1e-7)).mean())


def _spectrum(motion: Motion, scale: Array) -> Array:
    """[bands, channels] mean power in windows of four seconds."""
    starts = range(0, len(motion) - BLOCK + 1, BLOCK // 2)
    return np.asarray(np.mean([band_power(motion.smooth[start : start + BLOCK], scale) for start in starts], axis=0))


def band_power(smooth: Array, scale: Array) -> Array:
    """[bands, channels that move] mean power of some frames [N, 12] in each of BANDS_HZ."""
    moving = scale > 0
    part = smooth[:, moving] / scale[moving]
    rates = np.fft.rfftfreq(len(part), 1 / FRAMES_PER_S)
    power = np.abs(np.fft.rfft((part - part.mean(0)) * np.hanning(len(part))[:, None], axis=0)) ** 2
    edges = zip(BANDS_HZ, BANDS_HZ[1:], strict=False)
    return np.stack([power[(rates >= low) & (rates < high)].mean(0) for low, high in edges])


def blink_interval_ks(truth: list[Recording], made: list[Recording]) -> float:
    """Largest difference of the distributions of the gaps between blinks (Kolmogorov and Smirnov): 0 is the same."""
    gaps = [np.sort(np.concatenate([np.diff(s.motion.blinks) for s in samples])) for samples in (truth, made)]
    if min(len(g) for g in gaps) == 0:
        return 1.0
    grid = np.concatenate(gaps)
    shares = [np.searchsorted(g, grid, side="right") / len(g) for g in gaps]
    return float(np.abs(shares[0] - shares[1]).max())


def head_prosody_correlation(samples: list[Recording]) -> float:
    """Largest correlation, over 0 to 0.4 s of delay, of how quickly the head moves and how much is being stressed."""
    best = 0.0
    for lag in PROSODY_LAGS:
        row = np.concatenate([np.stack(stress_and_speed(sample, lag)) for sample in samples], axis=1)
        best = max(best, float(np.corrcoef(row)[0, 1])) if row.std(1).min() > STILL else best
    return best


def stress_and_speed(sample: Recording, lag: int) -> tuple[Array, Array]:
    """[T] how much is being stressed, and how quickly the head turns `lag` frames later."""
    turn = sample.motion.smooth[:, :3] / (sample.motion.smooth[:, :3].std(0) + 1e-9)
    quick = blurred(np.linalg.norm(np.diff(turn, axis=0), axis=1), 3.0)
    stress = blurred(sample.scene.heard[: len(quick), STRESS], 3.0)
    return stress[: len(quick) - lag], quick[lag:]


def closest_return(motion: Motion, seconds: float = 10.0, step_s: float = 1.0) -> float:
    """Largest similarity (cosine of centred windows) of any stretch with any later one that does not overlap it."""
    size, step = round(seconds * FRAMES_PER_S), round(step_s * FRAMES_PER_S)
    moving = motion.smooth.std(0) > STILL
    smooth = motion.smooth[:, moving]
    smooth = (smooth - smooth.mean(0)) / smooth.std(0)
    windows = np.stack([smooth[s : s + size].ravel() for s in range(0, len(smooth) - size + 1, step)])
    windows = windows / np.linalg.norm(windows, axis=1, keepdims=True)
    alike = windows @ windows.T
    apart = np.abs(np.subtract.outer(np.arange(len(windows)), np.arange(len(windows)))) * step >= size
    return float(alike[apart].max())
