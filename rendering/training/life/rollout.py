"""Plays a model or a baseline for a person in a scene, frame by frame as a session does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S, Motion
from rendering.engine.motion.life.model import LifeModel, Person
from rendering.engine.motion.life.person import Manner
from rendering.engine.motion.life.scene import Scene
from rendering.engine.motion.life.stream import LifeStream

Array = np.ndarray[Any, np.dtype[Any]]
CLOSED = 0.5  # of the lids, from which a blink is counted


def play(model: LifeModel, manner: Manner, person: Person, scene: Scene, seed: int) -> Motion:
    """The motion of a session with this scene, in the person's own units."""
    stream = LifeStream(model, person, seed, scene_reader(scene))
    frames = [stream.at(frame / FRAMES_PER_S) for frame in range(len(scene))]
    smooth = manner.centre + np.stack([frame.smooth for frame in frames]) * manner.deviation
    aim = manner.aim_centre + np.stack([frame.aim for frame in frames]) * manner.aim_rad
    return Motion(smooth, aim, blink_moments(np.array([frame.lids for frame in frames])))


def scene_reader(scene: Scene) -> Callable[[Array], tuple[Array, Array]]:
    """A scene as a stream asks for it: at times, before its start and after its end as at the edge."""
    mood = np.concatenate([scene.emotion, scene.affect], axis=1)

    def at(times_s: Array) -> tuple[Array, Array]:
        index = np.clip(np.round(times_s * FRAMES_PER_S).astype(int), 0, len(scene) - 1)
        return scene.heard[index], mood[index[-1]]

    return at


def blink_moments(lids: Array) -> Array:
    """[N] seconds at which lids [T] begin to close, as far as frames can tell."""
    shut = lids > CLOSED
    first = np.flatnonzero(shut & ~np.concatenate([[False], shut[:-1]]))
    return np.maximum(0.0, first / FRAMES_PER_S - 0.05)
