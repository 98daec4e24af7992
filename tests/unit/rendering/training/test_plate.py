"""What a frame teaches the plate behind the person: only what it shows of it."""

import numpy as np

from rendering.training import optimiser

ONE = np.float32(1.0)


def stepped(shown: float, gradient: float, steps: int = 200) -> float:
    """A grey pixel after so many steps in which so much of it showed."""
    plate = np.full((1, 1, 3), 0.5, np.float32)
    first, second = np.zeros_like(plate), np.zeros_like(plate)
    for _ in range(steps):
        optimiser.plate_step(
            plate, first, second, np.full_like(plate, gradient), np.full((1, 1), shown, np.float32),
            np.float32(optimiser.PLATE_RATE), ONE, ONE)
    return float(plate[0, 0, 0])


def test_what_shows_is_learned_down_to_the_edge_of_the_range() -> None:
    assert stepped(shown=1.0, gradient=0.1) == 0.0
    assert stepped(shown=0.5, gradient=-0.1) == 1.0


def test_what_only_shines_through_hair_teaches_nothing_however_long() -> None:
    assert stepped(shown=0.3, gradient=0.003) == 0.5
