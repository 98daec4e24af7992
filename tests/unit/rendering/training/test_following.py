"""Skull, torso and teeth: what moves with what, and the derivative by their places against finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rendering.engine import body, features
from rendering.engine import landmarks as lm
from rendering.engine.errors import ReplicaInvalid
from rendering.engine.face_space import FACE, HEAD, LAYERS, MOUTH, TORSO
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import lip_lines
from rendering.engine.replica import Replica
from rendering.engine.stand_in import replica
from rendering.training import canonical, following, surface
from rendering.training.config import TrainingConfig
from rendering.training.dataset import prepare
from tests.common.moving_face import face_points, record

SIZE = 256
FACE_POINTS = canonical.upright(face_points(SIZE).astype(np.float64)).astype(np.float32)
FACE_POINTS[list(lm.LOWER_LIP), 1] += 8  # at rest the mouth is open
MESH = surface.build(FACE_POINTS, np.array([128.0, 120.0]), SIZE)
POSE = np.array([0.1, -0.05, 0.03, 130, 118, 0.02], np.float32)
TORSO_AT = np.array([1.5, -0.7, 0.01], np.float32)
SHELL = slice(lm.COUNT, lm.COUNT + len(MESH.head_share))
TEETH = slice(lm.COUNT + len(MESH.head_share), len(MESH.rest))


def place(skull: np.ndarray = POSE, torso: np.ndarray = TORSO_AT, face: np.ndarray = FACE_POINTS) -> np.ndarray:
    return MESH.place(face, POSE, skull, torso)


def test_every_layer_is_there_and_no_skin_spans_the_opening_of_the_lips() -> None:
    assert set(np.unique(MESH.layers)) == {FACE, HEAD, TORSO, MOUTH}
    ring = set(lm.UPPER_OPENING) | set(lm.LOWER_OPENING)
    skin = MESH.triangles[MESH.layers == FACE]
    inner = skin[[set(corners) <= ring for corners in skin.tolist()]]
    opening = lip_lines(MESH.rest)
    outline = np.concatenate([opening[0], opening[1][-2:0:-1]])
    assert not surface.inside(outline, MESH.rest[inner, :2].mean(1)).any()


def test_the_torso_stays_where_the_head_turns_and_breathes_by_itself() -> None:
    turned = POSE + np.array([0.3, 0, 0, 4, 0, 0], np.float32)
    moved = np.abs(place(turned) - place())[SHELL]
    assert moved[MESH.head_share == 0].max() == 0
    assert moved[MESH.head_share == 1].max() > 4
    breathed = (place(torso=TORSO_AT + np.array([0, -2, 0], np.float32)) - place())[SHELL, 1]
    assert breathed[MESH.head_share == 0] == pytest.approx(-2, abs=1e-3)
    assert np.abs(breathed[MESH.head_share == 1]).max() == 0


def test_upper_teeth_stay_and_lower_teeth_go_with_the_chin() -> None:
    opened = FACE_POINTS.copy()
    opened[list(lm.JAW) + list(lm.LOWER_LIP), 1] += 6
    moved = (place(face=opened) - place())[TEETH, 1]
    assert np.abs(moved[MESH.jaw_share == 0]).max() == 0
    assert moved[MESH.jaw_share == 1] == pytest.approx(6 * np.exp(POSE[5]), rel=0.05)


def test_place_gradient_equals_finite_differences() -> None:
    random = np.random.default_rng(5)
    shell = np.flatnonzero(np.isin(MESH.layers, (HEAD, TORSO)))
    owners = random.choice(shell, 200).astype(np.int32)
    corners = random.dirichlet([1, 1, 1], 200).astype(np.float32)
    splats = Gaussians(owners, corners, np.zeros((200, 1), np.float32))
    by_means = random.normal(size=(200, 2)).astype(np.float32)

    def loss(skull: np.ndarray, torso: np.ndarray) -> float:
        points = place(skull.astype(np.float32), torso.astype(np.float32)).astype(np.float64)
        means = np.einsum("nc,ncd->nd", corners, points[MESH.triangles[owners]])[:, :2]
        return float((means * by_means).sum())

    found = following.place_gradient(MESH, splats, by_means, POSE, TORSO_AT)
    both = np.concatenate([POSE, TORSO_AT]).astype(np.float64)
    for k in range(body.PLACES):
        step = np.zeros(body.PLACES)
        step[k] = 1.0 if k in (3, 4, 6, 7) else 2e-3
        slope = (loss(*np.split(both + step, [6])) - loss(*np.split(both - step, [6]))) / (2 * step[k])
        assert found[k] == pytest.approx(slope, rel=0.02, abs=1.0), k


def test_signals_come_from_the_frames_own_part_of_the_clip() -> None:
    clip = record(400, 64)
    config = TrainingConfig(size_px=64)
    frames = prepare(clip, config)
    changed = clip.landmarks.copy()
    changed[320:] += np.random.default_rng(1).normal(0, 1, changed[320:].shape)
    other = prepare(replace(clip, landmarks=changed), config)
    space = replica(splats=100, size_px=64).space
    mean = canonical.canonicalise(frames.landmarks[frames.train])
    space = canonical.fit_space(mean, canonical.align(frames.landmarks[frames.train], mean), 30)
    train = frames.places[frames.train]
    one, same = following.signals(space, frames, train), following.signals(space, other, train)
    assert one.shape[1] == len(train) // following.FRAMES_EACH
    assert np.array_equal(one, same)  # nothing of the tail reaches a training frame, not even the last one
    tail = frames.places[frames.held_out]
    assert not np.allclose(following.signals(space, frames, tail), following.signals(space, other, tail))


def test_a_still_body_is_the_pose_and_a_breath_lifts_the_shoulders_alone() -> None:
    person = replica(splats=100)
    terms = body.terms(person.space, POSE)
    skull, torso = person.body.places(POSE, terms, np.zeros(body.PLACES, np.float32))
    assert np.array_equal(skull, POSE) and not torso.any()
    breathing = body.Body(person.body.by_pose, np.array([0.8], np.float32)).breathing(1.0)
    assert breathing[body.BREATH] == pytest.approx(-0.8) and np.count_nonzero(breathing) == 1


def test_hair_does_not_follow_where_the_head_stands() -> None:
    space = replica(splats=100).space
    here, there = POSE.copy(), POSE.copy()
    there[3:5] += 8
    rows = [features.rows(space, np.zeros(len(space.basis), np.float32), pose) for pose in (here, there)]
    assert np.array_equal(rows[0][[HEAD, TORSO]], rows[1][[HEAD, TORSO]])
    assert not np.array_equal(rows[0][FACE], rows[1][FACE])


def test_a_layer_that_does_not_exist_is_refused_even_with_a_right_hash() -> None:
    person = replica(splats=100)
    layers = person.mesh.layers.copy()
    layers[0] = LAYERS
    spoilt = replace(person, mesh=replace(person.mesh, layers=layers))
    assert Replica.from_files(person.to_files()).mesh.layers.max() < LAYERS
    with pytest.raises(ReplicaInvalid, match="layer that does not exist"):
        Replica.from_files(spoilt.to_files())
