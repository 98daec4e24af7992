"""From sound to how lively a voice is. PURE, numpy; the readable truth of viewer/perception/voice.js.

Pitch, its range, loudness and pace rise with arousal in every language that was looked at (Scherer, 2003); whether a
lively voice is glad or angry they hardly tell, so valence is not read. Each is held against the same speaker's own
first seconds of speech: a high voice is not a lively one.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.perception.units import FULL_MILLI
from rendering.perception.vectors import VoiceReading

RATE_HZ = 16_000
WINDOW = 1024  # samples of one look, 64 ms: two periods of the lowest voice
EVERY = 960  # samples from one look to the next, 60 ms
LOWEST_HZ, HIGHEST_HZ = 70.0, 400.0
VOICED = 0.55  # normalised autocorrelation from which a look counts as voiced
SILENT_DB = -50.0  # of full scale
JUDGED = 50  # looks, three seconds
USUAL = 400  # looks of speech that make up a speaker's usual, the last 24 s of it
LEAST_USUAL, LEAST_VOICED = 25, 8

# How much of each, above the speaker's usual, counts as one step of arousal.
PITCH_STEP, RANGE_STEP, LEVEL_STEP, PACE_STEP = 3.0, 4.0, 6.0, 1.5  # semitones, semitones, dB, voiced runs a second
MOST_SURE = 0.8  # a voice alone is never surer


@dataclass(frozen=True)
class Look:
    """One window of sound: its level, and its pitch in semitones above 55 Hz; 0 where there is none."""

    level_db: float
    pitch: float


def look_at(samples: Any) -> Look:
    """Level and pitch of [WINDOW] samples in -1..1."""
    samples = np.asarray(samples, float)
    level_db = 20.0 * np.log10(max(float(np.sqrt(np.mean(samples**2))), 1e-9))
    if level_db < SILENT_DB:
        return Look(level_db, 0.0)
    centred = samples - samples.mean()
    lags = range(int(RATE_HZ / HIGHEST_HZ), int(RATE_HZ / LOWEST_HZ) + 1)
    likeness = np.array([_likeness(centred, lag) for lag in lags])
    best = float(likeness.max())
    if best < VOICED:
        return Look(level_db, 0.0)
    # The shortest lag that is nearly as good: twice the period is as like as the period itself.
    lag = lags[int(np.argmax(likeness >= 0.9 * best))]
    while lag + 1 in lags and likeness[lag + 1 - lags[0]] > likeness[lag - lags[0]]:
        lag += 1
    return Look(level_db, 12.0 * float(np.log2(RATE_HZ / lag / 55.0)))


def _likeness(samples: NDArray[np.float64], lag: int) -> float:
    """Normalised autocorrelation at one lag, -1..1."""
    head, tail = samples[:-lag], samples[lag:]
    power = float(np.sqrt((head @ head) * (tail @ tail)))
    return float(head @ tail) / power if power > 0 else 0.0


def arousal_of(looks: Sequence[Look], usual: Sequence[Look]) -> tuple[float, float]:
    """(arousal, how sure), each 0..1, of the last looks against the speaker's usual voiced looks.

    0.5 is the usual. Nothing is sure before the speaker is known and enough of the last seconds is speech.
    """
    voiced = [look for look in looks if look.pitch > 0]
    if len(voiced) < LEAST_VOICED or len(usual) < LEAST_USUAL:
        return 0.5, 0.0
    pitches, usual_pitches = _column(voiced, "pitch"), _column(usual, "pitch")
    steps = (
        (np.median(pitches) - np.median(usual_pitches)) / PITCH_STEP
        + (_spread(pitches) - _spread(usual_pitches)) / RANGE_STEP
        + (np.median(_column(voiced, "level_db")) - np.median(_column(usual, "level_db"))) / LEVEL_STEP
        + (_pace(looks) - 2.5) / PACE_STEP / 2
    )
    sure = MOST_SURE * min(1.0, len(voiced) / 20) * min(1.0, len(usual) / 100)
    return float(1.0 / (1.0 + np.exp(-0.8 * steps))), sure


def _column(looks: Sequence[Look], name: str) -> NDArray[np.float64]:
    return np.array([getattr(look, name) for look in looks])


def _spread(values: NDArray[np.float64]) -> float:
    return float(np.percentile(values, 90) - np.percentile(values, 10))


def _pace(looks: Sequence[Look]) -> float:
    """Voiced runs a second, about syllables; pauses count."""
    starts = sum(1 for before, now in zip(looks, looks[1:], strict=False) if before.pitch == 0 < now.pitch)
    return starts / (len(looks) * EVERY / RATE_HZ)


class ArousalMeter:
    """Hears a voice hop by hop."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Another speaker, or nobody."""
        self._samples: NDArray[np.float64] = np.zeros(0)
        self._looks: deque[Look] = deque(maxlen=JUDGED)
        self._usual: deque[Look] = deque(maxlen=USUAL)

    def push(self, pcm: NDArray[np.int16], speech: float = 1.0) -> None:
        """The next samples [N] at RATE_HZ. `speech`: how likely they are speech, 0..1; what is not is no voice."""
        self._samples = np.concatenate([self._samples, np.asarray(pcm, float) / 32768.0])
        while len(self._samples) >= WINDOW:
            look = look_at(self._samples[:WINDOW])
            self._samples = self._samples[EVERY:]
            if speech < 0.5:
                look = Look(look.level_db, 0.0)
            self._looks.append(look)
            if look.pitch > 0:
                self._usual.append(look)

    def reading(self) -> VoiceReading | None:
        """What is heard now; None while nothing is sure."""
        arousal, sure = arousal_of(list(self._looks), list(self._usual))
        return None if sure == 0 else VoiceReading(round(arousal * FULL_MILLI), round(sure * FULL_MILLI))
