"""Who a demo person is: proportions and colours. Two are drawn by hand, any number by seed."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Colour = tuple[float, float, float]  # linear RGB


@dataclass(frozen=True)
class Look:
    """Proportions (cm added to, or factors on, the mean face) and colours of one person."""

    name: str = "Asha"
    hair: Literal["bob", "short"] = "bob"
    hair_length: float = 0.0  # cm longer than chin length
    hair_full: float = 1.0
    hair_line: float = 0.0  # cm higher
    part_x: float = 1.9
    head_width: float = 1.0
    head_height: float = 1.0
    face_width: float = 1.0
    jaw_width: float = 0.0
    chin_down: float = 0.0
    chin_out: float = 0.0
    chin_width: float = 0.0
    cheek_width: float = 0.0
    cheek_full: float = 0.0
    eye_apart: float = 0.0
    eye_open: float = 1.0
    nose_width: float = 1.0
    nose_bridge: float = 0.0
    nose_down: float = 0.0
    nose_out: float = 0.0
    nose_tip: float = 1.0
    mouth_width: float = 1.0
    mouth_up: float = 0.0
    lips: float = 1.0
    brow_up: float = 0.0
    brow_arch: float = 1.0
    brow_thick: float = 1.0
    ridge: float = 1.0
    ear: float = 1.0
    skin: Colour = (0.60, 0.36, 0.255)
    lip_colour: Colour = (0.43, 0.175, 0.15)
    hair_colour: Colour = (0.05, 0.026, 0.016)
    iris: Colour = (0.10, 0.055, 0.028)
    cloth: Colour = (0.035, 0.13, 0.16)


LOOK_A = Look(
    face_width=0.955, jaw_width=-0.75, chin_down=-0.65, chin_width=-0.30, cheek_width=-0.22, cheek_full=0.15,
    eye_open=1.03, eye_apart=-0.05, nose_width=0.86, nose_tip=0.92, nose_out=-0.25, nose_down=-0.15, mouth_up=0.05,
    lips=1.28, brow_thick=0.84, brow_arch=1.5, brow_up=0.08, ridge=0.9, hair_full=1.02,
)  # fmt: skip
LOOK_B = Look(
    name="Ben", hair="short", face_width=1.035, jaw_width=0.6, chin_down=0.7, chin_width=0.35, chin_out=0.2,
    cheek_width=0.2, eye_apart=-0.14, eye_open=0.94, nose_width=1.2, nose_down=0.3, nose_out=0.2, nose_tip=1.08,
    mouth_width=1.08, lips=0.95, brow_thick=1.12, brow_up=-0.15, ridge=1.15, hair_line=0.4,
    skin=(0.33, 0.165, 0.10), lip_colour=(0.30, 0.10, 0.085), hair_colour=(0.014, 0.010, 0.008),
    iris=(0.07, 0.035, 0.018), cloth=(0.30, 0.09, 0.06),
)  # fmt: skip

# Complexions: a skin and the hair colours that go with it.
COMPLEXIONS: tuple[tuple[Colour, tuple[Colour, ...]], ...] = (
    ((0.64, 0.40, 0.29), ((0.05, 0.026, 0.016), (0.23, 0.12, 0.05), (0.20, 0.055, 0.022))),
    ((0.60, 0.36, 0.255), ((0.05, 0.026, 0.016), (0.11, 0.05, 0.022), (0.30, 0.29, 0.28))),
    ((0.50, 0.29, 0.19), ((0.03, 0.017, 0.011), (0.11, 0.05, 0.022))),
    ((0.42, 0.22, 0.135), ((0.014, 0.010, 0.008), (0.03, 0.017, 0.011))),
    ((0.33, 0.165, 0.10), ((0.014, 0.010, 0.008), (0.03, 0.017, 0.011))),
    ((0.22, 0.105, 0.065), ((0.014, 0.010, 0.008), (0.22, 0.215, 0.21))),
)
IRISES: tuple[Colour, ...] = ((0.07, 0.035, 0.018), (0.10, 0.055, 0.028), (0.09, 0.13, 0.17), (0.09, 0.12, 0.06))
CLOTHS: tuple[Colour, ...] = (
    (0.035, 0.13, 0.16), (0.30, 0.09, 0.06), (0.06, 0.07, 0.20), (0.08, 0.14, 0.07), (0.22, 0.16, 0.10),
    (0.16, 0.05, 0.12), (0.42, 0.40, 0.36),
)  # fmt: skip

# How far each proportion may lie from the mean face (standard deviation). Wide enough that ten people differ for the
# tracker, narrow enough that every one is found in every frame.
SPREAD: dict[str, float] = {
    "head_width": 0.03, "head_height": 0.03, "face_width": 0.04, "jaw_width": 0.45, "chin_down": 0.50, "chin_out": 0.22,
    "chin_width": 0.28, "cheek_width": 0.30, "cheek_full": 0.22, "eye_apart": 0.20, "eye_open": 0.07,
    "nose_width": 0.13, "nose_bridge": 0.16, "nose_down": 0.32, "nose_out": 0.20, "nose_tip": 0.09,
    "mouth_width": 0.08, "mouth_up": 0.16, "lips": 0.13, "brow_up": 0.14, "brow_arch": 0.3, "brow_thick": 0.12,
    "ridge": 0.08, "ear": 0.06, "hair_line": 0.25, "hair_length": 1.8,
}  # fmt: skip


def look_of(name_or_seed: str | int) -> Look:
    """ "A" (Asha), "B" (Ben), or the person drawn by a seed. The same seed is the same person everywhere."""
    if name_or_seed == "A":
        return LOOK_A
    if name_or_seed == "B":
        return LOOK_B
    if isinstance(name_or_seed, str):
        raise ValueError(f'A demo person is "A", "B" or a whole number, not {name_or_seed!r}.')
    return _drawn(name_or_seed)


def _drawn(seed: int) -> Look:
    rng = np.random.default_rng([seed, 0x7EAD])
    base = LOOK_A if rng.random() < 0.5 else LOOK_B
    # Cut at two deviations: a rare extreme would be a caricature.
    moved = {
        name: getattr(base, name) + spread * float(np.clip(rng.standard_normal(), -2, 2))
        for name, spread in SPREAD.items()
    }
    skin, hairs = COMPLEXIONS[rng.integers(len(COMPLEXIONS))]
    lip = (skin[0] * 0.78, skin[1] * 0.52, skin[2] * 0.60)
    return replace(
        base, name=f"Person {seed}", **moved, part_x=float(rng.choice([-1.9, 1.9])), skin=skin, lip_colour=lip,
        hair_colour=hairs[rng.integers(len(hairs))], iris=IRISES[rng.integers(len(IRISES))],
        cloth=CLOTHS[rng.integers(len(CLOTHS))],
    )  # fmt: skip
