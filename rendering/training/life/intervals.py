"""How sure a comparison is: blocks of time are drawn again and again, the same for truth, model and baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S
from rendering.training.life import judge
from rendering.training.life.judge import BLOCK
from rendering.training.life.recording import Recording

Array = np.ndarray[Any, np.dtype[Any]]
Samples = list[Recording]
Drawn = Callable[[Samples, Array], Array]  # samples to judge, how often each block is drawn [R, K] -> a figure [R]


def gains(truth: Samples, made: Samples, noise: Samples, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % interval of how much nearer to the truth `made` is than `noise`, for every figure; above 0 is better.

    Samples of `made` and `noise` repeat the truth's in order. Blocks are of four seconds.
    """
    draws = judge.block_draws(sum(_blocks(sample) for sample in truth), seed)
    rows: dict[str, Drawn] = {
        "two_sample_accuracy": lambda s, n: judge.two_sample_hits(truth, s).accuracy(n),
        "spectrum_distance": lambda s, n: spectrum_distance(truth, s, n),
        "blink_interval_ks": lambda s, n: blink_ks(truth, s, n),
        "head_prosody_correlation": lambda s, n: np.abs(prosody(s, n, len(truth)) - prosody(truth, n, len(truth))),
    }
    out = {}
    for name, figure in rows.items():
        counts = draws
        if name == "two_sample_accuracy":
            counts = judge.block_draws(len(judge.two_sample_hits(truth, noise).right), seed)
        better = figure(noise, counts) - figure(made, counts)
        low, high = np.quantile(better, (0.025, 0.975))
        out[name] = (float(low), float(high))
    return out


def _blocks(sample: Recording) -> int:
    return max(1, len(sample.motion) // BLOCK)


def _block_of(samples: Samples, people: int) -> list[int]:
    """The number of each sample's first block."""
    starts = np.concatenate([[0], np.cumsum([_blocks(sample) for sample in samples[:people]])])
    return [int(starts[index % people]) for index in range(len(samples))]


def spectrum_distance(truth: Samples, made: Samples, counts: Array) -> Array:
    """[R] as `judge.spectrum_distance`, on whole blocks, for blocks drawn `counts` [R, K] times."""
    scale = judge.channel_scale(truth)
    levels = []
    for samples in (truth, made):
        total: Array = np.zeros(1)
        for first, sample in zip(_block_of(samples, len(truth)), samples, strict=True):
            parts = range(_blocks(sample))
            power = np.stack([
                judge.band_power(sample.motion.smooth[k * BLOCK : (k + 1) * BLOCK], scale) for k in parts])
            drawn = counts[:, first : first + len(parts)]
            total = total + np.einsum("rk,kbc->rbc", drawn, power)
        levels.append(total / len(samples))
    return np.asarray(np.abs(np.log(levels[0] + 1e-7) - np.log(levels[1] + 1e-7)).mean((1, 2)))


def blink_ks(truth: Samples, made: Samples, counts: Array) -> Array:
    """[R] as `judge.blink_interval_ks`; a gap belongs to the block in which it begins."""
    gaps, weights, sides = [], [], []
    for side, samples in enumerate((truth, made)):
        for first, sample in zip(_block_of(samples, len(truth)), samples, strict=True):
            blinks = sample.motion.blinks
            block = np.minimum((blinks[:-1] * FRAMES_PER_S / BLOCK).astype(int), _blocks(sample) - 1)
            gaps.append(np.diff(blinks))
            weights.append(counts[:, first + block])
            sides.append(np.full(len(block), side))
    order = np.argsort(np.concatenate(gaps))
    weight, side = np.concatenate(weights, axis=1)[:, order], np.concatenate(sides)[order]
    shares = []
    for which in (0, 1):
        drawn = np.cumsum(weight * (side == which), axis=1)
        shares.append(drawn / np.maximum(drawn[:, -1:], 1))
    return np.asarray(np.abs(shares[0] - shares[1]).max(1))


def prosody(samples: Samples, counts: Array, people: int) -> Array:
    """[R] as `judge.head_prosody_correlation` of samples that repeat the scenes of so many people."""
    best: Array = np.zeros(len(counts))
    for lag in judge.PROSODY_LAGS:
        sums: Array = np.zeros((len(counts), 6))
        for first, sample in zip(_block_of(samples, people), samples, strict=True):
            x, y = judge.stress_and_speed(sample, lag)
            row = np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y])
            block = np.minimum(np.arange(len(x)) // BLOCK, _blocks(sample) - 1)
            by_block = np.stack([np.bincount(block, weights=line, minlength=_blocks(sample)) for line in row], axis=1)
            sums = sums + counts[:, first : first + len(by_block)] @ by_block
        count, sx, sy, sxx, syy, sxy = sums.T
        spread = np.sqrt(np.maximum((sxx - sx**2 / count) * (syy - sy**2 / count), 1e-12))
        best = np.maximum(best, (sxy - sx * sy / count) / spread)
    return best
