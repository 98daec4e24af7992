"""Facial controls: what each one means as a movement of landmarks, and how a person's own face does it.

A control is authored once, for every face, as a displacement field in units of the outer eye distance, with a
confidence per point. For a person it becomes (1) the most probable coefficients of their own shape space given that
displacement, so that cheeks, chin and colours follow as they do in the footage, and (2) the part of the authored
movement the footage does not contain, kept at the confident points only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks as lm
from rendering.engine.face_space import FaceSpace

Array = np.ndarray[Any, np.dtype[Any]]

NAMES = (
    "jaw", "pucker", "funnel", "stretch", "upper_up", "lower_down", "lip_roll", "press",
    "smile_right", "smile_left", "corner_down", "chin_raise",
    "inner_brow_up", "outer_brow_up", "brow_down", "cheek_raise", "nose_wrinkle",
    "lid_up", "lid_tight", "blink_right", "blink_left", "gaze_x", "gaze_y",
)  # fmt: skip
INDEX = {name: position for position, name in enumerate(NAMES)}
DEFAULT_JAW_GAP = 0.22  # inner lip opening at jaw 1 where the footage says nothing, in outer eye distances
NOISE = 0.015  # how exactly authored points are to be met, in outer eye distances
FARTHEST = 4.0  # a control at amount 1 goes no farther than this many deviations within the seen shapes


@dataclass(frozen=True)
class ControlBasis:
    """A person's own way to do each of the A controls at amount 1."""

    coefficients: Array  # [A, K] change of the shape coefficients
    residuals: Array  # [A, 478, 3] movement beyond the seen shapes, canonical pixels


class _Field:
    """A displacement in outer eye distances [478, 3] with a confidence [478]."""

    def __init__(self, points: Array) -> None:
        self.points = points  # [478, 3] neutral face, outer eye distances
        self.move = np.zeros_like(points)
        self.sure = np.zeros(len(points), np.float32)

    def put(self, indices: tuple[int, ...], move: Array | tuple[float, float, float], sure: float = 1.0) -> None:
        """Set the movement of some points."""
        self.move[list(indices)] = move
        self.sure[list(indices)] = sure

    def around(self, anchors: tuple[int, ...], move: tuple[float, float, float], reach: float, sure: float) -> None:
        """Add a movement that fades with the distance from the nearest anchor."""
        gaps = np.linalg.norm(self.points[:, None, :2] - self.points[None, list(anchors), :2], axis=2).min(1)
        fade = np.exp(-0.5 * (gaps / reach) ** 2)
        self.move += fade[:, None] * np.array(move, np.float32)
        self.sure = np.maximum(self.sure, sure * fade).astype(np.float32)


def build(space: FaceSpace, jaw_gap: float = DEFAULT_JAW_GAP) -> ControlBasis:
    """Fit every control to a person.

    Args:
        space: the person's shapes. jaw_gap: their widest usual lip opening, in outer eye distances.
    """
    rest = space.mean + np.tensordot(space.neutral, space.basis, 1)
    unit = space.inter_ocular
    flat = space.basis.reshape(len(space.basis), -1) / unit
    prior = np.diag(1.0 / np.maximum(space.deviations, 1e-3) ** 2)
    coefficients, residuals = [], []
    for name in NAMES:
        field = author(name, (rest / unit).astype(np.float32), jaw_gap)
        weight = np.repeat(field.sure / NOISE**2 / 12, 3)
        found = np.linalg.solve((flat * weight) @ flat.T + prior, (flat * weight) @ field.move.ravel())
        missing = field.move.ravel() - found @ flat
        # A face that moves less than the authored one gets the whole movement scaled to its own range.
        scale = min(1.0, FARTHEST / max(1e-6, float(np.linalg.norm(found / space.deviations))))
        coefficients.append(scale * found)
        residuals.append(scale * (missing * np.repeat(field.sure, 3)).reshape(-1, 3) * unit)
    return ControlBasis(np.array(coefficients, np.float32), np.array(residuals, np.float32))


def author(name: str, points: Array, jaw_gap: float) -> _Field:
    """The authored movement of one control for a neutral face [478, 3] in outer eye distances."""
    field = _Field(points)
    makers: dict[str, Callable[[], None]] = {
        "jaw": lambda: _jaw(field, jaw_gap),
        "pucker": lambda: _narrow(field, 0.10, 0.04, 0.012),
        "funnel": lambda: _narrow(field, 0.055, 0.04, 0.035),
        "stretch": lambda: _widen(field, 0.075, 0.0),
        "upper_up": lambda: _lip_lift(field, lm.UPPER_LIP, -0.06),
        "lower_down": lambda: _lip_lift(field, lm.LOWER_LIP, 0.06),
        "lip_roll": lambda: _roll(field),
        "press": lambda: _press(field),
        "smile_right": lambda: _corner(field, -1, (0.085, -0.085)),
        "smile_left": lambda: _corner(field, 1, (0.085, -0.085)),
        "corner_down": lambda: _corners(field, (0.01, 0.06)),
        "chin_raise": lambda: field.around((lm.CHIN, 175, 199, 17), (0.0, -0.035, -0.01), 0.12, 0.7),
        "inner_brow_up": lambda: field.around((55, 107, 285, 336), (0.0, -0.10, 0.0), 0.11, 0.8),
        "outer_brow_up": lambda: field.around((46, 70, 63, 276, 300, 293), (0.0, -0.10, 0.0), 0.11, 0.8),
        "brow_down": lambda: _brow_down(field),
        "cheek_raise": lambda: _cheeks(field),
        "nose_wrinkle": lambda: _wrinkle(field),
        "lid_up": lambda: _lids(field, upper=-0.28, lower=0.03, sides=(True, True)),
        "lid_tight": lambda: _lids(field, upper=0.22, lower=-0.16, sides=(True, True)),
        "blink_right": lambda: _lids(field, upper=0.96, lower=-0.04, sides=(True, False)),
        "blink_left": lambda: _lids(field, upper=0.96, lower=-0.04, sides=(False, True)),
        "gaze_x": lambda: field.put(lm.RIGHT_IRIS + lm.LEFT_IRIS, (0.133, 0.0, 0.0)),
        "gaze_y": lambda: _look_down(field),
    }
    makers[name]()
    return field


def _across(points: Array, indices: tuple[int, ...]) -> Array:
    """[n] position between the mouth corners: -1 at the person's right one, +1 at the left one."""
    right, left = points[61, 0], points[291, 0]
    return np.asarray((points[list(indices), 0] - 0.5 * (right + left)) / (0.5 * (left - right)))


def _jaw(field: _Field, gap: float) -> None:
    lower_jaw = (lm.CHIN, 148, 377, 176, 400, 175, 171, 396, 199, 208, 428, 200, 201, 421, 18)
    field.around(lower_jaw, (0.0, 0.5 * gap, 0.4 * gap), 0.10, 0.25)
    u = _across(field.points, lm.LOWER_LIP)
    field.put(lm.LOWER_LIP, (1 - 0.7 * u**2)[:, None] * np.array([0.0, 0.95 * gap, 0.35 * gap]))
    u = _across(field.points, lm.UPPER_LIP)
    field.put(lm.UPPER_LIP, (1 - u**2)[:, None] * np.array([0.0, -0.05 * gap, 0.0]) + [0.0, 0.04 * gap, 0.0])
    field.put(lm.RIGHT_CORNER, (0.05 * gap, 0.27 * gap, 0.15 * gap), 0.6)
    field.put(lm.LEFT_CORNER, (-0.05 * gap, 0.27 * gap, 0.15 * gap), 0.6)


def _narrow(field: _Field, inward: float, forward: float, open_by: float) -> None:
    for lips, sign in ((lm.UPPER_LIP, -1.0), (lm.LOWER_LIP, 1.0)):
        u = _across(field.points, lips)
        lift = np.stack([-inward * u, sign * open_by * (1 - u**2), -forward * np.ones_like(u)], axis=1)
        field.put(lips, lift)
    field.put(lm.RIGHT_CORNER, (inward, 0.0, -0.6 * forward))
    field.put(lm.LEFT_CORNER, (-inward, 0.0, -0.6 * forward))


def _widen(field: _Field, outward: float, up: float) -> None:
    for lips in (lm.UPPER_LIP, lm.LOWER_LIP):
        u = _across(field.points, lips)
        field.put(lips, np.stack([outward * u, -up * u**2, 0.02 * np.abs(u)], axis=1))
    field.put(lm.RIGHT_CORNER, (-outward, -up, 0.02))
    field.put(lm.LEFT_CORNER, (outward, -up, 0.02))


def _lip_lift(field: _Field, lips: tuple[int, ...], down: float) -> None:
    u = _across(field.points, lips)
    field.put(lips, np.stack([0 * u, down * np.clip(1 - u**2, 0, 1) ** 0.7, 0 * u], axis=1))


def _roll(field: _Field) -> None:
    # The lower lip goes up and in under the upper teeth, the upper lip clears the way.
    u = _across(field.points, lm.LOWER_INNER_LIP + lm.LOWER_UPPER_LIP + lm.LOWER_MIDDLE_LIP)
    rise = np.stack([0 * u, -0.05 * (1 - u**2), 0.04 * (1 - u**2)], axis=1)
    field.put(lm.LOWER_INNER_LIP + lm.LOWER_UPPER_LIP + lm.LOWER_MIDDLE_LIP, rise)
    _lip_lift_more(field, lm.UPPER_LIP, -0.025)
    u = _across(field.points, lm.LOWER_OUTER_LIP)
    field.put(lm.LOWER_OUTER_LIP, np.stack([0 * u, -0.02 * (1 - u**2), 0.03 * (1 - u**2)], axis=1))


def _lip_lift_more(field: _Field, lips: tuple[int, ...], down: float) -> None:
    u = _across(field.points, lips)
    field.move[list(lips), 1] += down * np.clip(1 - u**2, 0, 1)
    field.sure[list(lips)] = 1.0


def _press(field: _Field) -> None:
    _lip_lift(field, lm.UPPER_OUTER_LIP + lm.UPPER_MIDDLE_LIP, 0.022)
    _lip_lift_more(field, lm.LOWER_OUTER_LIP + lm.LOWER_MIDDLE_LIP, -0.022)


def _corner(field: _Field, side: int, move: tuple[float, float]) -> None:
    """Pull one mouth corner (side -1: the person's right) outwards and down by `move`; lips and cheek follow."""
    corner = lm.RIGHT_CORNER if side < 0 else lm.LEFT_CORNER
    lips = lm.UPPER_LIP + lm.LOWER_LIP
    u = np.clip(_across(field.points, lips) * side, 0, 1)
    pull = np.stack([side * move[0] * u**1.5, move[1] * u**2, 0.02 * u**2], axis=1)
    field.move[list(lips)] += pull
    field.sure[list(lips)] = 1.0
    field.move[list(corner)] += np.array([side * move[0], move[1], 0.02], np.float32)
    field.sure[list(corner)] = 1.0
    cheek = (205, 207, 187, 216) if side < 0 else (425, 427, 411, 436)
    before = field.move[list(lips + corner)].copy()
    field.around(cheek, (side * 0.35 * move[0], 0.5 * move[1], 0.0), 0.09, 0.5)
    field.move[list(lips + corner)] = before


def _corners(field: _Field, move: tuple[float, float]) -> None:
    _corner(field, -1, move)
    _corner(field, 1, move)


def _brow_down(field: _Field) -> None:
    field.around((55, 107, 65), (0.025, 0.075, 0.0), 0.09, 0.8)
    field.around((285, 336, 295), (-0.025, 0.075, 0.0), 0.09, 0.8)
    field.around((105, 334, 52, 282), (0.0, 0.04, 0.0), 0.07, 0.6)


def _cheeks(field: _Field) -> None:
    field.around((50, 101, 118, 117), (-0.01, -0.07, -0.02), 0.11, 0.7)
    field.around((280, 330, 347, 346), (0.01, -0.07, -0.02), 0.11, 0.7)
    _lids(field, upper=0.06, lower=-0.24, sides=(True, True))


def _wrinkle(field: _Field) -> None:
    field.around((48, 64, 98, 278, 294, 327), (0.0, -0.04, 0.0), 0.07, 0.7)
    field.around((193, 417, 122, 351), (0.0, -0.02, 0.0), 0.07, 0.5)
    _lip_lift(field, lm.UPPER_LIP, -0.025)


def _lids(field: _Field, *, upper: float, lower: float, sides: tuple[bool, bool]) -> None:
    """Move the lids by shares of the eye's own opening: positive is down."""
    rows = (
        (lm.RIGHT_UPPER_LID, lm.RIGHT_LOWER_LID, lm.RIGHT_LID_FOLD, lm.RIGHT_UNDER_LID),
        (lm.LEFT_UPPER_LID, lm.LEFT_LOWER_LID, lm.LEFT_LID_FOLD, lm.LEFT_UNDER_LID),
    )
    for (top, bottom, fold, under), wanted in zip(rows, sides, strict=True):
        if not wanted:
            continue
        opening = field.points[list(bottom)] - field.points[list(top)]
        field.put(top, upper * opening)
        field.put(bottom, lower * opening)
        field.put(fold, 0.35 * upper * opening, 0.6)
        field.put(under, 0.5 * lower * opening, 0.6)


def _look_down(field: _Field) -> None:
    field.put(lm.RIGHT_IRIS + lm.LEFT_IRIS, (0.0, 0.133, 0.0))
    for lid in (lm.RIGHT_UPPER_LID, lm.LEFT_UPPER_LID):
        arch = np.sin(np.linspace(0.15, 0.85, len(lid)) * np.pi)
        field.put(lid, arch[:, None] * np.array([0.0, 0.075, 0.0]), 0.8)
