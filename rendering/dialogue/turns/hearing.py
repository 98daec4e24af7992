"""What a turn-taker hears in 20 ms: level, pitch, and whether somebody speaks. Causal; numpy only.

`trustcore/static/js/viewer/turns/hearing.js` does the same arithmetic in the viewer's browser; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.seams import HOP_SAMPLES

Floats = NDArray[np.float64]

RATE_HZ = 8_000  # pitch is looked for at half the hearing rate
WINDOW = 320  # samples at RATE_HZ: 40 ms
SHORTEST, LONGEST = 20, 123  # periods in samples at RATE_HZ: 400 down to 65 Hz
COMPARED = WINDOW - LONGEST - 1  # samples of the window that are compared with later ones
VOICED_LIKENESS = 0.5  # normalised autocorrelation from which a window counts as voiced
LONG_PERIOD_COST = 0.0012  # likeness a longer period loses per sample, else two periods win as often as one
QUIETEST_DB = -90.0
AUDIBLE_DB = -65.0  # under this no pitch is looked for
SMOOTHING = np.array([0.25, 0.5, 0.25])  # keeps what lies over 4 kHz from folding back

FLOOR_RISE_DB, FLOOR_FALL = 0.02, 0.3  # a hop: the noise floor climbs slowly and falls at once
SPEECH_OVER_FLOOR_DB = 9.0
SPEECH_WIDTH_DB = 2.5
VOICED_BONUS_DB = 4.0
LAG_SHARE = 0.5


@dataclass(frozen=True)
class Sound:
    """One hop. `level_db` is dB of full scale; `pitch_hz` is 0 where the hop is not voiced."""

    level_db: float
    pitch_hz: float


class Hearing:
    """Hears hop after hop. The last 40 ms are kept, for a low voice needs two periods."""

    def __init__(self) -> None:
        self._window = np.zeros(WINDOW)
        self._tail = np.zeros(2)

    def push(self, pcm: NDArray[np.int16]) -> Sound:
        """Take [HOP_SAMPLES] at 16 kHz."""
        sound = pcm.astype(np.float64) / 32768.0
        power = float(sound @ sound) / HOP_SAMPLES
        level_db = max(QUIETEST_DB, 10.0 * np.log10(power + 1e-12))
        joined = np.concatenate([self._tail, sound])
        self._tail = joined[-2:]
        smooth = np.convolve(joined, SMOOTHING, "valid")[::2]
        self._window = np.concatenate([self._window[len(smooth):], smooth])
        return Sound(float(level_db), pitch_of(self._window) if level_db > AUDIBLE_DB else 0.0)


def pitch_of(window: Floats) -> float:
    """Hertz of the strongest period of [WINDOW] samples at RATE_HZ, 0.0 where none is strong.

    The peak of the normalised autocorrelation over a fixed stretch, refined by a parabola through its neighbours.
    """
    sound = window - window.mean()
    head = sound[:COMPARED]
    lags = np.correlate(sound, head, "valid")  # [WINDOW - COMPARED + 1], lag 0 first
    squares = np.concatenate([[0.0], np.cumsum(sound * sound)])
    energy = squares[COMPARED:] - squares[: len(squares) - COMPARED]
    likeness = lags / np.sqrt(energy[0] * energy + 1e-12)
    part = likeness[SHORTEST : LONGEST + 1]
    best = int(np.argmax(part - LONG_PERIOD_COST * np.arange(len(part)))) + SHORTEST
    if likeness[best] < VOICED_LIKENESS:
        return 0.0
    before, here, after = likeness[best - 1], likeness[best], likeness[best + 1]
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend < -1e-9 else 0.0
    return float(RATE_HZ / (best + min(max(shift, -0.5), 0.5)))


class LevelVoice:
    """How likely somebody speaks, by level over the noise floor and by pitch: for where no other detector runs."""

    def __init__(self) -> None:
        self._floor_db: float | None = None
        self._share = 0.0

    def push(self, sound: Sound) -> float:
        """0..1 for one hop."""
        floor_db = sound.level_db if self._floor_db is None else self._floor_db
        fallen = floor_db + FLOOR_FALL * (sound.level_db - floor_db)
        self._floor_db = fallen if sound.level_db < floor_db else floor_db + FLOOR_RISE_DB
        over_db = sound.level_db - self._floor_db - SPEECH_OVER_FLOOR_DB
        over_db += VOICED_BONUS_DB if sound.pitch_hz > 0 else 0.0
        now = 1.0 / (1.0 + np.exp(-over_db / SPEECH_WIDTH_DB))
        self._share += LAG_SHARE * (float(now) - self._share)
        return self._share
