"""Is this footage good enough to train on? Each question has a measure, a need and a verdict; nothing is blank.

The words of `error_type` are those Tavus clients know, so that an integrator's messages keep working.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rendering.engine import landmarks as lm
from rendering.training import canonical, face_cover, lip_sound
from trustcore.tracker.geometry import head_pose

Array = np.ndarray[Any, np.dtype[Any]]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
SAMPLED = 60  # frames looked at where pixels are read
LIPS_AGREE = 0.15  # footage of a speaker gives 0.39 or more, music and another voice 0 or less (docs/bad-footage.md)


class Footage(Protocol):
    """The part of the tracker's `TrackedClip` that is looked at."""

    @property
    def frames(self) -> Array:
        """[T, H, W, 3] uint8."""

    @property
    def fps(self) -> float:
        """Frames per second."""

    @property
    def landmarks(self) -> Array:
        """[T, 478, 3], NaN where no face was found."""

    @property
    def face_count(self) -> Array:
        """[T] uint8."""

    @property
    def pcm(self) -> Array:
        """[N] int16 mono."""

    @property
    def pcm_rate(self) -> int:
        """Hz."""


@dataclass(frozen=True)
class Finding:
    """One question's answer."""

    error_type: str
    verdict: str  # "pass" | "warn" | "fail"
    measure: str  # what was found, in words and numbers
    need: str  # what is wanted, and what to do when it is not met

    @property
    def is_refusal(self) -> bool:
        """Whether footage with this finding must not be trained on."""
        return self.verdict == "fail"


def check(clip: Footage) -> list[Finding]:
    """All findings about a tracked clip, in a fixed order; any `fail` means the footage is refused."""
    found = np.isfinite(clip.landmarks[:, 0, 0])
    seconds = len(clip.frames) / clip.fps
    findings = [
        _least("video_duration", seconds, 20.0, 12.0, "s", "at least 12 s, better 30 to 120 s of speaking"),
        _least("video_fps", clip.fps, 14.0, 9.0, "frames per second", "at least 9 frames per second, better 25 to 30"),
        _least("face_or_obstruction_detected", 100 * float(found.mean()), 97.0, 85.0, "% of frames with a face",
               "a face in at least 85 % of frames; keep your face in the picture and uncovered"),
        _most("second_person_detected", 100 * float((clip.face_count >= 2).mean()), 0.5, 2.0, "% of frames",
              "one person alone in the picture"),
    ]  # fmt: skip
    if found.sum() < 10:
        return findings
    points = clip.landmarks[found]
    return [*findings, *_placement(clip, points), *_light(clip, found), *_cover(clip, found), *_coverage(points),
            *_sound(clip, found)]  # fmt: skip


def _placement(clip: Footage, points: Array) -> list[Finding]:
    height = clip.frames.shape[1]
    eyes = canonical.eye_distance(points)
    face = np.ptp(points[:, list(lm.FACE_OVAL), 1], axis=1)
    centre = points[:, :, :2].mean(axis=1)
    move = float(np.linalg.norm(centre.std(axis=0)) / np.median(eyes))
    turned = np.abs(head_pose(points)[:, 0]) > np.radians(35)
    distance = float(np.quantile(eyes, 0.95) / np.quantile(eyes, 0.05))
    return [
        _least("improper_distance", 100 * float(np.median(face)) / height, 25.0, 15.0, "% of the picture's height",
               "a face that fills at least 15 %, better 25 to 60 %; come nearer"),
        _most("inconsistent_distance", distance, 1.5, 2.2, "times nearer at most than at least",
              "a steady distance from the camera"),
        _most("face_turned_away", 100 * float(turned.mean()), 10.0, 30.0, "% of frames turned beyond 35 degrees",
              "a face that looks mostly at the camera"),
        _most("excessive_movement_detected", move, 0.7, 1.5, "eye distances of wandering",
              "a head that stays about one place"),
    ]  # fmt: skip


def _light(clip: Footage, found: Array) -> list[Finding]:
    levels, sharpness = [], []
    for index in _sampled(found):
        luma = _face_patch(clip.frames[index], clip.landmarks[index]) @ LUMA
        levels.append(float(luma.mean()))
        sharpness.append(_sharpness(luma))
    level, change = float(np.median(levels)), float(np.std(levels))
    bright = min(level - 25.0, 235.0 - level)
    return [
        _least("poor_lighting", bright, 25.0, 8.0, f"levels from too dark or too bright (face at {level:.0f} of 255)",
               "an evenly lit face; turn towards a window or lamp"),
        _most("lighting_change_detected", change, 14.0, 30.0, "levels of change", "light that stays the same"),
        _least("quality_issue_detected", float(np.median(sharpness)), 0.9, 0.35, "levels of fine detail",
               "a sharp picture; clean the lens and keep still"),
    ]  # fmt: skip


def _sampled(found: Array) -> Array:
    """Indices of at most so many frames with a face, evenly spread."""
    return np.asarray(
        np.flatnonzero(found)[np.linspace(0, found.sum() - 1, min(SAMPLED, int(found.sum()))).astype(int)])


def _cover(clip: Footage, found: Array) -> list[Finding]:
    chosen = _sampled(found)
    frames, points = clip.frames[chosen], clip.landmarks[chosen]
    return [
        _most("hands_obstructing_face", 100 * face_cover.covered_share(frames, points), 2.0, 20.0,
              "% of frames with much of the face covered", "a face that nothing passes in front of"),
        _most("glasses_detected", face_cover.rim_levels(frames, points), 30.0, 1000.0, "levels: a line under the eyes",
              "no glasses, or the ones to be worn always: they become part of the face and their glints stand still"),
    ]  # fmt: skip


def _coverage(points: Array) -> list[Finding]:
    gaps, lids = canonical.lip_gaps(points), canonical.eye_apertures(points)
    opened = float(np.quantile(gaps, 0.95) - np.quantile(gaps, 0.05))
    blinks = int(np.sum(np.diff((lids < 0.55 * np.median(lids)).astype(int)) == 1))
    return [
        _least("teeth_not_visible", 100 * opened, 6.0, 1.0, "% of the eye distance of lip opening",
               "speech with a mouth that opens; speak a little more clearly"),
        _least("other_quality_issue", float(blinks), 1.0, 0.0, "blinks",
               "at least one blink, so that closed eyes can be learned"),
    ]  # fmt: skip


def _sound(clip: Footage, found: Array) -> list[Finding]:
    need = "speech that can be heard"
    if len(clip.pcm) == 0:
        return [Finding("audio_processing", "warn", "no sound", f"{need}; else the mouth moves in an average way")]
    level = float(np.sqrt(np.mean(clip.pcm.astype(np.float64) ** 2)))
    gaps = np.full(len(found), np.nan)
    gaps[found] = canonical.lip_gaps(clip.landmarks[found])
    agree = lip_sound.agreement(gaps, clip.fps, clip.pcm / 32768, clip.pcm_rate, lip_sound.Chance.MOVED).margin
    return [
        _least("audio_processing", 20 * np.log10(max(level, 1.0) / 32768) + 100, 45.0, 0.0, "dB over -100", need),
        _least("background_noise_detected", agree, LIPS_AGREE, -2.0, "of agreement of lips and sound beyond chance",
               "the person's own voice without music; else the mouth is not learned from this sound"),
    ]  # fmt: skip


def _face_patch(frame: Array, points: Array) -> Array:
    left, top = np.maximum(np.floor(points[:, :2].min(0)).astype(int), 0)
    right, bottom = np.ceil(points[:, :2].max(0)).astype(int)
    patch = frame[top : max(bottom, top + 3), left : max(right, left + 3)]
    return patch.astype(np.float32) if patch.size else frame.astype(np.float32)


def _sharpness(luma: Array) -> float:
    """Mean absolute Laplacian: how much a pixel differs from its neighbours' mean."""
    middle = luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float(np.abs(middle - around / 4).mean()) if middle.size else 0.0


def _least(error_type: str, value: float, good: float, bound: float, unit: str, need: str) -> Finding:
    verdict = "pass" if value >= good else "warn" if value >= bound else "fail"
    return Finding(error_type, verdict, f"{_number(value)} {unit}", need)


def _most(error_type: str, value: float, good: float, bound: float, unit: str, need: str) -> Finding:
    verdict = "pass" if value <= good else "warn" if value <= bound else "fail"
    return Finding(error_type, verdict, f"{_number(value)} {unit}", need)


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 2 else f"{value:.2f}"
