"""From 468 points of a face to action units. PURE, numpy; the readable truth of viewer/perception/face.js.

Points are those of the MediaPipe face mesh (Kartynnik et al., 2019), in pixels: x right, y down, z away from the camera
(negative is nearer), all in the scale of the picture's width. Distances are taken in a frame of the head's own, built
from points that no expression moves much, and divided by the distance of the outer eye corners. So neither the
camera's distance nor a turned head counts for an expression, as long as the turn is small.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.perception.units import ACTION_UNITS, WEAK_UNITS

Array = NDArray[np.float64]

POINT_COUNT = 468
RIGHT_CORNER, LEFT_CORNER = 33, 263  # outer eye corners, the person's right and left
NOSE_BASE = 2
# Pairs (right, left) of the person.
INNER_CORNERS = (133, 362)
INNER_BROWS = ((55, 107), (285, 336))
OUTER_BROWS = ((46, 70), (276, 300))
UPPER_LIDS = ((158, 159, 160), (385, 386, 387))
LOWER_LIDS = ((144, 145, 153), (380, 374, 373))
CHEEKS = ((50, 205), (280, 425))
NOSE_WINGS = (48, 278)
MOUTH_CORNERS = (61, 291)
LIPS = (0, 13, 14, 17)  # outer upper, inner upper, inner lower, outer lower, on the middle line
CHIN = 152

FEATURES = (
    "brow_inner", "brow_outer", "brow_gap", "lids", "cheek", "nose", "corner_drop", "mouth_width", "lip_thickness",
    "lip_gap", "jaw",
)  # fmt: skip
INDEX = {name: number for number, name in enumerate(FEATURES)}

BASELINE_S = 3.0  # of the first seconds, taken for the resting face
LEAST_BASELINE = 6  # readings
TURN_SURE, TURN_LOST = 0.26, 0.61  # radians: up to 15 degrees a reading is as sure as it gets, from 35 it says nothing

# A unit is a sum of changes of features against the resting face, in eye-corner distances, divided by the change that
# counts as its full strength. Set by hand on one synthetic person's footage; another was held out (docs/perception.md).
FORMULAS: dict[int, tuple[tuple[tuple[str, float], ...], float]] = {
    1: ((("brow_inner", 1.0), ("brow_outer", -0.6)), 0.020),
    2: ((("brow_outer", 1.0),), 0.024),
    4: ((("brow_inner", -0.5), ("brow_outer", -0.5), ("brow_gap", -1.0)), 0.045),
    5: ((("lids", 1.0),), 0.020),
    6: ((("cheek", -1.0), ("lids", -0.3)), 0.020),
    7: ((("lids", -1.0),), 0.030),
    9: ((("nose", -1.0), ("mouth_width", -0.2)), 0.025),
    12: ((("corner_drop", -1.0), ("mouth_width", 0.3)), 0.100),
    15: ((("corner_drop", 1.0), ("lip_gap", -0.3)), 0.030),
    20: ((("mouth_width", 1.0), ("corner_drop", 1.5)), 0.060),
    23: ((("lip_thickness", -1.0), ("lip_gap", -0.3)), 0.025),
    25: ((("lip_gap", 1.0),), 0.080),
    26: ((("jaw", 1.0),), 0.080),
}

# What a nod and a turn still change in a feature, because the depth of the points is a rough guess: per sine of the
# pitch and per square of the sine of the yaw. Least squares over the neutral pictures of one synthetic person.
POSE: dict[str, tuple[float, float]] = {
    "brow_inner": (-0.136, -0.167), "brow_outer": (0.0, -0.086), "lids": (-0.100, 0.0), "cheek": (-0.060, -0.050),
    "nose": (0.0, -0.080), "jaw": (0.096, -0.155), "lip_thickness": (-0.045, 0.0),
}  # fmt: skip


@dataclass(frozen=True)
class FaceFrame:
    """The features of one picture, [len(FEATURES)], and the sines of the head's pitch (down positive) and yaw."""

    features: Array
    pitch: float
    yaw: float

    def turn_from(self, resting: "FaceFrame") -> float:
        """How far the head is turned from the camera, in radians. What pitch faces it, the resting face tells."""
        return float(np.arcsin(min(1.0, np.hypot(self.pitch - resting.pitch, self.yaw))))


def frame_of(points: Any) -> FaceFrame:
    """Features of points [468, 3]."""
    points = np.asarray(points, float)
    centre = (points[RIGHT_CORNER] + points[LEFT_CORNER]) / 2
    across = points[LEFT_CORNER] - points[RIGHT_CORNER]
    unit = float(np.linalg.norm(across))
    right = across / unit
    down = points[NOSE_BASE] - centre
    down = down - right * float(down @ right)
    down = down / float(np.linalg.norm(down))
    away = np.cross(right, down)
    x, y = ((points - centre) @ right) / unit, ((points - centre) @ down) / unit

    def height(numbers: Any) -> float:
        return float(np.mean(y[list(numbers)]))

    brow_inner = np.mean([y[corner] - height(brow) for corner, brow in zip(INNER_CORNERS, INNER_BROWS, strict=True)])
    brow_outer = np.mean([
        y[corner] - height(brow) for corner, brow in zip((RIGHT_CORNER, LEFT_CORNER), OUTER_BROWS, strict=True)])
    lids = np.mean([height(low) - height(up) for up, low in zip(UPPER_LIDS, LOWER_LIDS, strict=True)])
    cheek = np.mean([height(cheek) - height(low) for cheek, low in zip(CHEEKS, LOWER_LIDS, strict=True)])
    nose = np.mean([y[wing] - y[corner] for wing, corner in zip(NOSE_WINGS, INNER_CORNERS, strict=True)])
    top, upper, lower, bottom = (y[number] for number in LIPS)
    values = {
        "brow_inner": brow_inner, "brow_outer": brow_outer, "brow_gap": x[INNER_BROWS[1][0]] - x[INNER_BROWS[0][0]],
        "lids": lids, "cheek": cheek, "nose": nose, "corner_drop": height(MOUTH_CORNERS) - y[NOSE_BASE],
        "mouth_width": x[MOUTH_CORNERS[1]] - x[MOUTH_CORNERS[0]], "lip_thickness": (upper - top) + (bottom - lower),
        "lip_gap": lower - upper, "jaw": y[CHIN] - y[NOSE_BASE],
    }  # fmt: skip
    pitch, yaw = float(away[1]), float(right[2])
    for name, (by_pitch, by_yaw) in POSE.items():
        values[name] = values[name] - by_pitch * pitch - by_yaw * yaw**2
    return FaceFrame(np.array([values[name] for name in FEATURES]), pitch, yaw)


@dataclass
class Resting:
    """The face at rest, learned from the first seconds."""

    began_s: float | None = None
    frames: list[FaceFrame] = field(default_factory=list)
    face: FaceFrame | None = None  # once it is known

    def add(self, frame: FaceFrame, now_s: float) -> None:
        """One more picture; after BASELINE_S the median stands."""
        if self.face is not None:
            return
        self.began_s = now_s if self.began_s is None else self.began_s
        self.frames.append(frame)
        if now_s - self.began_s >= BASELINE_S and len(self.frames) >= LEAST_BASELINE:
            self.face = FaceFrame(
                np.median([one.features for one in self.frames], axis=0),
                float(np.median([one.pitch for one in self.frames])),
                float(np.median([one.yaw for one in self.frames])))


def units_of(features: Array, resting: Array) -> Array:
    """[13] action units, 0..1, in the order of ACTION_UNITS."""
    change = features - resting
    found = []
    for unit in ACTION_UNITS:
        terms, full = FORMULAS[unit]
        found.append(sum(weight * change[INDEX[name]] for name, weight in terms) / full)
    return np.array(np.clip(found, 0.0, 1.0), float)


def units_sure(turn_rad: float) -> Array:
    """[13] how sure the units of a head turned so far away can be, 0..1; half of that for the weak ones."""
    share = float(np.clip((TURN_LOST - turn_rad) / (TURN_LOST - TURN_SURE), 0.0, 1.0))
    return np.array([share * (0.5 if unit in WEAK_UNITS else 1.0) for unit in ACTION_UNITS])
