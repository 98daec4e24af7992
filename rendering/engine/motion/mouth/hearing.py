"""The path of a voice that does not say when its sounds begin: its sound is heard, judged, gated, and then moves.

    heard = hear(models, samples)              # a whole utterance, known ahead
    stream = HearingStream(models)             # live sound, 67 ms behind; the motion model takes 100 ms more
    rows = stream.push(samples)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth import ways
from rendering.engine.motion.mouth.features import FRAMES_PER_S, FeatureStream, log_mel
from rendering.engine.motion.mouth.gate import VoiceGate, gated
from rendering.engine.motion.mouth.loudness import loudness_mouth
from rendering.engine.motion.mouth.recogniser import (
    HEARD,
    LOOK_AHEAD,
    SECOND_AFTER,
    Recogniser,
    RecogniserStream,
    segments,
    settled,
)
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
    rows: Array | None  # [F, HEARD] on the ways of recognition
    mouth: Array | None  # [F, MOUTH] on the way of loudness
    spans: tuple[HeardSpan, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        rows = self.rows if self.rows is not None else self.mouth
        return 0.0 if rows is None else len(rows) / FRAMES_PER_S


def hear(recogniser: Recogniser | None, samples: Array, *, has_motion_model: bool) -> Heard:
    """Judge a whole utterance [N], float in -1..1 at 16 kHz, by the best means at hand."""
    means = ways.Means(False, len(samples) > 0, recogniser is not None, has_motion_model)
    way = ways.choose(means)
    if recogniser is None or way not in (ways.Way.RECOGNISED, ways.Way.SEGMENTS):
        return Heard(way, None, loudness_mouth(samples) if way is ways.Way.LOUDNESS else None)
    features = log_mel(samples)
    gating = _Gating()
    rows = np.stack([gating.step(f, p) for f, p in zip(features, recogniser.posteriors(features), strict=True)])
    spans = tuple(HeardSpan(VISEMES[c], max(0.0, start_s), end_s) for c, start_s, end_s in segments(settled(rows)))
    return Heard(way, rows, None, spans)


class HearingStream:
    """The same for sound that arrives in pieces."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._features = FeatureStream()
        self._recogniser = RecogniserStream(recogniser)
        self._gating = _Gating()
        self._waiting: list[Array] = []

    def push(self, samples: Array) -> Array:
        """[F, HEARD] gated rows of the frames that can be judged after these samples [N]."""
        self._waiting += list(self._features.push(samples))
        rows = self._recogniser.push(samples)
        out = [self._gating.step(self._waiting.pop(0), row) for row in rows]
        assert len(self._waiting) <= LOOK_AHEAD
        return np.array(out, np.float32).reshape(-1, HEARD)


class _Gating:
    """The voice gate over rows: each frame's second hearing is held back as far as its first was."""

    def __init__(self) -> None:
        self._gate = VoiceGate()
        self._openness = deque([0.0] * SECOND_AFTER)

    def step(self, features: Array, row: Array) -> Array:
        """[HEARD] one more row, gated."""
        first, second = row[: len(VISEMES)], row[len(VISEMES) :]
        self._openness.append(self._gate.step(features, first))
        return np.concatenate([gated(first, self._openness[-1]), gated(second, self._openness.popleft())])
