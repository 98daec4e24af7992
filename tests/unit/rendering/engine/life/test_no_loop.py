"""Ten idle minutes hold no four seconds twice: none is more like another than like one of another session."""

import numpy as np
import pytest

from rendering.engine import stand_in
from rendering.engine.motion.controls import INDEX
from rendering.engine.motion.life.model import LifeModel
from rendering.engine.motion.performer import Performer
from rendering.motion_models import life_model

RATE_HZ, MINUTES, WINDOW = 5, 10, 20
USUAL = np.array([0.1, 0.1, 0.05, 1.0, 1.0])  # yaw, pitch, roll (rad) and gaze as large as they often are


def played(seed: int, life: LifeModel | None) -> np.ndarray:
    """[T, 5] head and gaze of an idle session."""
    performer = Performer(stand_in.replica(10, 64), seed=seed, life=life)
    rows = []
    for t_s in np.arange(0, 60 * MINUTES, 1 / RATE_HZ):
        state = performer.state_at(float(t_s))
        gaze = [state.amounts[INDEX["gaze_x"]], state.amounts[INDEX["gaze_y"]]]
        rows.append([*(state.pose.vector()[:3]), *gaze])
    return np.array(rows) / USUAL


def nearest(one: np.ndarray, other: np.ndarray) -> float:
    """The least root mean square distance of two stretches, one from each; of one session 20 s apart at least."""
    first, second = (np.lib.stride_tricks.sliding_window_view(rows, WINDOW, axis=0) for rows in (one, other))
    first, second = (part.reshape(len(part), -1) for part in (first, second))
    apart = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    if one is other:
        place = np.arange(len(first))
        apart[np.abs(place[:, None] - place[None]) < 20 * RATE_HZ] = np.inf
    return float(np.sqrt(max(0.0, apart.min()) / first.shape[1]))


@pytest.mark.parametrize("life", [None, life_model()], ids=["noise", "diffusion"])
def test_ten_idle_minutes_do_not_loop(life: LifeModel | None) -> None:
    session, another = played(5, life), played(6, life)
    by_chance = nearest(session, another)
    assert nearest(session, session) > 0.6 * by_chance > 0.01
    looped = np.concatenate([session[: len(session) // 2]] * 2)
    assert nearest(looped, looped) < 1e-3  # control: five minutes played twice
