"""Does somebody speak? Silero's small network where its wheel is installed, a readable rule of energy where not. PURE.

One window of 32 ms costs the network 0.1 to 0.2 ms on one thread (`make bench NAME=hearing`), so it runs where the
sound arrives: a thread would cost more than it saves, and a window later is an answer later.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rendering.dialogue.seams import HEARING_RATE_HZ, PartFailed, Samples

WINDOW_SAMPLES = 512  # 32 ms; the network takes no other length at this rate
CONTEXT_SAMPLES = 64  # of the window before, which the network sees again
FULL_SCALE = 32768.0


class VoiceActivity(Protocol):
    """How likely speech is, kept up to date as sound comes."""

    def push(self, pcm: Samples) -> float:
        """Take [N] more samples at HEARING_RATE_HZ; how likely the newest of them are speech, 0..1."""

    def reset(self) -> None:
        """Forget the sound before."""


class SileroVoiceActivity:
    """The network of the silero-vad wheel (MIT), run by onnxruntime.

    Raises:
        PartFailed: the wheel or onnxruntime is missing.
    """

    def __init__(self) -> None:
        self._network = silero_network()
        self._rate = np.array(HEARING_RATE_HZ, np.int64)
        self.reset()

    def reset(self) -> None:
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._pending = np.zeros(0, np.int16)
        self._speech = 0.0

    def push(self, pcm: Samples) -> float:
        """As `VoiceActivity.push`; between two windows the last one's answer stands."""
        self._pending = np.concatenate((self._pending, pcm))
        while len(self._pending) >= WINDOW_SAMPLES:
            window, self._pending = self._pending[:WINDOW_SAMPLES], self._pending[WINDOW_SAMPLES:]
            self._speech = self._ask(window.astype(np.float32) / FULL_SCALE)
        return self._speech

    def _ask(self, window: np.ndarray) -> float:
        seen = np.concatenate((self._context, window))[None]
        speech, self._state = self._network.run(None, {"input": seen, "state": self._state, "sr": self._rate})
        self._context = window[-CONTEXT_SAMPLES:]
        return float(speech[0, 0])


@cache
def silero_network() -> Any:
    """The network, loaded once for the process.

    Raises:
        PartFailed: the wheel or onnxruntime is missing.
    """
    wheel = importlib.util.find_spec("silero_vad")  # found, not imported: importing it would load torch
    if wheel is None or wheel.origin is None or importlib.util.find_spec("onnxruntime") is None:
        raise PartFailed("The wheel silero-vad or onnxruntime is not installed.", part="ears", trouble="missing")
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = Path(wheel.origin).with_name("data") / "silero_vad_16k_op15.onnx"
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


class EnergyVoiceActivity:
    """The readable fallback: speech is what is well above the quietest the line has been lately.

    It follows the floor down at once and up slowly, so a steady noise becomes the floor within seconds; and it cannot
    tell a voice from a door.
    """

    RISE_DB_PER_S = 6.0
    HALF_CHANCE_DB, STEEPNESS_PER_DB = 9.0, 0.8
    QUIETEST_DB = -60.0  # relative to full scale; below it nobody is heard anyway

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._floor_db = -45.0

    def push(self, pcm: Samples) -> float:
        level_db = level_dbfs(pcm)
        rise_db = self.RISE_DB_PER_S * len(pcm) / HEARING_RATE_HZ
        self._floor_db = max(self.QUIETEST_DB, min(level_db, self._floor_db + rise_db))
        above_db = level_db - self._floor_db - self.HALF_CHANCE_DB
        return float(1 / (1 + np.exp(-self.STEEPNESS_PER_DB * above_db)))


def level_dbfs(pcm: Samples) -> float:
    """Root mean square of [N] samples in dB of full scale; -96 for silence."""
    power = float(np.mean(np.square(pcm, dtype=np.float64))) if len(pcm) else 0.0
    return 10 * float(np.log10(power / FULL_SCALE**2)) if power > 0 else -96.0


def pick_voice_activity() -> VoiceActivity:
    """Silero's network, or the rule of energy where it is not installed."""
    try:
        return SileroVoiceActivity()
    except PartFailed:
        return EnergyVoiceActivity()
