"""Level and pitch of a hop, against the definition written out, and the detector by level."""

import math

import numpy as np
import pytest

from rendering.dialogue.seams import HOP_SAMPLES
from rendering.dialogue.turns import hearing
from rendering.dialogue.turns.hearing import Hearing, LevelVoice, Sound, pitch_of
from tests.unit.rendering.dialogue.turns.sounds import hops, hush, voice


def slow_pitch(window: np.ndarray) -> float:
    """The same search, one product at a time."""
    sound = window - window.mean()
    size = hearing.COMPARED

    def likeness(lag: int) -> float:
        here, there = sound[:size], sound[lag : lag + size]
        product = sum(float(a) * float(b) for a, b in zip(here, there, strict=True))
        return product / math.sqrt(sum(a * a for a in here) * sum(b * b for b in there) + 1e-12)

    lags = range(hearing.SHORTEST, hearing.LONGEST + 1)
    best = max(lags, key=lambda lag: likeness(lag) - hearing.LONG_PERIOD_COST * (lag - hearing.SHORTEST))
    if likeness(best) < hearing.VOICED_LIKENESS:
        return 0.0
    before, here, after = (likeness(best + step) for step in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend < -1e-9 else 0.0
    return hearing.RATE_HZ / (best + min(max(shift, -0.5), 0.5))


@pytest.mark.parametrize("seed", range(6))
def test_the_quick_pitch_is_the_slow_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    tone = np.sin(2 * np.pi * draw.uniform(70, 380) * np.arange(hearing.WINDOW) / hearing.RATE_HZ)
    window = tone + draw.normal(0, 0.2 * seed, hearing.WINDOW)
    assert pitch_of(window) == pytest.approx(slow_pitch(window), abs=1e-6)


@pytest.mark.parametrize("hertz", [75, 98, 140, 210, 330])
def test_a_voice_has_its_pitch(hertz: float) -> None:
    ear = Hearing()
    heard = [ear.push(hop.pcm).pitch_hz for hop in hops(voice(0.5, hertz), 1.0)][3:]
    assert np.median(heard) == pytest.approx(hertz, rel=0.02)


def test_noise_and_silence_have_none() -> None:
    ear = Hearing()
    noise = [ear.push(hop.pcm) for hop in hops(hush(0.5, level=0.1), 0.0)]
    assert sum(sound.pitch_hz > 0 for sound in noise) <= 2
    silence = ear.push(np.zeros(HOP_SAMPLES, np.int16))
    assert silence == Sound(hearing.QUIETEST_DB, 0.0)


def test_level_is_db_of_full_scale() -> None:
    full = np.full(HOP_SAMPLES, 16384, np.int16)
    assert Hearing().push(full).level_db == pytest.approx(-6.02, abs=0.01)


def test_the_detector_by_level_hears_speech_over_a_noise_floor() -> None:
    ear, detector = Hearing(), LevelVoice()
    shares = [detector.push(ear.push(hop.pcm)) for hop in hops(
        np.concatenate([hush(1.0, 0.003), voice(0.5, 120), hush(0.6, 0.003, seed=2)]), 0.0)]  # fmt: skip
    assert max(shares[10:48]) < 0.35
    assert min(shares[55:74]) > 0.5
    assert max(shares[85:]) < 0.35
