"""From a look (who) and a face state (what the face does now) to the numbers that place every solid.

Expression moves solids and never bends space, so distances stay true. Unit: cm; x to the right of the picture, y up, z
towards the camera; the origin lies between the eyes.
"""

import math
from dataclasses import dataclass

import numpy as np

from rendering.demo.looks import Look

JAW_TURN_RAD = 0.36
JAW_HINGE = (-1.2, 0.2)  # y, z
SEAL = 0.22  # cm


@dataclass(frozen=True)
class Face:
    """What the face does at one moment. Turns in rad: yaw towards the person's own left, pitch nose down, roll."""

    jaw: float = 0.0  # 0..1 open
    close: float = 0.0  # 0..1 lips pressed together whatever the jaw does
    pucker: float = 0.0  # 0..1
    smile: float = 0.2  # -.7..1
    upper_lip: float = 0.0  # 0..1 raised
    tuck: float = 0.0  # 0..1 lower lip under the upper teeth, for f and v
    brow: float = 0.25  # -.4..1
    furrow: float = 0.0  # -1 (sad) .. 1 (angry)
    lid: float = 1.0  # 0 shut, 1 open, 1.2 wide
    gaze_x: float = 0.0  # rad, towards the person's own left
    gaze_y: float = 0.0  # rad, up
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift_x: float = 0.0  # cm, whole head
    breath: float = 0.0  # cm, shoulders up


_NAMES = (
    # pose
    *(f"m{row}{column}" for row in range(3) for column in range(3)), "shift_x", "breath",
    # bones that belong to the person
    "skull_rx", "skull_ry", "mask_rx", "mask_ry", "mask_rz", "gonion_x", "gonion_y", "gonion_z", "jaw_r",
    "chin_y", "chin_z", "chin_rx", "fill_y", "fill_z", "bone_x", "bone_y", "bone_z", "apple_x", "apple_y", "apple_z",
    "muzzle_y", "muzzle_z", "muzzle_ry", "ridge_in", "ridge_out", "ridge_r",
    "eye_x", "eye_y", "upper", "lower", "blink", "gaze_x", "gaze_y",
    "nose_w", "bridge_z", "tip_y", "tip_z", "tip_r", "wing_x", "wing_y", "wing_r", "ear",
    # mouth
    "mouth_w", "corner_y", "corner_z", "up_y", "up_z", "up_r", "low_y", "low_z", "low_r", "gap", "smile",
    "teeth_y", "low_teeth_y", "tongue_y",
    # brows, relative to the eye line
    "brow_in", "brow_mid", "brow_out", "brow_x", "brow_thick",
    # hair
    "style", "hair_len", "hair_full", "hair_line", "part_x",
)  # fmt: skip
RIG = np.dtype([(name, np.float64) for name in _NAMES])


def build_rig(look: Look, face: Face) -> np.ndarray:
    """[1] record of RIG: all numbers that the distance functions read."""
    rig = np.zeros(1, RIG)
    values: dict[str, float] = {}
    _bones(values, look, face)
    _mouth(values, look, face)
    _around_mouth(values, look, face)
    _eyes_and_brows(values, look, face)
    values |= {
        "style": {"bob": 0.0, "short": 1.0}[look.hair], "hair_len": look.hair_length, "hair_full": look.hair_full,
        "hair_line": look.hair_line, "part_x": look.part_x, "shift_x": face.shift_x, "breath": face.breath,
    }  # fmt: skip
    turn = rotation(face.yaw, face.pitch, face.roll)
    values |= {f"m{row}{column}": turn[row, column] for row in range(3) for column in range(3)}
    for name, value in values.items():
        rig[name] = value
    return rig


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """[3, 3] head to world: Rx(pitch) Ry(yaw) Rz(roll), the order that the tracker's `head_pose` reads."""
    cx, sx, cy, sy, cz, sz = (f(a) for a in (pitch, yaw, roll) for f in (math.cos, math.sin))
    turn_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    turn_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    turn_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(turn_x @ turn_y @ turn_z)


def _hinge(y: float, z: float, jaw: float) -> tuple[float, float]:
    """A point of the lower jaw, turned with it."""
    c, s = math.cos(JAW_TURN_RAD * jaw), math.sin(JAW_TURN_RAD * jaw)
    dy, dz = y - JAW_HINGE[0], z - JAW_HINGE[1]
    return JAW_HINGE[0] + c * dy - s * dz, JAW_HINGE[1] + c * dz + s * dy


def _bones(v: dict[str, float], look: Look, face: Face) -> None:
    gonion_y, gonion_z = _hinge(-6.3, 1.9, face.jaw * 0.6)
    chin_y, chin_z = _hinge(-9.7 - look.chin_down, 7.45 + look.chin_out, face.jaw)
    v |= {
        "skull_rx": 7.15 * look.head_width, "skull_ry": 8.1 * look.head_height,
        "mask_rx": 6.2 * look.face_width, "mask_ry": 8.4 + 0.5 * look.chin_down, "mask_rz": 7.0,
        "gonion_x": 3.65 + look.jaw_width, "gonion_y": gonion_y, "gonion_z": gonion_z, "jaw_r": 1.5,
        "chin_y": chin_y, "chin_z": chin_z, "chin_rx": 1.7 + look.chin_width,
        "nose_w": look.nose_width, "bridge_z": 7.75 + look.nose_bridge, "tip_y": -3.35 - look.nose_down,
        "tip_z": 10.0 + look.nose_out, "tip_r": look.nose_tip,
        "wing_x": 0.98 * look.nose_width + 0.12 * face.smile, "wing_y": -3.78 - look.nose_down + 0.10 * face.smile,
        "wing_r": 0.52 * (0.5 + 0.5 * look.nose_width), "ear": look.ear,
    }  # fmt: skip


def _mouth(v: dict[str, float], look: Look, face: Face) -> None:
    smile, pucker = face.smile, face.pucker
    # The mouth sits between nose and chin, so both move it.
    base = -0.45 * look.nose_down - 0.25 * look.chin_down + look.mouth_up
    corner_y, corner_z = -6.42 + base, 7.75
    fallen_y, _ = _hinge(corner_y, corner_z, face.jaw)
    forward = 0.5 * pucker - 0.30 * max(smile, 0.0)
    up_r = 0.35 * look.lips + 0.10 * pucker - 0.08 * max(smile, 0.0)
    low_r = 0.46 * look.lips + 0.10 * pucker - 0.10 * max(smile, 0.0)
    up_y = -6.16 + base + 0.26 * max(smile, 0.0) + 0.30 * face.upper_lip
    low_y, low_z = _hinge(-6.95 + base, 9.05, face.jaw)
    up_z, low_z = 9.22 + forward, low_z + forward
    tuck = face.tuck
    gap = max(0.0, (up_y - up_r) - (low_y + low_r))
    # Relaxed lips meet by themselves over a small gap, so a quiet smile stays closed.
    closed = max(gap * face.close, min(gap, SEAL * (1.0 - face.jaw) * (1.0 - 0.8 * max(smile, 0.0))))
    low_y += 0.62 * closed + 0.55 * (gap - closed) * tuck
    up_y -= 0.38 * closed
    low_z -= 0.35 * tuck
    low_r -= 0.10 * tuck
    spread = 0.70 * smile * (1.0 if smile > 0 else 0.25)  # a frown narrows the mouth only a little
    v |= {
        "mouth_w": 2.45 * look.mouth_width + spread - 0.95 * pucker - 0.25 * face.jaw,
        "corner_y": corner_y + 0.4 * (fallen_y - corner_y) + 0.72 * smile, "corner_z": corner_z + 0.35 * pucker,
        "up_y": up_y, "up_z": up_z, "up_r": up_r, "low_y": low_y, "low_z": low_z, "low_r": low_r,
        "gap": (up_y - up_r) - (low_y + low_r), "smile": smile,
        "teeth_y": -6.38 + base, "low_teeth_y": _hinge(-6.95 + base, 8.0, face.jaw)[0] - 0.25, "tongue_y": low_y + 0.15,
    }  # fmt: skip


def _around_mouth(v: dict[str, float], look: Look, face: Face) -> None:
    smile = face.smile
    v |= {
        "fill_y": (v["chin_y"] + v["corner_y"]) / 2, "fill_z": (v["chin_z"] + v["corner_z"]) / 2 - 2.0,
        "bone_x": 4.0 + look.cheek_width, "bone_y": -2.75 + 0.22 * smile, "bone_z": 5.75 + 0.15 * smile,
        "apple_x": 3.1 + 0.4 * look.cheek_width, "apple_y": -5.0 + 0.55 * smile,
        "apple_z": 6.0 + 0.25 * smile + look.cheek_full,
        "muzzle_y": (v["up_y"] + v["low_y"]) / 2, "muzzle_z": 5.55 + 0.25 * (v["up_z"] - 9.22),
        "muzzle_ry": 2.6 + 0.25 * (v["up_y"] - v["low_y"] - 1.06),
    }  # fmt: skip


def _eyes_and_brows(v: dict[str, float], look: Look, face: Face) -> None:
    angry, sad = max(face.furrow, 0.0), max(-face.furrow, 0.0)
    lift = 0.95 * face.brow
    inner = lift - 0.65 * angry + 0.65 * sad
    outer = lift - 0.35 * angry - 0.25 * sad
    base = 1.95 + look.brow_up
    v |= {
        "eye_x": 3.2 + look.eye_apart, "eye_y": 0.0, "upper": 0.64 * look.eye_open * min(face.lid, 1.25),
        "lower": (0.52 - 0.196 * max(face.smile, 0.0)) * look.eye_open, "blink": max(1.0 - face.lid, 0.0) ** 2,
        "gaze_x": face.gaze_x, "gaze_y": face.gaze_y,
        "brow_in": base + inner, "brow_mid": base + 0.46 * look.brow_arch + (inner + outer) / 2,
        "brow_out": base + outer, "brow_x": 1.25 + 0.5 * look.eye_apart - 0.5 * angry, "brow_thick": look.brow_thick,
        "ridge_in": 0.3 * inner, "ridge_out": 0.3 * outer, "ridge_r": look.ridge,
    }  # fmt: skip
