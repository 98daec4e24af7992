"""The table of action units: number, name in FACS, and the facial controls that carry it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rendering.engine.motion.action_units import lower, upper
from rendering.engine.motion.action_units.field import Field


@dataclass(frozen=True)
class ActionUnit:
    """One action unit of FACS. `controls`: the person's right half and left half where they move apart, else one."""

    number: int
    name: str
    controls: tuple[str, ...]


UNITS = {unit.number: unit for unit in (
    ActionUnit(1, "inner brow raiser", ("inner_brow_up",)),
    ActionUnit(2, "outer brow raiser", ("outer_brow_up",)),
    ActionUnit(4, "brow lowerer", ("brow_down",)),
    ActionUnit(5, "upper lid raiser", ("lid_up",)),
    ActionUnit(6, "cheek raiser", ("cheek_raise",)),
    ActionUnit(7, "lid tightener", ("lid_tight",)),
    ActionUnit(9, "nose wrinkler", ("nose_wrinkle",)),
    ActionUnit(10, "upper lip raiser", ("lip_raise",)),
    ActionUnit(12, "lip corner puller", ("smile_right", "smile_left")),
    ActionUnit(14, "dimpler", ("dimple_right", "dimple_left")),
    ActionUnit(15, "lip corner depressor", ("corner_down",)),
    ActionUnit(17, "chin raiser", ("chin_raise",)),
    ActionUnit(20, "lip stretcher", ("lip_stretch",)),
    ActionUnit(23, "lip tightener", ("lip_tighten",)),
    ActionUnit(25, "lips part", ("lips_part",)),
    ActionUnit(26, "jaw drop", ("jaw_drop",)),
)}  # fmt: skip
CONTROLS = tuple(name for unit in UNITS.values() for name in unit.controls)

# The jaw of AU 26 is drawn by the same rule as the jaw of speech, with the person's own opening: see `controls`.
MAKERS: dict[str, Callable[[Field], None]] = {
    "inner_brow_up": upper.inner_brow_raiser,
    "outer_brow_up": upper.outer_brow_raiser,
    "brow_down": upper.brow_lowerer,
    "lid_up": upper.upper_lid_raiser,
    "cheek_raise": upper.cheek_raiser,
    "lid_tight": upper.lid_tightener,
    "nose_wrinkle": upper.nose_wrinkler,
    "lip_raise": upper.lip_raiser,
    "smile_right": lambda field: lower.lip_corner_puller(field, lower.RIGHT),
    "smile_left": lambda field: lower.lip_corner_puller(field, lower.LEFT),
    "dimple_right": lambda field: lower.dimpler(field, lower.RIGHT),
    "dimple_left": lambda field: lower.dimpler(field, lower.LEFT),
    "corner_down": lower.lip_corner_depressor,
    "chin_raise": lower.chin_raiser,
    "lip_stretch": lower.lip_stretcher,
    "lip_tighten": lower.lip_tightener,
    "lips_part": lower.lips_part,
}
