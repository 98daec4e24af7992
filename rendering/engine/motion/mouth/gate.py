"""Is somebody speaking? Music and noise must not move a mouth, so what was heard in them fades to rest.

A frame counts as speech while it is louder than the room and the recogniser hears sounds of speech in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import BANDS, COLUMNS, FRAMES_PER_S
from rendering.engine.motion.visemes import SILENCE

Array = np.ndarray[Any, np.dtype[Any]]

FADE_S = 0.150
HOLD_S = 0.200  # closures and short pauses within speech are silent too
ABOVE_ROOM_DB = 6.0
QUIETEST_DB = -62.0  # of the loudest band of speech, full scale; below this it is silence wherever one is
ROOM_RISE_DB_PER_S = 2.0
SPEECH_SHARE = 0.35  # smoothed share of the frame that is not silence
_SMOOTHING = 0.3
_SPEECH_BANDS = slice(5, 30)  # about 300 to 3400 Hz
_DB = 10 / np.log(10)


class VoiceGate:
    """How far what is heard may move the mouth, 0..1, frame by frame; it only looks back."""

    def __init__(self) -> None:
        self._room_db = QUIETEST_DB
        self._speech = 0.0
        self._quiet_s = HOLD_S + FADE_S

    def step(self, features: Array, posterior: Array) -> float:
        """Openness after one more frame of features [INPUTS] and class probabilities [VISEMES]."""
        level_db = _DB * float(features.reshape(COLUMNS, BANDS)[:, _SPEECH_BANDS].max())
        self._room_db = min(level_db, self._room_db + ROOM_RISE_DB_PER_S / FRAMES_PER_S)
        self._room_db = max(self._room_db, QUIETEST_DB - ABOVE_ROOM_DB)
        self._speech += _SMOOTHING * (1 - float(posterior[SILENCE]) - self._speech)
        is_speech = level_db > self._room_db + ABOVE_ROOM_DB and self._speech > SPEECH_SHARE
        self._quiet_s = 0.0 if is_speech else self._quiet_s + 1 / FRAMES_PER_S
        return float(np.clip(1 - (self._quiet_s - HOLD_S) / FADE_S, 0.0, 1.0))


def gated(posterior: Array, openness: float) -> Array:
    """Class probabilities [VISEMES] with what the gate holds back turned to silence."""
    out = openness * posterior
    out[SILENCE] += 1 - openness
    return np.asarray(out, np.float32)
