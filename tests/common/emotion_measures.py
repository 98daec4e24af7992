"""What a face does, measured on its points, and the test each emotion has to pass: by its own action units.

Every test compares with the same face at rest. Sizes are in outer eye distances. Thresholds of joy are those that
separated a felt smile from a mouth-only one on renders of another face model (cheek 0.04, aperture 20 %); those of the
other emotions were set between what their own units do and what the negative controls do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rendering.engine import landmarks as lm

Array = np.ndarray[Any, np.dtype[Any]]

CHEEKS = (50, 101, 118, 117, 36, 205, 280, 330, 347, 346, 266, 425)  # the apple of each cheek
NOSE_WINGS = (48, 64, 98, 278, 294, 327)
INNER_BROWS, OUTER_BROWS = (55, 107, 285, 336), (46, 53, 63, 70, 276, 283, 293, 300)
LID_PAIRS = ((159, 145), (386, 374), (158, 153), (385, 380))
LIP_PAIRS = ((82, 87), (13, 14), (312, 317))
UPPER_RED = ((37, 82), (0, 13), (267, 312))  # outer rim and inner rim of the upper lip
LOWER_RED = ((87, 84), (14, 17), (317, 314))


@dataclass(frozen=True)
class Measures:
    """Change of one face against itself at rest. Rises are upwards."""

    cheek_rise: float
    aperture: float  # share: -0.2 is a fifth narrower
    lower_lid_rise: float
    corner_rise: float  # mean of both corners
    corner_lead: float  # left corner's rise less the right one's
    mouth_width: float  # share
    lip_gap: float
    red_height: float  # share of the height of both reds
    upper_lip_rise: float  # of the rim, over the philtrum's foot
    inner_brow_rise: float
    outer_brow_rise: float
    brow_distance: float  # share, between the brows' heads
    wing_rise: float

    def rounded(self) -> dict[str, float]:
        return {field.name: round(float(getattr(self, field.name)), 3) for field in fields(self)}


def measure(face: Array, rest: Array) -> Measures:
    """Compare two faces [478, 3] of one person in the same coordinates: x right, y down."""
    unit = float(np.linalg.norm(rest[lm.LEFT_OUTER_EYE] - rest[lm.RIGHT_OUTER_EYE]))

    def rise(points: tuple[int, ...]) -> float:
        return float((rest[list(points), 1] - face[list(points), 1]).mean() / unit)

    def share(pairs: tuple[tuple[int, int], ...]) -> float:
        return _length(face, pairs) / max(1e-6, _length(rest, pairs)) - 1

    return Measures(
        cheek_rise=rise(CHEEKS), aperture=share(LID_PAIRS), lower_lid_rise=rise((145, 153, 374, 380)),
        corner_rise=rise((61, 291)), corner_lead=rise((291,)) - rise((61,)), mouth_width=share(((61, 291),)),
        lip_gap=(_length(face, LIP_PAIRS) - _length(rest, LIP_PAIRS)) / unit,
        red_height=share(UPPER_RED + LOWER_RED), upper_lip_rise=rise((37, 0, 267)),
        inner_brow_rise=rise(INNER_BROWS), outer_brow_rise=rise(OUTER_BROWS), brow_distance=share(((55, 285),)),
        wing_rise=rise(NOSE_WINGS),
    )  # fmt: skip


def _length(face: Array, pairs: tuple[tuple[int, int], ...]) -> float:
    return float(np.mean([np.linalg.norm(face[a, :2] - face[b, :2]) for a, b in pairs]))


def is_joy(m: Measures) -> bool:
    """6 + 12: cheeks up, eyes narrower, both corners up. A smile of the mouth alone leaves the eyes open."""
    return m.cheek_rise >= 0.04 and m.aperture <= -0.20 and m.corner_rise >= 0.02 and abs(m.corner_lead) < 0.02


def is_sadness(m: Measures) -> bool:
    """1 + 4 + 15: the brows' heads rise and the outer ends do not, the corners go down."""
    slant = m.inner_brow_rise - m.outer_brow_rise
    return m.inner_brow_rise >= 0.02 and slant >= 0.02 and m.corner_rise <= -0.02 and m.lip_gap < 0.03


def is_anger(m: Measures) -> bool:
    """4 + 7 + 23: brows down and together, lower lids up, lips thin; the nose does not wrinkle."""
    brows = m.inner_brow_rise <= -0.025 and m.brow_distance <= -0.08
    return brows and m.lower_lid_rise >= 0.005 and m.red_height <= -0.12 and m.wing_rise < 0.02


def is_surprise(m: Measures) -> bool:
    """1 + 2 + 5 + 26: the whole brow up, eyes wider, the jaw down, the mouth no wider."""
    brows = min(m.inner_brow_rise, m.outer_brow_rise) >= 0.025
    return brows and m.aperture >= 0.08 and m.lip_gap >= 0.03 and m.mouth_width < 0.06


def is_fear(m: Measures) -> bool:
    """1 + 2 + 4 + 5 + 20: brows up and together, most at their heads, eyes wider, the mouth drawn out sideways."""
    brows = m.inner_brow_rise >= 0.015 and m.brow_distance < 0.02
    return brows and m.aperture >= 0.08 and m.mouth_width >= 0.08 and m.corner_rise < 0.01


def is_disgust(m: Measures) -> bool:
    """9 + 10: wings of the nose and upper lip up, brows not up, the corners do not rise with them."""
    return m.wing_rise >= 0.025 and m.upper_lip_rise >= 0.025 and m.inner_brow_rise < 0.01 and m.corner_rise < 0.02


def is_contempt(m: Measures) -> bool:
    """12 + 14 of one side: one corner rises and goes into the cheek, the other stays; brows stay."""
    return abs(m.corner_lead) >= 0.02 and abs(m.inner_brow_rise) < 0.02 and m.lip_gap < 0.03


def is_neutral(m: Measures) -> bool:
    """Nothing has moved by more than a hundredth of the outer eye distance, or a share by more than 5 %."""
    moved = (m.cheek_rise, m.corner_rise, m.corner_lead, m.lip_gap, m.upper_lip_rise, m.inner_brow_rise,
             m.outer_brow_rise, m.wing_rise)  # fmt: skip
    return max(map(abs, moved)) < 0.01 and max(abs(m.aperture), abs(m.mouth_width), abs(m.red_height)) < 0.05


TESTS: dict[str, Callable[[Measures], bool]] = {
    "neutral": is_neutral, "joy": is_joy, "sadness": is_sadness, "anger": is_anger, "surprise": is_surprise,
    "fear": is_fear, "disgust": is_disgust, "contempt": is_contempt,
}  # fmt: skip


def seen_in(face: Array, rest: Array) -> tuple[str, ...]:
    """Every emotion whose test the face passes."""
    found = measure(face, rest)
    return tuple(name for name, passes in TESTS.items() if passes(found))
