"""The scores see what they should: blur, a frozen face, a wrong frame; trembling and misplaced landmarks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.engine import landmarks as lm
from rendering.training import quality, redetection, trials
from rendering.training.exhibits.stretch import Stretch
from rendering.training.quality import Scores
from tests.common.moving_face import record

CLIP = record(40, 64)


def a_stretch() -> Stretch:
    gaps = np.zeros(len(CLIP.frames))
    drawn = CLIP.frames[::-1].copy()
    return Stretch(CLIP.frames, drawn, gaps, gaps, CLIP.pcm, CLIP.pcm_rate, CLIP.fps, 0.0)


def test_blur_raises_gmsd_while_equal_pictures_have_none() -> None:
    same = quality.measure(CLIP.frames, CLIP.frames, CLIP.landmarks)
    blurred = quality.measure(trials.blurred(CLIP.frames), CLIP.frames, CLIP.landmarks)
    assert same.gmsd == pytest.approx(0.0, abs=1e-6)
    assert blurred.gmsd > 0.05


def test_a_blur_keeps_the_mean_and_the_edges_of_the_picture() -> None:
    flat = np.full((1, 64, 64, 3), 120, np.uint8)
    assert np.array_equal(trials.blurred(flat), flat)


def scores(full: float, face: float, gmsd: float) -> Scores:
    return Scores(full, face, 30.0, 0.9, gmsd)


def test_a_control_that_scores_like_the_replica_is_reported() -> None:
    own = scores(32, 33, 0.02)
    bad = {name: scores(22, 21, 0.2) for name in ("nearest_frame", "frozen", "shuffled", "blurred")}
    assert all(trials.Trials(own, bad).failing().values())
    told = trials.Trials(own, {**bad, "frozen": scores(31, 21, 0.2), "blurred": scores(22, 21, 0.021)}).failing()
    assert told == {"nearest_frame": True, "frozen": False, "shuffled": True, "blurred": False}


def found_at(shift_px: float, tremble_px: float) -> Any:
    """A detector that finds filmed faces where they are, and drawn ones elsewhere."""
    still = np.repeat(CLIP.landmarks[:1], len(CLIP.frames), axis=0) + 0.05 * np.arange(40)[:, None, None] ** 1.5
    waves = np.random.default_rng(1).normal(0, 1, still.shape)

    def detect(frames: np.ndarray, fps: float) -> np.ndarray:
        if np.array_equal(frames, CLIP.frames):
            return still + 0.1 * waves
        return still + [shift_px, 0, 0] + tremble_px * waves

    return detect


def test_landmarks_found_elsewhere_are_told_in_percent_of_the_eyes_distance() -> None:
    part = a_stretch()
    eyes = np.linalg.norm(CLIP.landmarks[0, lm.LEFT_OUTER_EYE, :2] - CLIP.landmarks[0, lm.RIGHT_OUTER_EYE, :2])
    told = redetection.measure(part, found_at(0.5, 0.1))
    assert told is not None
    assert told["landmark_error_pct"] == pytest.approx(100 * 0.5 / eyes, rel=0.02)
    assert told["jitter_ratio"] == pytest.approx(1.0, abs=0.02)
    trembling = redetection.measure(part, found_at(0.0, 0.4))
    assert trembling is not None and trembling["jitter_ratio"] > 3


def test_no_face_found_again_is_no_figure() -> None:
    def nothing(frames: np.ndarray, fps: float) -> np.ndarray:
        return np.full((len(frames), 478, 3), np.nan)

    assert redetection.measure(a_stretch(), nothing) is None


def test_a_replica_in_which_no_face_is_found_says_so_and_is_kept_from_approval() -> None:
    def only_filmed(frames: np.ndarray, fps: float) -> np.ndarray:
        return CLIP.landmarks + (0 if np.array_equal(frames, CLIP.frames) else np.nan)

    assert redetection.measure(a_stretch(), only_filmed) == {"redetected_share": 0.0}


def test_control_a_step_in_the_middle_is_no_trembling_of_the_rest() -> None:
    line = np.linspace(0, 10, 30)[:, None, None] * np.ones((1, 5, 2))
    assert redetection.tremble(line) == pytest.approx(0, abs=1e-9)
    line[10] = np.nan
    assert redetection.tremble(line) == pytest.approx(0, abs=1e-9)
