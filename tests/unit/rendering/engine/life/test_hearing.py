"""Prosody and the conversation's time line."""

import numpy as np
import pytest

from rendering.engine.motion.life import prosody
from rendering.engine.motion.life.hearing import Hearing, prosody_of_spans
from rendering.engine.motion.life.scene import HEARD, LISTENING, SPEAKING
from rendering.speech.utterance import VisemeSpan

RATE_HZ = 16_000


def tone(hertz: float, seconds: float, loud: float) -> np.ndarray:
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * hertz * k * times_s) / k for k in range(1, 8))
    return (loud * 8000 * wave / np.abs(wave).max()).astype(np.int16)


def test_level_pitch_and_voicing_of_tones_and_noise():
    noise = (300 * np.random.default_rng(0).normal(size=RATE_HZ)).astype(np.int16)
    sound = np.concatenate([tone(110, 1, 1), tone(220, 1, 1), noise, np.zeros(RATE_HZ, np.int16)])
    found = prosody.of_sound(sound, RATE_HZ)
    assert found.shape == (120, 4)
    low, high, hiss, silence = (found[k * 30 + 4 : k * 30 + 26] for k in range(4))
    assert np.median(high[:, 1]) - np.median(low[:, 1]) == pytest.approx(1.0, abs=0.08)
    assert low[:, 2].mean() > 0.95 and high[:, 2].mean() > 0.95 and hiss[:, 2].mean() < 0.2
    assert low[:, 0].min() > 0.5 > hiss[:, 0].max() and silence[:, 0].max() == 0
    assert prosody.of_sound(np.zeros(0, np.int16), RATE_HZ).shape == (0, 4)


def test_a_louder_syllable_is_stressed():
    weak, strong = tone(120, 0.2, 0.1), tone(140, 0.25, 1.0)
    gap = np.zeros(RATE_HZ // 12, np.int16)
    sound = np.concatenate([np.concatenate([part, gap]) for part in (weak, weak, strong, weak, weak, weak)])
    stress = prosody.of_sound(sound, RATE_HZ)[:, 3]
    assert abs(np.argmax(stress) / 30 - 0.69) < 0.12
    assert stress.max() > 0.3


def test_speech_is_heard_when_it_is_laid_and_not_after_it_was_cut():
    hearing = Hearing()
    hearing.listen(True, 0.0)
    hearing.lay(np.full((60, 4), 0.5, np.float32), 2.0)
    times = np.arange(0, 5, 1 / 30)
    heard, mood = hearing.at(times)
    assert heard.shape == (150, len(HEARD)) and not mood.any()
    inside = (times >= 2.0) & (times < 4.0)
    assert (heard[inside, :4] == 0.5).all() and not heard[~inside, :4].any()
    assert heard[inside, SPEAKING].min() == 1 and heard[75, LISTENING] == 0 and heard[30, LISTENING] == 1
    hearing.cut(3.0)
    heard, _ = hearing.at(times)
    assert not heard[times > 3.05, :4].any() and heard[times > 3.2, SPEAKING].max() == 0


def test_affect_stays_zero_until_it_is_perceived():
    hearing = Hearing()
    hearing.feel(1, 0.8, 0.0)
    _, mood = hearing.at(np.array([2.0]))
    assert mood[1] == pytest.approx(0.8) and not mood[8:].any()
    hearing.perceive(-3.0, 0.5, 2.0)
    _, mood = hearing.at(np.array([4.0]))
    assert list(mood[8:]) == [-1.0, 0.5]


def test_sounds_alone_tell_level_and_stress():
    row = [VisemeSpan(name, k * 0.12, (k + 1) * 0.12) for k, name in enumerate(["sil", "SS", "aa", "nn", "PP", "sil"])]
    found = prosody_of_spans(row)
    assert found[:3, 0].max() == 0 and found[8:10, 0].min() > found[4:6, 0].max()
    assert found[8, 2] == 1 and found[5, 2] == 0
    assert prosody_of_spans([]).shape == (0, 4)
