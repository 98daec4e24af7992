"""From landmarks that move in known ways to motion, scene and a person's manner."""

import json

import numpy as np
import pytest

from rendering.engine import landmarks as lm
from rendering.engine.motion.life import equaliser
from rendering.engine.motion.life.model import Person
from rendering.engine.pose import rotation
from rendering.training.life import fitting, footage
from tests.common.life_models import random_life

FPS, SECONDS, RATE_HZ = 25.0, 24.0, 8_000
BLINKS_S = (2.0, 6.0, 9.5, 15.0, 20.2)


def head() -> np.ndarray:
    """[478, 3] points on half an ellipsoid, with eyes that can close; pixels."""
    random = np.random.default_rng(0)
    points = random.normal(size=(lm.COUNT, 3))
    points[:, 2] = -np.abs(points[:, 2])
    points *= [60, 80, 70] / np.linalg.norm(points, axis=1, keepdims=True)
    for corner, x in ((lm.RIGHT_OUTER_EYE, -45.0), (lm.RIGHT_INNER_EYE, -18.0), (lm.LEFT_INNER_EYE, 18.0),
                      (lm.LEFT_OUTER_EYE, 45.0)):  # fmt: skip
        points[corner] = [x, -20.0, -50.0]
    points[lm.NOSE_TIP] = [0, 5, -75]
    for side, iris in ((-32.0, lm.RIGHT_IRIS), (32.0, lm.LEFT_IRIS)):
        points[list(iris)] = [side, -20.0, -52.0]
    for upper, lower, x in ((159, 145, -33.0), (158, 153, -29.0), (386, 374, 33.0), (385, 380, 29.0)):
        points[upper], points[lower] = [x, -25.0, -51.0], [x, -15.0, -51.0]
    return points


@pytest.fixture(scope="module")
def clip() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Landmarks [T, 478, 3], the yaw they were turned by [T] and sound: two seconds of tone in every four."""
    times_s = np.arange(int(FPS * SECONDS)) / FPS
    yaw = 0.2 * np.sin(2 * np.pi * times_s / 5.3) + 0.05 * np.sin(2 * np.pi * times_s / 1.7)
    rows = []
    for time_s, angle in zip(times_s, yaw, strict=True):
        points = head()
        if any(start <= time_s < start + 0.2 for start in BLINKS_S):
            for upper, lower in ((159, 145), (158, 153), (386, 374), (385, 380)):
                points[upper] = points[lower] - [0, 1.0, 0]
        rows.append(points @ rotation(float(angle), 0.05, 0.0).T + [128, 128, 0])
    sound_s = np.arange(int(RATE_HZ * SECONDS)) / RATE_HZ
    tone = np.where(sound_s % 4 < 2, 8000 * np.sin(2 * np.pi * 150 * sound_s), 0)
    return np.stack(rows).astype(np.float32), yaw, tone.astype(np.int16)


def test_pose_blinks_and_speech_are_found(clip):
    points, yaw, sound = clip
    found = footage.from_landmarks(points, FPS, sound, RATE_HZ)
    grid = np.arange(len(found.motion)) / 30
    turned = np.interp(grid, np.arange(len(yaw)) / FPS, yaw)
    assert np.corrcoef(found.motion.smooth[:, 0], turned)[0, 1] > 0.98
    assert np.allclose(found.motion.blinks, BLINKS_S, atol=0.1)
    speaking = found.scene.heard[:, 4]
    assert speaking[30] > 0.9 and speaking[90] < 0.1


def test_a_person_is_measured_from_enough_whole_footage_only(clip):
    points, _, sound = clip
    model = random_life()
    known = fitting.of_footage(points, FPS, sound, RATE_HZ, model, 1)
    assert known is not None
    person = Person.from_json(json.loads(json.dumps(known)), model.facts["sha256"])
    assert person is not None and not np.array_equal(person.equaliser, equaliser.flat())
    assert np.isfinite(person.style).all() and len(json.dumps(known)) < 40_000
    alone = fitting.of_footage(points, FPS, sound, RATE_HZ, None, 1)
    assert alone is not None and alone["blink_gaps_s"] == known["blink_gaps_s"]
    gap = points.copy()
    gap[100:103] = np.nan
    assert fitting.of_footage(gap, FPS, sound, RATE_HZ, None, 1) is not None
    gap[100:200] = np.nan
    assert fitting.of_footage(gap, FPS, sound, RATE_HZ, None, 1) is None
    assert fitting.of_footage(points[:200], FPS, sound, RATE_HZ, None, 1) is None
