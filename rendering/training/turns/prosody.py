"""Changes pitch, length and loudness of the end of a recorded stretch by pitch-synchronous overlap-add.

After Moulines and Charpentier (1990). Every stretch of the generated set goes through it, whatever stands at its end,
so that its traces say nothing about the end of a turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.turns.hearing import LONGEST, RATE_HZ, WINDOW, pitch_of

Floats = NDArray[np.float64]

SOUND_HZ = 16_000
LOOK = 160  # samples between two looks for the pitch
UNVOICED_STEP = 80


@dataclass(frozen=True)
class Ending:
    """How a stretch ends. `move_semitones` is reached at its last sound, over the last `move_s`; `shift_semitones`
    moves the whole stretch, `stretch` lengthens its last `stretch_s`, `fall_db` is how much softer its last 0.3 s are.
    """

    shift_semitones: float
    move_semitones: float
    move_s: float
    stretch: float
    stretch_s: float
    fall_db: float


def shaped(sound: Floats, ending: Ending) -> Floats:
    """[N] at SOUND_HZ to [M]: the same words with another ending."""
    periods = _periods(sound)
    marks = _marks(sound, periods)
    count = len(sound)
    bend = count - ending.stretch_s * SOUND_HZ
    out = np.zeros(int(count + ending.stretch_s * SOUND_HZ * max(ending.stretch - 1.0, 0.0)) + 2048)
    weight = np.zeros(len(out))
    at_out, at_in = 0.0, 0.0
    while at_in < count - 1:
        index = int(np.argmin(np.abs(marks - at_in)))
        mark, period = int(marks[index]), periods[min(int(at_in) // LOOK, len(periods) - 1)]
        reach = int(period) if period > 0 else UNVOICED_STEP
        _lay(out, weight, sound, mark, int(at_out), reach)
        left_s = (count - at_in) / SOUND_HZ
        semitones = ending.shift_semitones + ending.move_semitones * max(0.0, 1.0 - left_s / ending.move_s)
        step = period / 2 ** (semitones / 12) if period > 0 else UNVOICED_STEP
        at_out += step
        at_in += step / (ending.stretch if at_in > bend else 1.0)
    length = int(at_out)
    result = out[:length] / np.maximum(weight[:length], 0.3)
    last = min(length, int(0.3 * SOUND_HZ))
    result[length - last :] *= 10 ** (-ending.fall_db * np.linspace(0, 1, last) / 20)
    return result


def _lay(out: Floats, weight: Floats, sound: Floats, mark: int, at: int, reach: int) -> None:
    first, last = max(-reach, -mark, -at), min(reach, len(sound) - mark, len(out) - at)
    if last <= first:
        return
    window = 0.5 + 0.5 * np.cos(np.pi * np.arange(first, last) / reach)
    out[at + first : at + last] += window * sound[mark + first : mark + last]
    weight[at + first : at + last] += window


def _periods(sound: Floats) -> Floats:
    """Period in samples at SOUND_HZ at each LOOK, 0 where unvoiced."""
    half = np.convolve(sound, [0.25, 0.5, 0.25], "same")[::2]
    padded = np.concatenate([np.zeros(WINDOW // 2), half, np.zeros(WINDOW)])
    step = LOOK * RATE_HZ // SOUND_HZ
    periods = []
    for start in range(0, len(half), step):
        window = padded[start : start + WINDOW]
        pitch = pitch_of(window) if float(window @ window) / WINDOW > 1e-6 else 0.0
        periods.append(SOUND_HZ / pitch if pitch > 0 else 0.0)
    return np.minimum(np.array(periods), 2.0 * LONGEST)


def _marks(sound: Floats, periods: Floats) -> Floats:
    """Sample positions of the periods' peaks; evenly spaced where unvoiced."""
    marks: list[int] = []
    at = 0
    while at < len(sound):
        period = periods[min(at // LOOK, len(periods) - 1)]
        if period <= 0:
            marks.append(at)
            at += UNVOICED_STEP
            continue
        low = max(0, at - int(0.25 * period))
        part = sound[low : at + int(0.25 * period) + 1]
        peak = low + int(np.argmax(part))
        peak = peak if not marks or peak > marks[-1] else at
        marks.append(peak)
        at = peak + int(period)
    return np.array(marks, dtype=float)
