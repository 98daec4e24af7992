"""The path of a voice that does not say when its sounds begin: its sound is heard, judged, gated, and then moves.

    heard = hear(models, samples)              # a whole utterance, known ahead
    stream = HearingStream(models)             # live sound, 67 ms behind; the motion model takes 100 ms more
    rows = stream.push(samples)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth import ways
from rendering.engine.motion.mouth.features import FRAMES_PER_S, FeatureStream, log_mel
from rendering.engine.motion.mouth.gate import VoiceGate, gated
from rendering.engine.motion.mouth.loudness import loudness_mouth
from rendering.engine.motion.mouth.recogniser import LOOK_AHEAD, Recogniser, RecogniserStream, segments
from rendering.engine.motion.visemes import VISEMES

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class HeardSpan:
    """A recognised sound, in the form in which voices give exact ones."""

    viseme: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Heard:
    """What was made of one utterance's sound. F frames at n / 30 s after its start."""

    way: ways.Way
    shares: Array | None  # [F, VISEMES] on the ways of recognition
    mouth: Array | None  # [F, MOUTH] on the way of loudness
    spans: tuple[HeardSpan, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        rows = self.shares if self.shares is not None else self.mouth
        return 0.0 if rows is None else len(rows) / FRAMES_PER_S


def hear(recogniser: Recogniser | None, samples: Array, *, has_motion_model: bool) -> Heard:
    """Judge a whole utterance [N], float in -1..1 at 16 kHz, by the best means at hand."""
    means = ways.Means(False, len(samples) > 0, recogniser is not None, has_motion_model)
    way = ways.choose(means)
    if recogniser is None or way not in (ways.Way.RECOGNISED, ways.Way.SEGMENTS):
        return Heard(way, None, loudness_mouth(samples) if way is ways.Way.LOUDNESS else None)
    features = log_mel(samples)
    gate = VoiceGate()
    posteriors = recogniser.posteriors(features)
    shares = np.stack([gated(p, gate.step(f, p)) for f, p in zip(features, posteriors, strict=True)])
    spans = tuple(HeardSpan(VISEMES[c], max(0.0, start_s), end_s) for c, start_s, end_s in segments(shares))
    return Heard(way, shares, None, spans)


class HearingStream:
    """The same for sound that arrives in pieces."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._features = FeatureStream()
        self._recogniser = RecogniserStream(recogniser)
        self._gate = VoiceGate()
        self._waiting: list[Array] = []

    def push(self, samples: Array) -> Array:
        """[F, VISEMES] gated class shares of the frames that can be judged after these samples [N]."""
        self._waiting += list(self._features.push(samples))
        rows = self._recogniser.push(samples)
        out = [gated(row, self._gate.step(self._waiting.pop(0), row)) for row in rows]
        assert len(self._waiting) <= LOOK_AHEAD
        return np.array(out, np.float32).reshape(-1, len(VISEMES))
