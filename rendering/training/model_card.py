"""The model card of a version, in plain sentences: what it saw, where it is weak, how far it may go. PURE: a report in.

Sections after Mitchell et al., "Model Cards for Model Reporting" (2019), as far as one person's replica has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GOOD_SECONDS, FEW_BLINKS, GOOD_SPEECH_S = 60.0, 4, 20.0
NARROW_TURN_DEG = 15.0
STRONG_MILLI = 700
MISSING = "This was not measured for this version."


@dataclass(frozen=True)
class Section:
    """A heading and its sentences."""

    title: str
    sentences: tuple[str, ...]


def sections(report: dict[str, Any]) -> list[Section]:
    """The card of a training's report; what a report lacks is said to be missing, never left out."""
    return [
        Section("What it was trained on", tuple(_trained_on(report))),
        Section("Where it is weak", tuple(_weak(report))),
        Section("How strongly it may feel", tuple(_limits(report))),
        Section("What these figures do not show", _NOT_SHOWN),
    ]


_NOT_SHOWN = (
    "They compare redrawn frames with film of the same person, clothes, light and day. Nothing else was tried.",
    "They judge pictures, not character: whether the person would say or feel this is for people to decide.",
)


def _trained_on(report: dict[str, Any]) -> list[str]:
    seen, training = report.get("coverage"), report.get("training") or {}
    if not seen:
        return [MISSING]
    found = [
        f"{seen['seconds']:.0f} s of film with a face, {seen['sound_s']:.0f} s of it with sound, "
        f"{int(seen['blinks'])} blinks.",
        f"The head turned from {_side(seen['yaw_low_deg'])} to {_side(seen['yaw_high_deg'])} "
        f"and tilted from {_tilt(seen['pitch_low_deg'])} to {_tilt(seen['pitch_high_deg'])}.",
    ]
    frames, held_out = training.get("training_frames"), training.get("held_out_frames")
    if frames and held_out:
        found.append(f"{frames} frames were learned from. {held_out} frames of the end were kept back to measure with.")
    return found


def _weak(report: dict[str, Any]) -> list[str]:
    seen, quality = report.get("coverage"), (report.get("quality") or {}).get("held_out") or {}
    found = []
    if seen:
        reach = min(abs(seen["yaw_low_deg"]), abs(seen["yaw_high_deg"]))
        if reach < NARROW_TURN_DEG:
            found.append(f"Turned more than {reach:.0f}° to one side it was never filmed; it will not turn further.")
        if seen["seconds"] < GOOD_SECONDS:
            found.append("It was trained on less than a minute. Two minutes give steadier mouths and eyes.")
        if seen["sound_s"] < GOOD_SPEECH_S:
            found.append("There was little speech to learn the mouth from, so its way of speaking is an average one.")
        if seen["blinks"] < FEW_BLINKS:
            found.append("Closed eyes were seen only a few times and may look alike each time.")
    parts = {"the face": quality.get("psnr_face_db"), "the mouth": quality.get("psnr_mouth_db")}
    known = {name: value for name, value in parts.items() if isinstance(value, int | float)}
    full = quality.get("psnr_full_db")
    if known and isinstance(full, int | float):
        worst = min(known, key=lambda name: known[name])
        found.append(
            f"Hair and outline are drawn less exactly than the face ({full:.1f} dB over all)." if full < known[worst]
            else f"Of its parts {worst} is drawn least exactly ({known[worst]:.1f} dB).")
    found.append("Hair moves as one surface, and it was seen in this light alone. It looks like a webcam picture.")
    return found


def _limits(report: dict[str, Any]) -> list[str]:
    caps = (report.get("calibration") or {}).get("emotion_caps_milli")
    if not caps:
        return [MISSING]
    held = {name: milli for name, milli in sorted(caps.items()) if name != "neutral" and milli < STRONG_MILLI}
    if not held:
        return ["Every emotion stays near what was filmed, up to its full strength."]
    listed = ", ".join(f"{name} {milli}" for name, milli in held.items())
    return [
        f"Beyond these thousandths the face would leave what was filmed: {listed}.",
        "The worker holds it there, whatever a policy or a request asks for.",
    ]


def _side(deg: float) -> str:
    return f"{abs(deg):.0f}° to its {'left' if deg > 0 else 'right'}"


def _tilt(deg: float) -> str:
    return f"{abs(deg):.0f}° {'down' if deg > 0 else 'up'}"
