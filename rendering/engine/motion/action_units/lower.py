"""Action units of lips, mouth corners, chin and jaw. Sizes and axes as in `upper`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rendering.engine import landmarks as lm
from rendering.engine.motion.action_units.field import Field, Move, across_mouth, lift
from rendering.engine.motion.action_units.sides import both, left_of

MOUTH_REACH = 0.07
RIGHT, LEFT = -1, 1
_STILL = (*lm.STABLE, 98, 327, 1, 2, 118, 347)


def lip_corner_puller(field: Field, side: int) -> None:
    """AU 12 of one side, zygomaticus major: the corner goes out and up, the cheek's lower part follows."""
    _pull_corner(field, side, (-0.082, -0.085, 0.030), {
        57: (-0.086, -0.085, 0.030), 186: (-0.070, -0.070, 0.020), 92: (-0.040, -0.045, 0.010),
        216: (-0.075, -0.070, 0.005), 207: (-0.055, -0.055), 206: (-0.032, -0.045), 205: (-0.024, -0.040, -0.008),
        187: (-0.026, -0.028), 212: (-0.075, -0.062, 0.020), 214: (-0.045, -0.035, 0.010), 202: (-0.052, -0.046, 0.012),
        43: (-0.060, -0.055, 0.018), 203: (-0.014, -0.026), 50: (-0.008, -0.022), 36: (-0.008, -0.024),
        101: (0.0, -0.010),
        192: (-0.022, -0.014), 106: (-0.032, -0.030), 204: (-0.024, -0.020), 123: (-0.004, -0.012),
        147: (-0.010, -0.008),
        129: (-0.012, -0.012), 210: (-0.026, -0.016), 165: (-0.014, -0.018), 211: (-0.012, -0.006),
    })  # fmt: skip


def dimpler(field: Field, side: int) -> None:
    """AU 14 of one side, buccinator: the corner is pressed into the cheek and tightened."""
    _pull_corner(field, side, (-0.050, -0.012, 0.045), {
        57: (-0.050, -0.010, 0.050), 186: (-0.032, -0.022, 0.030), 212: (-0.036, 0.0, 0.034),
        216: (-0.016, -0.022, 0.010), 207: (-0.006, -0.010, -0.006), 43: (-0.038, 0.002, 0.030),
        202: (-0.022, 0.004, 0.010),
        214: (-0.012, 0.0), 92: (-0.016, -0.012, 0.010), 206: (-0.004, -0.012), 187: (0.0, -0.006, -0.008),
    }, bend=1.5)  # fmt: skip


def lip_corner_depressor(field: Field) -> None:
    """AU 15, triangularis: the corners are drawn down."""
    knots: dict[int, Move] = {
        57: (-0.004, 0.068), 186: (-0.002, 0.042), 92: (0.0, 0.018), 216: (-0.004, 0.038), 207: (-0.002, 0.022),
        212: (-0.004, 0.060), 214: (-0.002, 0.030), 43: (-0.002, 0.062), 202: (-0.002, 0.046), 106: (0.0, 0.032),
        204: (0.0, 0.026), 210: (0.0, 0.024), 211: (0.0, 0.014), 206: (0.0, 0.014), 192: (0.0, 0.012),
    }  # fmt: skip
    for side in (RIGHT, LEFT):
        _pull_corner(field, side, (-0.002, 0.072, 0.0), knots, bend=2.6)


def chin_raiser(field: Field) -> None:
    """AU 17, mentalis: the chin's boss rises and pushes the lower lip up and out."""
    field.skin(both({
        199: (0.0, -0.046, -0.014), 175: (0.0, -0.036, -0.008), 200: (0.0, -0.054, -0.018), 201: (0.0, -0.050, -0.016),
        18: (0.0, -0.050, -0.020), 83: (0.0, -0.046, -0.018), 182: (0.0, -0.036, -0.012), 194: (0.0, -0.040, -0.010),
        208: (0.0, -0.038, -0.008), 32: (0.0, -0.018), 171: (0.0, -0.024), 204: (0.0, -0.016), 106: (0.0, -0.016),
        152: (0.0, -0.016), 148: (0.0, -0.012), 140: (0.0, -0.010),
    }), MOUTH_REACH, still=(57, 287, 43, 273, 164), without=lm.LIPS)  # fmt: skip
    lift(field, lm.LOWER_OUTER_LIP, -0.044, -0.026, forward=0.024)
    lift(field, lm.LOWER_MIDDLE_LIP, -0.036, -0.022, forward=0.022)
    lift(field, lm.LOWER_UPPER_LIP + lm.LOWER_INNER_LIP, -0.024, -0.014, forward=0.014)
    lift(field, lm.UPPER_LIP, -0.018, -0.010)


def lip_stretcher(field: Field) -> None:
    """AU 20, risorius: the corners are drawn back sideways and the lips flatten."""
    knots: dict[int, Move] = {
        57: (-0.085, 0.022, 0.030), 186: (-0.058, 0.010, 0.016), 92: (-0.030, 0.004), 216: (-0.055, 0.010),
        207: (-0.036, 0.006), 206: (-0.016, 0.0), 212: (-0.076, 0.030, 0.022), 214: (-0.056, 0.022, 0.010),
        43: (-0.066, 0.030, 0.016), 202: (-0.060, 0.030, 0.010), 106: (-0.040, 0.022), 204: (-0.034, 0.022),
        210: (-0.046, 0.026), 211: (-0.026, 0.018), 192: (-0.034, 0.012), 187: (-0.018, 0.0),
    }  # fmt: skip
    for side in (RIGHT, LEFT):
        _pull_corner(field, side, (-0.085, 0.024, 0.030), knots, bend=1.2)
    _thin(field, 0.010)


def lip_tightener(field: Field) -> None:
    """AU 23, orbicularis oris: the lips narrow and roll in, their red grows thin."""
    _thin(field, 0.036)
    for side in (RIGHT, LEFT):
        _pull_corner(field, side, (0.022, 0.0, 0.0), {
            57: (0.014, 0.0), 186: (0.010, 0.004), 43: (0.010, -0.006), 212: (0.008, 0.0), 92: (0.004, 0.008),
            106: (0.004, -0.012), 165: (0.0, 0.010), 182: (0.0, -0.014),
        }, bend=1.0)  # fmt: skip
    field.skin(
        {164: (0.0, 0.012), 167: (0.0, 0.014), 393: (0.0, 0.014), 18: (0.0, -0.020), 83: (0.0, -0.020),
         313: (0.0, -0.020)},
        MOUTH_REACH, still=_STILL, without=lm.LIPS,
    )  # fmt: skip


def lips_part(field: Field) -> None:
    """AU 25: the lips let go of each other."""
    lift(field, lm.UPPER_LIP, -0.022, -0.016)
    lift(field, lm.LOWER_LIP, 0.046, 0.034)
    field.skin(
        {18: (0.0, 0.020), 83: (0.0, 0.018), 313: (0.0, 0.018), 200: (0.0, 0.010)},
        MOUTH_REACH, still=(*_STILL, 57, 287), without=lm.LIPS,
    )  # fmt: skip


def _thin(field: Field, by: float) -> None:
    """The outer rims of both lips move towards the opening and in."""
    rows = (
        (lm.UPPER_OUTER_LIP, 1.0), (lm.UPPER_MIDDLE_LIP, 0.55), (lm.UPPER_LOWER_LIP, 0.2),
        (lm.LOWER_OUTER_LIP, -1.1), (lm.LOWER_MIDDLE_LIP, -0.6), (lm.LOWER_UPPER_LIP, -0.2),
    )  # fmt: skip
    for row, share in rows:
        u = across_mouth(field.points, row)
        shape = 1 - 0.5 * np.clip(np.abs(u), 0, 1)
        field.add(row, np.stack([0 * u, share * by * shape, 0.5 * abs(share) * by * shape], axis=1))


def _pull_corner(
    field: Field, side: int, move: tuple[float, float, float], knots: Mapping[int, Move], bend: float = 1.8
) -> None:
    """Move one mouth corner; the lips follow more the nearer they are, the skin by its knots.

    `move` and `knots` are those of the right corner. `bend`: how late along the lip the movement sets in.
    """
    corner = lm.RIGHT_CORNER if side == RIGHT else lm.LEFT_CORNER
    pull = np.array([-side * move[0], move[1], move[2]], np.float32)
    lips = lm.UPPER_LIP + lm.LOWER_LIP
    share = np.clip(side * across_mouth(field.points, lips), 0, 1) ** bend
    field.add(lips, share[:, None] * pull)
    field.add(corner, pull)
    mine = knots if side == RIGHT else left_of(knots)
    others = (287, 273, 410, 322) if side == RIGHT else (57, 43, 186, 92)
    field.skin(mine, MOUTH_REACH, still=(*_STILL, *others), without=lm.LIPS)
