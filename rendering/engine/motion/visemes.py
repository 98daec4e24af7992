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
CLASS_OF = {name: index for index, name in enumerate(VISEMES)}
SILENCE, BILABIAL, NEUTRAL = CLASS_OF["sil"], CLASS_OF["PP"], CLASS_OF["@"]
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


SHAPES = np.array(list(_SHAPES.values()))  # [VISEMES, MOUTH]
DOMINANCE = np.array([_dominance(name) for name in VISEMES])  # [VISEMES, MOUTH]
FADES = _fades()  # [MOUTH] per second
_REST_PULL = 5e-3  # the say of the resting mouth, which wins where no sound is near


def blend(times_s: Array, starts_s: Array, ends_s: Array, shapes: Array, weights: Array, fades: Array = FADES) -> Array:
    """[T, MOUTH] the mouth at times [T], from S sounds with their shapes and weights [S, MOUTH].

    Dominance blending after Cohen and Massaro (1993).
    """
    half_plateau = 0.5 * PLATEAU * (ends_s - starts_s)
    outside = np.maximum(np.abs(times_s[:, None] - 0.5 * (starts_s + ends_s)) - half_plateau, 0.0)
    reach = np.exp(-((outside[..., None] * fades) ** FADE_POWER)) * weights
    mouth = (reach * shapes).sum(1) / (reach.sum(1) + _REST_PULL)
    mouth[:, CLOSURE] = np.minimum(1.0, mouth[:, CLOSURE] / SETTLED)
    return np.asarray(mouth)


def shares(times_s: Array, starts_s: Array, ends_s: Array, classes: Array, width_s: float) -> Array:
    """[T, VISEMES] how much of the `width_s` around each time each class holds; what no sound holds is silence."""
    low, high = times_s[:, None] - 0.5 * width_s, times_s[:, None] + 0.5 * width_s
    held = np.clip(np.minimum(high, ends_s) - np.maximum(low, starts_s), 0.0, None) / width_s
    out = np.zeros((len(times_s), len(VISEMES)), np.float32)
    np.add.at(out.T, classes, held.T.astype(np.float32))
    out[:, SILENCE] += np.maximum(0.0, 1.0 - out.sum(1))
    return out


class MouthTrack:
    """The spoken sounds of a session on one time line, and the mouth that the table alone gives them."""

    def __init__(self) -> None:
        self.starts_s = np.zeros(0)
        self.ends_s = np.zeros(0)
        self.classes = np.zeros(0, np.int64)

    def add(self, spans: Sequence[Span], start_s: float) -> None:
        """Append an utterance that begins at `start_s`; silence is set before and after it."""
        known = [(CLASS_OF.get(s.viseme, NEUTRAL), start_s + s.start_s, start_s + s.end_s) for s in spans]
        if not known:
            return
        first, last = known[0][1], known[-1][2]
        known = [(SILENCE, first - 0.25, first), *known, (SILENCE, last, last + 0.25)]
        self.starts_s = np.concatenate([self.starts_s, [k[1] for k in known]])
        self.ends_s = np.concatenate([self.ends_s, [k[2] for k in known]])
        self.classes = np.concatenate([self.classes, [k[0] for k in known]])

    def cut(self, now_s: float) -> None:
        """Forget what would be spoken after `now_s`; the mouth closes from there."""
        keep = self.starts_s < now_s
        self.starts_s = np.concatenate([self.starts_s[keep], [now_s]])
        self.ends_s = np.concatenate([np.minimum(self.ends_s[keep], now_s), [now_s + 0.3]])
        self.classes = np.concatenate([self.classes[keep], [SILENCE]])

    def forget(self, before_s: float) -> None:
        """Drop sounds that ended before `before_s`."""
        keep = self.ends_s >= before_s
        self.starts_s, self.ends_s, self.classes = self.starts_s[keep], self.ends_s[keep], self.classes[keep]

    def near(self, t_s: float, reach_s: float = REACH_S) -> tuple[Array, Array, Array]:
        """Starts, ends and classes of the sounds within `reach_s` of a time."""
        near = (self.starts_s < t_s + reach_s) & (self.ends_s > t_s - reach_s)
        return self.starts_s[near], self.ends_s[near], self.classes[near]

    def at(self, t_s: float) -> Array:
        """[MOUTH] amounts at a time; zeros when nothing is spoken near it."""
        starts_s, ends_s, classes = self.near(t_s)
        if not len(classes):
            return np.zeros(len(MOUTH))
        return np.asarray(blend(np.array([t_s]), starts_s, ends_s, SHAPES[classes], DOMINANCE[classes])[0])

    def activity(self, t_s: float) -> float:
        """0..1: how much is being spoken around this time (silence counts as none)."""
        spoken = self.classes != SILENCE
        if not spoken.any():
            return 0.0
        gap = np.maximum(self.starts_s[spoken] - t_s, t_s - self.ends_s[spoken])
        return float(np.clip(1.0 - max(0.0, float(gap.min())) / 0.3, 0.0, 1.0))

    def stresses(self, t_s: float) -> float:
        """A slow bump on each long open sound: what heads nod to."""
        starts_s, ends_s, classes = self.near(t_s, 0.6)
        strong = np.clip((ends_s - starts_s - 0.08) / 0.08, 0, 1) * SHAPES[classes, 0]
        middle = 0.5 * (starts_s + ends_s)
        return float((strong * np.exp(-0.5 * ((t_s - middle - 0.05) / 0.14) ** 2)).sum())
