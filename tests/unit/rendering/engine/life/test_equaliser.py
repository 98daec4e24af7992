"""Filters that bring made motion to a person's spectrum: their gain, their delay, and that they look back only."""

import numpy as np
import pytest

from rendering.engine.motion.life import equaliser
from rendering.engine.motion.life.channels import FRAMES_PER_S, SMOOTH

BANDS = len(equaliser.BAND_EDGES_HZ) - 1


def gains(**changed: float) -> np.ndarray:
    out = np.zeros((BANDS, len(SMOOTH)))
    for band, value in changed.items():
        out[int(band.removeprefix("band"))] = value
    return out


def test_without_gains_nothing_changes():
    frames = np.random.default_rng(0).normal(size=(80, len(SMOOTH)))
    assert np.allclose(equaliser.of_gains(gains()), equaliser.flat(), atol=1e-6)
    assert np.allclose(equaliser.apply(equaliser.flat(), frames, 8), frames[-8:])


def test_a_filter_is_the_plain_sum_over_what_was():
    taps = np.random.default_rng(1).normal(size=(len(SMOOTH), equaliser.TAPS))
    frames = np.random.default_rng(2).normal(size=(70, len(SMOOTH)))
    slow = [sum(taps[:, back] * frames[at - back] for back in range(equaliser.TAPS)) for at in range(62, 70)]
    assert np.allclose(equaliser.apply(taps, frames, 8), slow)


@pytest.mark.parametrize("bands, rate_hz, elsewhere_hz", [("01", 0.4, 10.0), ("3", 2.2, 10.0), ("5", 6.5, 1.0)])
def test_a_gain_is_given_where_it_is_asked_for(bands, rate_hz, elsewhere_hz):
    taps = equaliser.of_gains(gains(**{f"band{band}": np.log(3.0) for band in bands}))[0]
    here, elsewhere = (
        abs(taps @ np.exp(-2j * np.pi * hertz / FRAMES_PER_S * np.arange(equaliser.TAPS)))
        for hertz in (rate_hz, elsewhere_hz)
    )
    assert here == pytest.approx(3.0, rel=0.3) and elsewhere == pytest.approx(1.0, rel=0.3)


def test_the_response_begins_at_once():
    taps = equaliser.of_gains(np.linspace(0.5, -1.5, BANDS)[:, None].repeat(len(SMOOTH), 1))[0]
    energy = np.cumsum(taps**2) / (taps**2).sum()
    assert energy[3] > 0.8  # a tenth of a second
