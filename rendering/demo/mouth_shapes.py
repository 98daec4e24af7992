"""Mouth positions for speech: a target per mouth shape, blended by overlapping weights; lips that must meet do meet.

Blending by dominance after Cohen and Massaro (1993): a shape rules over the middle of its span and fades on both sides.
Closures (p, b, m) and the lip under the teeth (f, v) are laid on top, so that no neighbour can keep them open.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rendering.speech import VisemeSpan

Curve = npt.NDArray[np.float64]
CHANNELS = ("jaw", "pucker", "smile", "upper_lip")
# jaw, pucker, smile (spread lips), upper lip; then how strongly the shape rules its time.
TARGETS: dict[str, tuple[float, float, float, float, float]] = {
    "sil": (0.00, 0.00, 0.00, 0.00, 0.6), "PP": (0.06, 0.05, 0.00, 0.00, 1.0), "FF": (0.12, 0.00, 0.05, 0.25, 1.0),
    "TH": (0.18, 0.00, 0.05, 0.10, 0.8), "DD": (0.15, 0.00, 0.08, 0.08, 0.6), "kk": (0.22, 0.00, 0.05, 0.05, 0.5),
    "CH": (0.13, 0.55, 0.00, 0.25, 1.0), "SS": (0.07, 0.00, 0.18, 0.10, 0.9), "nn": (0.18, 0.00, 0.05, 0.05, 0.5),
    "RR": (0.17, 0.42, 0.00, 0.10, 0.8), "WW": (0.10, 0.95, 0.00, 0.00, 1.0), "HH": (0.28, 0.00, 0.00, 0.05, 0.3),
    "aa": (0.78, 0.00, 0.05, 0.10, 1.0), "ah": (0.52, 0.00, 0.00, 0.05, 0.8), "E": (0.45, 0.00, 0.18, 0.12, 0.9),
    "ih": (0.30, 0.00, 0.18, 0.08, 0.7), "iy": (0.22, 0.00, 0.40, 0.08, 0.9), "oh": (0.55, 0.45, 0.00, 0.00, 0.9),
    "ou": (0.22, 0.85, 0.00, 0.00, 1.0), "uh": (0.30, 0.45, 0.00, 0.00, 0.8), "er": (0.30, 0.35, 0.00, 0.10, 0.8),
    "@": (0.30, 0.05, 0.00, 0.05, 0.4),
}  # fmt: skip
PLATEAU = 0.2  # of the span on each side of its middle
FALL_PER_S, FALL_POWER = 15.0, 1.3
RISE_S = 0.055  # lips start to close before the sound


@dataclass(frozen=True)
class MouthCurves:
    """What speech asks of the mouth at every frame. All [T]."""

    jaw: Curve
    pucker: Curve
    smile: Curve
    upper_lip: Curve
    close: Curve
    tuck: Curve
    voiced: Curve  # 0..1, speech going on, for nods and brows


def mouth_curves(spans: tuple[VisemeSpan, ...], time_s: Curve) -> MouthCurves:
    """Blend the spans at the given times; outside all of them the mouth rests."""
    weight = np.full(len(time_s), 1e-3)
    blended = np.zeros((len(CHANNELS), len(time_s)))
    close, tuck, voiced = np.zeros(len(time_s)), np.zeros(len(time_s)), np.zeros(len(time_s))
    for span in spans:
        *target, strength = TARGETS[span.viseme]
        middle, half = (span.start_s + span.end_s) / 2, (span.end_s - span.start_s) / 2
        away = np.maximum(np.abs(time_s - middle) - 2 * PLATEAU * half, 0.0)
        power = strength * np.exp(-((FALL_PER_S * away) ** FALL_POWER))
        weight += power
        blended += np.asarray(target)[:, None] * power
        if span.viseme == "PP":
            close = np.maximum(close, _held(time_s, span))
        if span.viseme == "FF":
            tuck = np.maximum(tuck, _held(time_s, span))
        if span.viseme != "sil":
            voiced = np.maximum(voiced, _held(time_s, span, 0.12))
    jaw, pucker, smile, upper_lip = blended / weight
    return MouthCurves(jaw, pucker, smile, upper_lip * (1 - close), close, tuck * (1 - close), voiced)


def _held(time_s: Curve, span: VisemeSpan, rise_s: float = RISE_S) -> Curve:
    """1 during the span, with smooth flanks outside it."""
    outside = np.maximum(np.maximum(span.start_s - time_s, time_s - span.end_s), 0.0)
    x = np.clip(1.0 - outside / rise_s, 0.0, 1.0)
    return x * x * (3 - 2 * x)
