"""A nod: the head dips twice, the eyes stay, the mouth says nothing."""

import numpy as np
import pytest

from rendering.engine.motion.performer import NOD_RAD, NOD_S, Performer
from rendering.engine.replica import Replica
from rendering.engine.stand_in import replica
from rendering.engine.state import FaceState

FRAME_S = 1 / 30


@pytest.fixture(scope="module")
def person() -> Replica:
    return replica()


def watched(performer: Performer, *nods_s: float) -> list[FaceState]:
    states, waiting = [], list(nods_s)
    for t in np.arange(0.0, 3.0, FRAME_S):
        if waiting and t >= waiting[0]:
            performer.nod(waiting.pop(0))
        states.append(performer.state_at(float(t)))
    return states


def test_the_head_dips_twice_and_comes_back(person: Replica) -> None:
    still, nodding = watched(Performer(person, 3)), watched(Performer(person, 3), 1.0)
    dip = np.array([b.pose.pitch_rad - a.pose.pitch_rad for a, b in zip(still, nodding, strict=True)])
    times = np.arange(0.0, 3.0, FRAME_S)
    first, second = (dip[(times >= 1 + i * NOD_S) & (times < 1 + (i + 1) * NOD_S)].max() for i in range(2))
    assert first == pytest.approx(NOD_RAD[0], abs=0.005) and second == pytest.approx(NOD_RAD[1], abs=0.005)
    assert not dip[(times < 1) | (times > 1 + 2 * NOD_S)].any() and dip.min() >= 0
    assert np.abs(np.diff(dip)).max() < 0.02  # no jump
    assert all(a.closure == b.closure for a, b in zip(still, nodding, strict=True))


def test_a_nod_under_way_is_not_begun_again(person: Replica) -> None:
    once, hasty = watched(Performer(person, 3), 1.0), watched(Performer(person, 3), 1.0, 1.2, 1.5)
    assert [one.pose.pitch_rad for one in once] == [one.pose.pitch_rad for one in hasty]
