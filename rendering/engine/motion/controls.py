"""Facial controls: what each one means as a movement of landmarks, and how a person's own face does it.

A control is authored once, for every face, as a displacement field in units of the outer eye distance, with a
confidence per point. It is transferred by drawing it on the person's own neutral points (their mouth corners, their
lid openings), and then blended with the footage: the share of it that the person's shape space explains is done the
way their footage does it, so that cheeks, chin and colours follow; at each point the rest is added with the field's
confidence there (1: the point goes exactly where it was drawn; 0: it goes where the footage takes it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine import landmarks as lm
from rendering.engine.face_space import FaceSpace
from rendering.engine.motion.action_units import units
from rendering.engine.motion.action_units.field import Field, across_mouth
from rendering.engine.motion.action_units.upper import lids

Array = np.ndarray[Any, np.dtype[Any]]

_OF_SPEECH = ("jaw", "pucker", "funnel", "stretch", "upper_up", "lower_down", "lip_roll", "press")
_OF_EYES = ("blink_right", "blink_left", "gaze_x", "gaze_y")
NAMES = (*_OF_SPEECH, *units.CONTROLS, *_OF_EYES)
INDEX = {name: position for position, name in enumerate(NAMES)}
DEFAULT_JAW_GAP = 0.22  # inner lip opening at jaw 1 where the footage says nothing, in outer eye distances
NOISE = 0.015  # how exactly authored points are to be met, in outer eye distances
UNIT_NOISE = 0.03  # the same for action units: met more exactly, they would ask for rare shapes and their colours
STILL = 0.5  # confidence of an action unit in points that it does not name: half of the footage stays there
FARTHEST = 4.0  # a control at amount 1 goes no farther than this many deviations within the seen shapes


@dataclass(frozen=True)
class ControlBasis:
    """A person's own way to do each of the A controls at amount 1."""

    coefficients: Array  # [A, K] change of the shape coefficients
    residuals: Array  # [A, 478, 3] movement beyond the seen shapes, canonical pixels


def build(space: FaceSpace, jaw_gap: float = DEFAULT_JAW_GAP) -> ControlBasis:
    """Fit every control to a person.

    Args:
        space: the person's shapes. jaw_gap: their widest usual lip opening, in outer eye distances.
    """
    rest = ((space.mean + np.tensordot(space.neutral, space.basis, 1)) / space.inter_ocular).astype(np.float32)
    blended = [_blend(space, name, author(name, rest, jaw_gap)) for name in NAMES]
    coefficients, residuals = zip(*blended, strict=True)
    return ControlBasis(np.array(coefficients, np.float32), np.array(residuals, np.float32))


def _blend(space: FaceSpace, name: str, field: Field) -> tuple[Array, Array]:
    """Coefficients [K] and residual [478, 3] (canonical pixels) of one authored movement."""
    unit = space.inter_ocular
    flat = space.basis.reshape(len(space.basis), -1) / unit
    prior = np.diag(1.0 / np.maximum(space.deviations, 1e-3) ** 2)
    if name in units.MAKERS:
        return _blend_unit(space, flat, prior, field)
    weight = np.repeat(field.sure, 3) / NOISE**2 / 12
    found = np.linalg.solve((flat * weight) @ flat.T + prior, (flat * weight) @ field.move.ravel())
    # A face that moves less than the authored one gets the whole movement scaled to its own range.
    scale = _within_reach(space, found)
    missing = scale * (field.move.ravel() - found @ flat)
    return scale * found, (missing * np.repeat(field.sure, 3)).reshape(-1, 3) * unit


def _blend_unit(space: FaceSpace, flat: Array, prior: Array, field: Field) -> tuple[Array, Array]:
    """The same for an action unit, which says of the whole face what it does.

    Its fit weighs all points alike. That makes the fit linear: a sum of units is done the way the footage does the sum,
    not each unit by itself. Lids are left to the drawing: to the footage a half closed eye is half a blink, and its
    iris would take on half of the lid's colour.
    """
    drawn = field.move.copy()
    drawn[list(lm.EYES)] = 0.0
    weight = 1 / UNIT_NOISE**2 / 12
    found = np.linalg.solve(weight * flat @ flat.T + prior, weight * flat @ drawn.ravel())
    found *= _within_reach(space, found)
    missing = field.move.ravel() - found @ flat
    sure = np.maximum(field.sure, STILL)
    sure[list(lm.EYES + lm.LIPS)] = 1.0  # what people look at goes where it was drawn, or stays
    return found, (missing * np.repeat(sure, 3)).reshape(-1, 3) * space.inter_ocular


def _within_reach(space: FaceSpace, found: Array) -> float:
    return min(1.0, FARTHEST / max(1e-6, float(np.linalg.norm(found / space.deviations))))


def author(name: str, points: Array, jaw_gap: float) -> Field:
    """The authored movement of one control for a neutral face [478, 3] in outer eye distances."""
    field = Field(points)
    speech_and_eyes: dict[str, Callable[[Field], None]] = {
        "jaw": lambda field: _jaw(field, jaw_gap),
        "jaw_drop": lambda field: _jaw(field, jaw_gap),
        "pucker": lambda field: _narrow(field, 0.10, 0.04, 0.012),
        "funnel": lambda field: _narrow(field, 0.055, 0.04, 0.035),
        "stretch": _widen,
        "upper_up": lambda field: _lip_lift(field, lm.UPPER_LIP, -0.06),
        "lower_down": lambda field: _lip_lift(field, lm.LOWER_LIP, 0.06),
        "lip_roll": _roll,
        "press": _press,
        "blink_right": lambda field: lids(field, upper=0.96, lower=-0.04, sides=(True, False)),
        "blink_left": lambda field: lids(field, upper=0.96, lower=-0.04, sides=(False, True)),
        "gaze_x": lambda field: field.put(lm.RIGHT_IRIS + lm.LEFT_IRIS, (0.133, 0.0, 0.0)),
        "gaze_y": _look_down,
    }
    {**units.MAKERS, **speech_and_eyes}[name](field)
    return field


def _jaw(field: Field, gap: float) -> None:
    lower_jaw = (lm.CHIN, 148, 377, 176, 400, 175, 171, 396, 199, 208, 428, 200, 201, 421, 18)
    field.around(lower_jaw, (0.0, 0.5 * gap, 0.4 * gap), 0.10, 0.25)
    u = across_mouth(field.points, lm.LOWER_LIP)
    field.put(lm.LOWER_LIP, (1 - 0.7 * u**2)[:, None] * np.array([0.0, 0.95 * gap, 0.35 * gap]))
    u = across_mouth(field.points, lm.UPPER_LIP)
    field.put(lm.UPPER_LIP, (1 - u**2)[:, None] * np.array([0.0, -0.05 * gap, 0.0]) + [0.0, 0.04 * gap, 0.0])
    field.put(lm.RIGHT_CORNER, (0.05 * gap, 0.27 * gap, 0.15 * gap), 0.6)
    field.put(lm.LEFT_CORNER, (-0.05 * gap, 0.27 * gap, 0.15 * gap), 0.6)


def _narrow(field: Field, inward: float, forward: float, open_by: float) -> None:
    for lips, sign in ((lm.UPPER_LIP, -1.0), (lm.LOWER_LIP, 1.0)):
        u = across_mouth(field.points, lips)
        lift = np.stack([-inward * u, sign * open_by * (1 - u**2), -forward * np.ones_like(u)], axis=1)
        field.put(lips, lift)
    field.put(lm.RIGHT_CORNER, (inward, 0.0, -0.6 * forward))
    field.put(lm.LEFT_CORNER, (-inward, 0.0, -0.6 * forward))


def _widen(field: Field, outward: float = 0.075) -> None:
    for lips in (lm.UPPER_LIP, lm.LOWER_LIP):
        u = across_mouth(field.points, lips)
        field.put(lips, np.stack([outward * u, 0 * u, 0.02 * np.abs(u)], axis=1))
    field.put(lm.RIGHT_CORNER, (-outward, 0.0, 0.02))
    field.put(lm.LEFT_CORNER, (outward, 0.0, 0.02))


def _lip_lift(field: Field, lips: tuple[int, ...], down: float) -> None:
    u = across_mouth(field.points, lips)
    field.put(lips, np.stack([0 * u, down * np.clip(1 - u**2, 0, 1) ** 0.7, 0 * u], axis=1))


def _roll(field: Field) -> None:
    # The lower lip goes up and in under the upper teeth, the upper lip clears the way.
    u = across_mouth(field.points, lm.LOWER_INNER_LIP + lm.LOWER_UPPER_LIP + lm.LOWER_MIDDLE_LIP)
    rise = np.stack([0 * u, -0.05 * (1 - u**2), 0.04 * (1 - u**2)], axis=1)
    field.put(lm.LOWER_INNER_LIP + lm.LOWER_UPPER_LIP + lm.LOWER_MIDDLE_LIP, rise)
    _lip_lift_more(field, lm.UPPER_LIP, -0.025)
    u = across_mouth(field.points, lm.LOWER_OUTER_LIP)
    field.put(lm.LOWER_OUTER_LIP, np.stack([0 * u, -0.02 * (1 - u**2), 0.03 * (1 - u**2)], axis=1))


def _lip_lift_more(field: Field, lips: tuple[int, ...], down: float) -> None:
    u = across_mouth(field.points, lips)
    field.move[list(lips), 1] += down * np.clip(1 - u**2, 0, 1)
    field.sure[list(lips)] = 1.0


def _press(field: Field) -> None:
    _lip_lift(field, lm.UPPER_OUTER_LIP + lm.UPPER_MIDDLE_LIP, 0.022)
    _lip_lift_more(field, lm.LOWER_OUTER_LIP + lm.LOWER_MIDDLE_LIP, -0.022)


def _look_down(field: Field) -> None:
    field.put(lm.RIGHT_IRIS + lm.LEFT_IRIS, (0.0, 0.133, 0.0))
    for lid in (lm.RIGHT_UPPER_LID, lm.LEFT_UPPER_LID):
        arch = np.sin(np.linspace(0.15, 0.85, len(lid)) * np.pi)
        field.put(lid, arch[:, None] * np.array([0.0, 0.075, 0.0]), 0.8)
