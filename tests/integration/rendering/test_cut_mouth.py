"""Who is interrupted shuts their mouth in the next picture, and opens it without a jump when it was for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.engine.contact import lip_gap
from rendering.engine.motion.controls import INDEX
from rendering.engine.motion.performer import Performer, neutral_state
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.motion_models import mouth_models
from rendering.worker.stage import Stage
from tests.common import quick_replica
from tests.common.scripted_talk import Room
from tests.common.simulated_time import played
from tests.unit.rendering.engine.test_visemes import spans

FRAME_S = 1 / 30
SAID = ("aa", "nn", "E", "PP", "oh", "DD") * 5


class Watched(Performer):
    """A real performer whose lips are measured as they are drawn."""

    def __init__(self, replica: Replica, *, has_models: bool = True) -> None:
        super().__init__(replica, 3, mouth_models() if has_models else None)
        self._drawn = Renderer(replica, 64)
        self.hushed_at_s: list[float] = []

    def stop(self, now_s: float) -> None:
        super().stop(now_s)
        self.hushed_at_s.append(now_s)

    def opening(self, state: Any) -> float:
        return lip_gap(self._drawn.face(state)[0])

    def openings(self, first_s: float, last_s: float) -> np.ndarray:
        return np.array([self.opening(self.state_at(float(t))) for t in np.arange(first_s, last_s, FRAME_S)])


@pytest.fixture(scope="module")
def replica() -> Replica:
    return Replica.from_files(quick_replica.files())


@pytest.fixture(params=[True, False], ids=["models", "table"])
def face(replica: Replica, request: pytest.FixtureRequest) -> Watched:
    return Watched(replica, has_models=request.param)


@pytest.mark.parametrize("behind_s", [0.0, 0.001, FRAME_S])
@pytest.mark.parametrize("at_s", [2.0, 2.11, 2.23, 2.34])
def test_the_first_picture_after_a_cut_has_its_mouth_shut_and_the_next_ones_too(
    face: Watched, replica: Replica, at_s: float, behind_s: float,
) -> None:
    neutral = face.opening(neutral_state(replica))
    face.say(spans(*SAID), 1.0)
    spoken = face.openings(1.0, at_s)
    assert spoken.max() > 10 * neutral
    before = face.state_at(at_s)
    face.stop(at_s)
    assert face.openings(at_s + behind_s, at_s + 1.0).max() <= neutral
    # It is the mouth that is shut at once; head and eyes go on as they went.
    after = face.state_at(at_s + FRAME_S)
    assert abs(after.pose.pitch_rad - before.pose.pitch_rad) < 0.01
    rounded = [INDEX[name] for name in ("pucker", "funnel", "stretch")]
    assert np.abs(after.amounts[rounded] - before.amounts[rounded]).max() < 0.45


def test_a_picture_begun_after_its_time_shows_the_cut_as_well(face: Watched, replica: Replica) -> None:
    stage = Stage(face, {})
    stage.say(spans("aa", "aa", "aa", "aa", "aa"), 1.0)
    assert face.opening(stage.state_at(1.2)) > 2
    stage.hush(1.25)
    assert face.opening(stage.state_at(1.24)) <= face.opening(neutral_state(replica))


def test_a_mouth_that_a_feeling_opens_shuts_as_well_and_then_opens_to_the_feeling(face: Watched) -> None:
    face.set_emotion("surprise", 1000, 0.0)
    face.say(spans(*SAID), 1.0)
    face.openings(1.0, 2.0)
    face.stop(2.0)
    opened = face.openings(2.0, 4.0)
    assert opened[0] <= 0.3 and opened[-1] > 2
    assert np.abs(np.diff(opened)).max() < 2


def test_speech_that_goes_on_opens_the_mouth_no_faster_than_speech_does(face: Watched) -> None:
    face.say(spans(*SAID), 1.0)
    usual = np.abs(np.diff(face.openings(0.8, 2.0))).max()
    face.stop(2.0)
    for number, first in enumerate(("aa", "iy", "HH", "WW")):
        laid_s = 4.0 + 4.0 * number
        waited = face.openings(laid_s - 1.0, laid_s)
        face.say(spans(first, *SAID[1:]), laid_s + 0.045)
        opened = face.openings(laid_s, laid_s + 0.3)
        assert waited.max() <= 0.3 < 2 < opened.max()  # it did open
        assert np.abs(np.diff([waited[-1], *opened])).max() <= usual
        face.stop(laid_s + 1.0)


def test_who_takes_the_floor_sees_the_mouth_shut_in_the_next_picture_and_a_cough_opens_it_again(
    replica: Replica,
) -> None:
    async def story() -> None:
        face = Watched(replica)
        room = Room("what is covered", "", face=face, seconds=3.0)
        await room.hear(0.6, speaks=True)
        await room.silence_until(lambda: room.events("conversation.started_speaking"))
        await room.hear(0.5, speaks=False)
        assert face.opening(face.state_at(room.now_s())) > 2
        room.ears.next()
        while not face.hushed_at_s:
            await room.hear(0.02, speaks=True)
        rest = face.opening(neutral_state(replica))
        for _ in range(2):  # by the third it is known that nothing was meant
            assert face.opening(face.state_at(room.now_s())) <= rest
            await room.hear(FRAME_S, speaks=False)
        await room.silence_until(lambda: len(room.events("conversation.started_speaking")) == 2)
        await room.hear(0.3, speaks=False)
        assert face.opening(face.state_at(room.now_s())) > 2
        await room.close()

    played(story)
