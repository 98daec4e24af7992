"""From tracked footage, or from footage whose truth is known, to motion and scene on the grid of life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rendering.engine import landmarks as lm
from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.life import prosody
from rendering.engine.motion.life.channels import FRAMES_PER_S, INDEX, SMOOTH, Motion
from rendering.engine.motion.life.scene import AFFECT, HEARD, LISTENING, SPEAKING, Scene
from rendering.training import canonical
from rendering.training.life.recording import Recording

Array = np.ndarray[Any, np.dtype[Any]]

POSE_STEADY = 1.5  # frames; a tracked pose trembles
CLOSED_SHARE = 0.55  # of the usual aperture, below which eyes are blinking
JUMP_RAD = 0.03  # change of aim within two frames that is a jump
TRACKED_JUMP_RAD = 0.1  # the same where a tracked iris trembles
LONGEST_PAUSE_S = 0.35  # a shorter gap in the sound is part of speaking
SOUND_LEVEL = 0.3
IRIS_RAD = 8.0  # rad a shift of the iris by one outer eye distance stands for: the eyeball's radius is 1/8 of it


def from_landmarks(points: Array, fps: float, pcm: Array, rate_hz: int) -> Recording:
    """Tracked footage of a person who speaks.

    Args:
        points: [T, 478, 3] without gaps.
        pcm: [N] int16 mono of the same clip.
    """
    mean = canonical.canonicalise(points)
    poses = canonical.align(points, mean)
    eyes = float(np.linalg.norm(mean[lm.LEFT_OUTER_EYE] - mean[lm.RIGHT_OUTER_EYE]))
    smooth = np.zeros((len(points), len(SMOOTH)))
    spread = POSE_STEADY * fps / FRAMES_PER_S
    for channel in range(6):
        smooth[:, channel] = prosody.blurred(poses.vectors[:, channel], spread)
    smooth[:, 3:5] /= eyes
    for name, height in _brow_heights(poses.shapes, eyes).items():
        smooth[:, INDEX[name]] = prosody.blurred(height, spread)
    apertures = canonical.eye_apertures(poses.shapes)
    blinks = _onsets(apertures < CLOSED_SHARE * np.median(apertures)) / fps - 0.04
    gaze = np.stack([prosody.blurred(row, 0.7) for row in _iris_aim(poses.shapes, eyes).T], axis=1)
    times_s = np.arange(len(points)) / fps
    aim = fixations(_head_free(gaze, poses.vectors[:, :2].astype(float)), TRACKED_JUMP_RAD)
    return _on_grid(smooth, aim, np.maximum(blinks, 0.0), times_s, pcm, rate_hz)


def from_truth(truth: Mapping[str, Array], clip: str, pcm: Array, rate_hz: int) -> Recording:
    """Synthetic footage with its truth file; what emotion and speech do to the face is taken out."""
    fps = float(truth["fps"])
    names = [str(name) for name in truth["coef_name"]]
    part = {key.removeprefix(f"{clip}."): value for key, value in truth.items() if key.startswith(f"{clip}.")}
    own = part["coef"].astype(float) - part["speech_coef"].astype(float) - part["emotion_coef"].astype(float)
    turn, shift = part["head_rotation"].astype(float), part["translation"].astype(float)
    smooth = np.zeros((len(turn), len(SMOOTH)))
    smooth[:, 0], smooth[:, 1], smooth[:, 2] = turn[:, 1], turn[:, 0], turn[:, 2]
    smooth[:, 3], smooth[:, 4], smooth[:, 5] = shift[:, 0], -shift[:, 1], shift[:, 2]
    # There are no small smiles in these subjects; what remains of the mouth is rounding.
    sides = {"brow_inner": "browInnerUp", "brow_outer": "browOuterUp", "brow_down": "browDown"}
    for channel, name in sides.items():
        sides_mean = own[:, [names.index(f"{name}_L"), names.index(f"{name}_R")]].mean(1)
        smooth[:, INDEX[channel]] = prosody.blurred(sides_mean, POSE_STEADY)  # half-precision numbers leave steps
    smooth[:, INDEX["breath"]] = part["breath"]
    gaze = np.stack([part["eye_gaze"][:, 0], -part["eye_gaze"][:, 1]], axis=1).astype(float)
    times_s = np.arange(len(turn)) / fps
    aim = fixations(_head_free(gaze, np.stack([turn[:, 1], turn[:, 0]], axis=1)))
    recording = _on_grid(smooth, aim, part["blink_times"][:, 0].astype(float), times_s, pcm, rate_hz)
    felt = np.zeros((len(turn), len(EMOTIONS)))
    kinds = [EMOTIONS.index(str(name)) for name in truth["emotion_name"]]
    felt[np.arange(len(turn)), np.array(kinds)[part["emotion"]]] = part["emotion_intensity"]
    felt[:, 0] = 0
    frames = _resampled(felt, times_s, len(recording.motion))
    return Recording(recording.motion, Scene(recording.scene.heard, frames.astype(np.float32), recording.scene.affect))


def scene_of(pcm: Array, rate_hz: int, frames: int) -> Scene:
    """What is heard in a recording: longer silences count as listening."""
    heard = np.zeros((frames, len(HEARD)), np.float32)
    sound = prosody.of_sound(pcm, rate_hz)[:frames]
    heard[: len(sound), : sound.shape[1]] = sound
    speaks = heard[:, 0] > SOUND_LEVEL
    reach = int(LONGEST_PAUSE_S * FRAMES_PER_S)
    speaks = np.convolve(speaks, np.ones(2 * reach + 1), "same") > 0.5
    heard[:, SPEAKING] = np.clip(prosody.blurred(speaks.astype(float), 2.0), 0, 1)
    heard[:, LISTENING] = 1 - heard[:, SPEAKING]
    empty = np.zeros((frames, len(EMOTIONS)), np.float32)
    return Scene(heard, empty, np.zeros((frames, len(AFFECT)), np.float32))


def fixations(aim: Array, jump_rad: float = JUMP_RAD) -> Array:
    """[T, 2] the aim as jumps and holds: between two jumps it stands at its median."""
    moved = np.zeros(len(aim))
    moved[1:-1] = np.linalg.norm(aim[2:] - aim[:-2], axis=1)
    peaks = [
        k for k in range(1, len(aim) - 1)
        if moved[k] > jump_rad and moved[k] >= moved[k - 1] and moved[k] > moved[k + 1]
    ]  # fmt: skip
    edges = [0, *peaks, len(aim)]
    out = np.empty_like(aim)
    for first, last in zip(edges, edges[1:], strict=False):
        out[first:last] = np.median(aim[first:last], axis=0)
    return out


def _head_free(gaze: Array, turn: Array) -> Array:
    """Eye in head [T, 2] plus the share of the head's turning that eyes take back, found by robust regression."""
    out = np.empty_like(gaze)
    for axis in range(2):
        steps, turns = np.diff(gaze[:, axis]), np.diff(turn[:, axis])
        calm = np.abs(steps - np.median(steps)) < 0.01
        share = -float((steps[calm] * turns[calm]).sum() / ((turns[calm] ** 2).sum() + 1e-9))
        out[:, axis] = gaze[:, axis] + np.clip(share, -0.2, 1.2) * (turn[:, axis] - np.median(turn[:, axis]))
        out[:, axis] -= np.median(out[:, axis])
    return out


def _on_grid(smooth: Array, aim: Array, blinks: Array, times_s: Array, pcm: Array, rate_hz: int) -> Recording:
    frames = int(times_s[-1] * FRAMES_PER_S) + 1
    nearest = np.clip(np.round(np.arange(frames) / FRAMES_PER_S * (len(times_s) - 1) / times_s[-1]), 0, len(aim) - 1)
    motion = Motion(_resampled(smooth, times_s, frames), aim[nearest.astype(int)], blinks)
    return Recording(motion, scene_of(pcm, rate_hz, frames))


def _resampled(values: Array, times_s: Array, frames: int) -> Array:
    grid = np.arange(frames) / FRAMES_PER_S
    return np.stack([_cubic(grid, times_s, values[:, k]) for k in range(values.shape[1])], axis=1)


def _cubic(grid: Array, times_s: Array, values: Array) -> Array:
    """Cubic interpolation on an even grid of times; straight lines would leave kinks for a test to find."""
    step = times_s[1] - times_s[0]
    place = np.clip(grid / step, 0, len(values) - 1)
    index = np.minimum(place.astype(int), len(values) - 2)
    share = place - index
    before, after = np.maximum(index - 1, 0), np.minimum(index + 2, len(values) - 1)
    left, right = values[index], values[index + 1]
    slope_left, slope_right = 0.5 * (right - values[before]), 0.5 * (values[after] - left)
    square, cube = share**2, share**3
    return np.asarray(
        (2 * cube - 3 * square + 1) * left + (cube - 2 * square + share) * slope_left
        + (3 * square - 2 * cube) * right + (cube - square) * slope_right
    )  # fmt: skip


def _brow_heights(shapes: Array, eyes: float) -> dict[str, Array]:
    """[T] inner and outer brow above the eye line, in outer eye distances."""
    right, left = list(lm.RIGHT_BROW), list(lm.LEFT_BROW)
    line = shapes[:, [lm.RIGHT_OUTER_EYE, lm.LEFT_OUTER_EYE], 1].mean(1)
    across = np.abs(shapes[:, right + left, 0]).mean(0)
    inner = np.argsort(across)[: len(across) // 2]
    outer = np.argsort(across)[len(across) // 2 :]
    heights = line[:, None] - shapes[:, right + left, 1]
    rows = {"brow_inner": heights[:, inner].mean(1), "brow_outer": heights[:, outer].mean(1)}
    return {name: (row - np.median(row)) / eyes for name, row in rows.items()}


def _iris_aim(shapes: Array, eyes: float) -> Array:
    """[T, 2] eye in head, rad: the irises' place against the resting one."""
    irises = shapes[:, list(lm.RIGHT_IRIS + lm.LEFT_IRIS), :2].mean(1)
    return np.asarray(np.clip((irises - np.median(irises, axis=0)) / eyes * IRIS_RAD, -0.6, 0.6))


def _onsets(is_so: Array) -> Array:
    return np.flatnonzero(is_so & ~np.concatenate([[False], is_so[:-1]]))
