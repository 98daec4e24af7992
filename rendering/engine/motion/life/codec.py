"""A chunk of life as 102 numbers that are near to standard normal, and back.

Smooth channels: what a linear prediction from the person's last changes and place leaves over, along directions in time
that are uncorrelated in them, each in their own measure; so a small error of the network is small at every frequency
and for every person, and a network that knew nothing would still leave the person's own wandering, which comes back.
Heads rest and then nod, so what is left over has heavier tails than a normal curve; a tail of Tukey's h form is taken
out (Tukey, Exploratory data analysis, 1977). Events (a blink, a jump of the eyes) are a yes or no with a moment and,
for a jump, a new aim by distance and direction; those mean nothing at a no. A yes or no is coded against what the
person's own gaps between events let expect, so that the network has to learn only what moves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import CHUNK, FRAMES_PER_S, SMOOTH

Array = np.ndarray[Any, np.dtype[Any]]

HISTORY = 5  # changes that the linear prediction looks at
RIDGE = 1e-2  # of the changes' variance; keeps a very smooth person's prediction from running away
PLACE_RIDGE = 1e-3
LONGEST_RETURN_S = 8.0  # within which a head that nothing drives comes back; else errors would carry it away
SMALLEST = 1e-5  # deviations
EVENTS = slice(len(SMOOTH) * CHUNK, len(SMOOTH) * CHUNK + 2)  # a blink, a jump of the eyes: yes or no
MOMENTS = slice(EVENTS.stop, EVENTS.stop + 2)  # when within the chunk, as normal quantiles
AIM = slice(MOMENTS.stop, MOMENTS.stop + 2)  # distance and direction, as normal quantiles
WIDTH = AIM.stop
LARGEST = 5.0
LEAST_GAP_S = 0.35
LATE_CHANCE = 0.5  # of an event within a chunk when the person's longest gap is over
LARGEST_MADE = 3.2  # of a made code; beyond it lies one number in seven hundred, and a heavy tail would run away
DISTANCES = 9
GAPS = 9
HEAVIEST = 0.3  # h beyond which chance would decide
MEDIAN = 0.6744898  # of the size of a standard normal number
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Habit:
    """How a person's smooth channels go on by themselves, and how far they stray from that."""

    predictor: Array  # [12, HISTORY + 1, CHUNK] from the last changes and the last place to the way from there
    directions: Array  # [12, CHUNK, CHUNK] orthonormal columns, the largest first
    strays: Array  # [12, CHUNK] scale of what is left over in each direction
    tails: Array  # [12, CHUNK] h: 0 is normal; larger, the rarer and larger what stands out

    def expected(self, past: Array) -> Array:
        """[B, CHUNK, 12] where the channels would go after `past` [B, >HISTORY, 12], in deviations."""
        known = np.concatenate([np.diff(past[:, -HISTORY - 1 :], axis=1), past[:, -1:]], axis=1)
        return np.asarray(past[:, -1:] + np.einsum("bhc,chf->bfc", known, self.predictor))


@dataclass(frozen=True)
class Codec:
    """What the code needs beside a person's habit; float32."""

    event_shares: Array  # [2] how many chunks hold a blink, and a jump of the eyes

    def code(self, past: Array, chunk: Array, habit: Habit) -> Array:
        """[B, 96] code of smooth chunks [B, CHUNK, 12] after `past` [B, >HISTORY, 12], all in deviations."""
        left = np.einsum("cfg,bfc->bcg", habit.directions, chunk - habit.expected(past)) / habit.strays
        code = without_tail(left, habit.tails).reshape(len(past), -1)
        return np.asarray(np.clip(code, -LARGEST, LARGEST), np.float32)

    def smooth(self, past: Array, code: Array, habit: Habit) -> Array:
        """[B, CHUNK, 12] the inverse of `code`; reads the first 96 numbers [B, >=96]."""
        normal = np.clip(code[:, : EVENTS.start], -LARGEST_MADE, LARGEST_MADE).reshape(len(past), len(SMOOTH), CHUNK)
        left = with_tail(normal, habit.tails) * habit.strays
        return np.asarray(habit.expected(past) + np.einsum("cfg,bcg->bfc", habit.directions, left), np.float32)

    def event_codes(self, happens: Array, expected: Array) -> Array:
        """[..., 2] codes of yes (1) and no (0) where `expected` [..., 2] were the chances; about unit variance."""
        return np.asarray((happens - expected) / self._spread, np.float32)

    def chances(self, code: Array, expected: Array) -> Array:
        """[..., 2] how likely each event is, from the mean of its code."""
        return np.asarray(np.clip(expected + code * self._spread, 0.0, 1.0))

    @property
    def _spread(self) -> Array:
        return np.asarray(np.sqrt(self.event_shares * (1 - self.event_shares)))


def with_tail(normal: Array, h: Array) -> Array:
    """Tukey's h transform: x exp(h x^2 / 2)."""
    return np.asarray(normal * np.exp(0.5 * h * normal**2))


def without_tail(values: Array, h: Array) -> Array:
    """The inverse of `with_tail`, by Newton's method on h x^2 + 2 ln x = 2 ln |value|."""
    size = np.maximum(np.abs(values), 1e-9)
    normal = np.where(size > 1, np.sqrt(1 + 2 * np.log(np.maximum(size, 1))), size)
    for _ in range(8):
        error = 0.5 * h * normal**2 + np.log(normal) - np.log(size)
        normal = np.maximum(normal - error / (h * normal + 1 / normal), 0.2 * normal)
    return np.asarray(np.sign(values) * normal)


def tail_of(left: Array) -> tuple[Array, Array]:
    """Scale and h [..] of samples [N, ..], from their root mean square against their median size."""
    size = np.maximum(np.sqrt((left**2).mean(0)), SMALLEST)
    middle = np.maximum(np.median(np.abs(left), axis=0), 0.01 * SMALLEST)
    grid = np.linspace(0, HEAVIEST, 71)
    # Of x exp(h x^2 / 2): root mean square (1 - 2h)^(-3/4), median of the size q exp(h q^2 / 2).
    ratios = (1 - 2 * grid) ** -0.75 / (MEDIAN * np.exp(0.5 * grid * MEDIAN**2))
    h = np.interp(size / middle, ratios, grid)
    return size * (1 - 2 * h) ** 0.75, h


def gap_quantiles(gaps_s: Array, usual_s: float) -> Array:
    """[GAPS] evenly spread quantiles of a person's gaps between events; about `usual_s` where too few were seen."""
    if len(gaps_s) < 4:
        return np.asarray(usual_s * np.linspace(0.4, 1.8, GAPS))
    return np.maximum(np.quantile(gaps_s, np.linspace(0, 1, GAPS)), LEAST_GAP_S)


def expected_events(since_s: Array, gaps_s: Array) -> Array:
    """[B] chance that an event falls into the chunk that begins `since_s` [B] after the last, by gaps [GAPS] alone."""
    reach_s = CHUNK / FRAMES_PER_S
    # The longest and the shortest gap that were seen are not the longest and the shortest that there are.
    knots = np.concatenate([[0.85 * gaps_s[0]], gaps_s[1:-1], [1.15 * gaps_s[-1]]]) + 1e-6 * np.arange(GAPS)
    shares = np.linspace(0, 1, GAPS)
    over, then = np.interp(since_s, knots, shares), np.interp(since_s + reach_s, knots, shares)
    due = (then - over) / np.maximum(1 - over, 1e-6)
    return np.asarray(np.where(since_s + reach_s >= knots[-1], LATE_CHANCE, np.minimum(due, LATE_CHANCE)))


def moment_code(frames: Array) -> Array:
    """Codes of moments within a chunk, 0 to CHUNK frames after its start."""
    return np.array([_NORMAL.inv_cdf(float(np.clip(frame / CHUNK, 1e-3, 1 - 1e-3))) for frame in frames])


def moment(code: float) -> float:
    """Frames after the chunk's start: the inverse of `moment_code`."""
    return _NORMAL.cdf(float(code)) * CHUNK


def aim_of(code: Array, distances: Array) -> Array:
    """[2] the aim, in the person's usual distances, of two numbers: right and down.

    Args:
        distances: [DISTANCES] evenly spread quantiles of how far the person's glances go.
    """
    shares = [_NORMAL.cdf(float(value)) for value in code]
    far = float(np.interp(shares[0], np.linspace(0, 1, DISTANCES), distances))
    angle = (2 * shares[1] - 1) * np.pi
    return np.array([far * np.cos(angle), far * np.sin(angle)])


def aim_code(aims: Array, distances: Array, random: Array) -> Array:
    """[N, 2] the inverse of `aim_of`; `random` [N, 2] in 0..1 spreads what has no rank or no direction of its own."""
    far = np.linalg.norm(aims, axis=1)
    lowest = np.searchsorted(distances, far - 1e-4) / (DISTANCES - 1)
    highest = (np.searchsorted(distances, far + 1e-4, side="right") - 1) / (DISTANCES - 1)
    between = np.interp(far, distances + 1e-9 * np.arange(DISTANCES), np.linspace(0, 1, DISTANCES))
    tied = highest > lowest
    rank = np.where(tied, lowest + (highest - lowest) * random[:, 0], between)
    angle = 0.5 + 0.5 * np.arctan2(aims[:, 1], aims[:, 0]) / np.pi
    direction = np.where(far > 1e-3, angle, random[:, 1])
    shares = np.clip(np.stack([rank, direction], axis=1), 1e-3, 1 - 1e-3)
    return np.array([[_NORMAL.inv_cdf(float(share)) for share in row] for row in shares]).reshape(-1, 2)


def fit_habit(normal: Array) -> Habit:
    """A person's habit from their motion [T, 12] in deviations: least squares, damped, on every stretch of it."""
    starts = np.arange(HISTORY + 1, len(normal) - CHUNK)
    past = normal[starts[:, None] + np.arange(-HISTORY - 1, 0)]
    changes = np.diff(past, axis=1)
    ways = normal[starts[:, None] + np.arange(CHUNK)] - past[:, -1:]
    predictor = np.zeros((len(SMOOTH), HISTORY + 1, CHUNK))
    longest = -np.arange(1, CHUNK + 1) / FRAMES_PER_S / LONGEST_RETURN_S
    directions = np.repeat(_polynomials()[None], len(SMOOTH), axis=0)
    strays, tails = np.ones((len(SMOOTH), CHUNK)), np.zeros((len(SMOOTH), CHUNK))
    for channel in range(len(SMOOTH)):
        x = np.concatenate([changes[:, :, channel], past[:, -1:, channel]], axis=1)
        y = ways[:, :, channel]
        size = float((changes[:, :, channel] ** 2).mean())
        if size <= SMALLEST**2:  # never moved: it stays at its mean
            predictor[channel, -1], strays[channel] = longest, SMALLEST
            continue
        damping = len(x) * np.diag([*[RIDGE * size] * HISTORY, PLACE_RIDGE])
        predictor[channel] = np.linalg.solve(x.T @ x + damping, x.T @ y)
        predictor[channel, -1] = np.minimum(predictor[channel, -1], longest)
        left = y - x @ predictor[channel]
        directions[channel] = _principal(left)
        strays[channel], tails[channel] = tail_of(left @ directions[channel])
    return Habit(*(table.astype(np.float32) for table in (predictor, directions, strays, tails)))


def _principal(left: Array) -> Array:
    """[CHUNK, CHUNK] uncorrelated directions of [N, CHUNK], the largest first, with signs that agree between people."""
    columns = np.linalg.eigh(left.T @ left)[1][:, ::-1]
    overlap = _polynomials().T @ columns
    signs = np.sign(overlap[np.abs(overlap).argmax(0), np.arange(CHUNK)])
    return np.asarray(columns * signs)


def _polynomials() -> Array:
    """[CHUNK, CHUNK] orthonormal polynomials over a chunk, by degree."""
    powers = np.vander(np.linspace(-1, 1, CHUNK), increasing=True)
    columns, upper = np.linalg.qr(powers)
    return np.asarray(columns * np.sign(np.diag(upper)))
