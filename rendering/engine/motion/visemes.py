"""Mouth shapes of the speech sounds, and how neighbouring sounds colour each other.

Each sound pulls the mouth towards its own shape with a dominance that is full over the middle of the sound and fades
outside it; the shape at a moment is the dominance-weighted mean. Lip closure of p, b and m dominates twelvefold, so
that the lips always meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MOUTH = ("jaw", "pucker", "funnel", "stretch", "upper_up", "lower_down", "lip_roll", "press", "closure")
CLOSURE = MOUTH.index("closure")
PLATEAU = 0.4  # middle share of a sound that has full dominance
FADE_PER_S = 16.0
CLOSURE_FADE = 4.0  # lips part and meet this many times faster than the rest of the mouth changes
FADE_POWER = 1.3
BILABIAL_DOMINANCE = 12.0
SETTLED = 0.93  # blended closure from which the lips count as closed
REACH_S = 0.35  # sounds farther away than this have no say


class Span(Protocol):
    """A viseme with its time, as `rendering.speech` gives it."""

    @property
    def viseme(self) -> str:
        """One of the 23 classes."""

    @property
    def start_s(self) -> float:
        """Start within the utterance."""

    @property
    def end_s(self) -> float:
        """End within the utterance."""


#              jaw pucker funnel stretch up   down roll press closure
_SHAPES: dict[str, tuple[float, ...]] = {
    "sil": (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.55),
    "PP": (0.06, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.45, 1.00),
    "FF": (0.10, 0.00, 0.00, 0.10, 0.20, 0.00, 1.00, 0.00, 0.00),
    "TH": (0.20, 0.00, 0.00, 0.15, 0.05, 0.25, 0.00, 0.00, 0.00),
    "DD": (0.17, 0.00, 0.00, 0.18, 0.05, 0.20, 0.00, 0.00, 0.00),
    "kk": (0.25, 0.00, 0.00, 0.12, 0.00, 0.15, 0.00, 0.00, 0.00),
    "CH": (0.12, 0.25, 0.60, 0.00, 0.15, 0.20, 0.00, 0.00, 0.00),
    "SS": (0.08, 0.00, 0.00, 0.35, 0.10, 0.25, 0.00, 0.00, 0.00),
    "nn": (0.18, 0.00, 0.00, 0.15, 0.00, 0.10, 0.00, 0.00, 0.00),
    "RR": (0.17, 0.35, 0.35, 0.00, 0.00, 0.05, 0.00, 0.00, 0.00),
    "WW": (0.10, 0.95, 0.20, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
    "HH": (0.30, 0.00, 0.00, 0.05, 0.00, 0.05, 0.00, 0.00, 0.00),
    "aa": (0.90, 0.00, 0.00, 0.10, 0.10, 0.20, 0.00, 0.00, 0.00),
    "ah": (0.62, 0.00, 0.00, 0.05, 0.05, 0.10, 0.00, 0.00, 0.00),
    "E": (0.48, 0.00, 0.00, 0.40, 0.10, 0.20, 0.00, 0.00, 0.00),
    "ih": (0.30, 0.00, 0.00, 0.40, 0.05, 0.15, 0.00, 0.00, 0.00),
    "iy": (0.18, 0.00, 0.00, 0.75, 0.10, 0.20, 0.00, 0.00, 0.00),
    "oh": (0.58, 0.35, 0.45, 0.00, 0.00, 0.05, 0.00, 0.00, 0.00),
    "ou": (0.34, 0.80, 0.20, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
    "uh": (0.34, 0.20, 0.20, 0.00, 0.00, 0.05, 0.00, 0.00, 0.00),
    "er": (0.30, 0.25, 0.35, 0.00, 0.00, 0.05, 0.00, 0.00, 0.00),
    "@": (0.30, 0.00, 0.00, 0.08, 0.00, 0.05, 0.00, 0.00, 0.00),
}
VISEMES = tuple(_SHAPES)
# Weight of each sound's say on each of the mouth's shapes: sounds that need a shape insist on it.
_QUIET_CONSONANTS = frozenset({"DD", "kk", "nn", "HH", "TH"})


def _dominance(viseme: str) -> list[float]:
    weights = [1.0] * len(MOUTH)
    if viseme in _QUIET_CONSONANTS:
        weights = [0.5] * len(MOUTH)
    if viseme == "PP":
        weights[CLOSURE] = BILABIAL_DOMINANCE
    if viseme == "FF":
        weights[MOUTH.index("lip_roll")] = 4.0
        weights[MOUTH.index("jaw")] = 1.6
    if viseme in ("WW", "ou", "CH"):
        weights[MOUTH.index("pucker")] = 1.8
    return weights


def _fades() -> Array:
    fades = np.full(len(MOUTH), FADE_PER_S)
    fades[CLOSURE] *= CLOSURE_FADE
    return fades


_FADES = _fades()


class MouthTrack:
    """The spoken sounds of a session on one time line."""

    def __init__(self) -> None:
        self._starts = np.zeros(0)
        self._ends = np.zeros(0)
        self._shapes = np.zeros((0, len(MOUTH)))
        self._weights = np.zeros((0, len(MOUTH)))

    def add(self, spans: Sequence[Span], start_s: float) -> None:
        """Append an utterance that begins at `start_s`; silence is set before and after it."""
        known = [(s.viseme if s.viseme in _SHAPES else "@", start_s + s.start_s, start_s + s.end_s) for s in spans]
        if not known:
            return
        first, last = known[0][1], known[-1][2]
        known = [("sil", first - 0.25, first), *known, ("sil", last, last + 0.25)]
        self._starts = np.concatenate([self._starts, [k[1] for k in known]])
        self._ends = np.concatenate([self._ends, [k[2] for k in known]])
        self._shapes = np.concatenate([self._shapes, [_SHAPES[k[0]] for k in known]])
        self._weights = np.concatenate([self._weights, [_dominance(k[0]) for k in known]])

    def cut(self, now_s: float) -> None:
        """Forget what would be spoken after `now_s`; the mouth closes from there."""
        keep = self._starts < now_s
        ends = np.minimum(self._ends[keep], now_s)
        self._starts = np.concatenate([self._starts[keep], [now_s]])
        self._ends = np.concatenate([ends, [now_s + 0.3]])
        self._shapes = np.concatenate([self._shapes[keep], [_SHAPES["sil"]]])
        self._weights = np.concatenate([self._weights[keep], [_dominance("sil")]])

    def forget(self, before_s: float) -> None:
        """Drop sounds that ended before `before_s`."""
        keep = self._ends >= before_s
        self._starts, self._ends = self._starts[keep], self._ends[keep]
        self._shapes, self._weights = self._shapes[keep], self._weights[keep]

    def at(self, t_s: float) -> Array:
        """[MOUTH] amounts at a time; zeros when nothing is spoken near it."""
        near = (self._starts < t_s + REACH_S) & (self._ends > t_s - REACH_S)
        if not near.any():
            return np.zeros(len(MOUTH))
        starts, ends = self._starts[near], self._ends[near]
        half_plateau = 0.5 * PLATEAU * (ends - starts)
        outside = np.maximum(np.abs(t_s - 0.5 * (starts + ends)) - half_plateau, 0.0)
        reach = np.exp(-((outside[:, None] * _FADES) ** FADE_POWER)) * self._weights[near]
        rest = 5e-3  # the pull of the resting mouth, which wins where no sound is near
        mouth = (reach * self._shapes[near]).sum(0) / (reach.sum(0) + rest)
        mouth[CLOSURE] = min(1.0, mouth[CLOSURE] / SETTLED)
        return np.asarray(mouth)

    def activity(self, t_s: float) -> float:
        """0..1: how much is being spoken around this time (silence counts as none)."""
        spoken = self._shapes[:, CLOSURE] != _SHAPES["sil"][CLOSURE]
        if not spoken.any():
            return 0.0
        gap = np.maximum(self._starts[spoken] - t_s, t_s - self._ends[spoken])
        return float(np.clip(1.0 - max(0.0, float(gap.min())) / 0.3, 0.0, 1.0))

    def stresses(self, t_s: float) -> float:
        """A slow bump on each long open sound: what heads nod to."""
        near = (self._starts < t_s + 0.6) & (self._ends > t_s - 0.6)
        length = self._ends[near] - self._starts[near]
        strong = np.clip((length - 0.08) / 0.08, 0, 1) * self._shapes[near][:, 0]
        middle = 0.5 * (self._starts[near] + self._ends[near])
        return float((strong * np.exp(-0.5 * ((t_s - middle - 0.05) / 0.14) ** 2)).sum())
