"""Which mouth shapes a voice is making, from its sound alone: for voices that do not say when each sound begins.

Each frame is judged twice: soon, so that the mouth can begin to move, and again when the sound after it is known,
because p, b and m show in the vowel that follows them. Both judgements lie in one row, and the mouth waits no longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import FRAMES_PER_S, INPUTS, FeatureStream, log_mel
from rendering.engine.motion.mouth.layers import Network, NetworkStream
from rendering.engine.motion.visemes import SILENCE, VISEMES

Array = np.ndarray[Any, np.dtype[Any]]

LOOK_AHEAD = 2  # frames of sound after the one that is judged
SECOND_AFTER = 3  # frames later, once more of the sound is known, each frame is judged a second time
_PART = 6000  # frames judged at once
HEARD = 2 * len(VISEMES)  # numbers in one row: frame n at first hearing, frame n - SECOND_AFTER at second


@dataclass(frozen=True)
class Recogniser:
    """Sound to the probability of each mouth-shape class at both hearings."""

    network: Network
    mean: Array  # [INPUTS] of the features in training
    deviation: Array  # [INPUTS]

    def posteriors(self, features: Array) -> Array:
        """[F, HEARD] probabilities from features [F, INPUTS] of the whole recording.

        Row n uses features up to frame n + LOOK_AHEAD; after the end there is silence. It holds frame n at first
        hearing and frame n - SECOND_AFTER at second.
        """
        quiet = np.repeat(silent_features()[None], self.network.past_frames, axis=0)
        tail = np.repeat(silent_features()[None], LOOK_AHEAD, axis=0)
        padded = self._normal(np.concatenate([quiet, features, tail]))
        rows = [
            self.network.run(padded[first : first + _PART + len(quiet)])  # a long recording would not fit into memory
            for first in range(0, len(features) + LOOK_AHEAD, _PART)
        ]
        return _softmax(np.concatenate(rows)[LOOK_AHEAD:])

    def listen(self, samples: Array) -> Array:
        """[F, HEARD] probabilities at n / 30 s of a whole recording [N], float in -1..1 at 16 kHz."""
        return self.posteriors(log_mel(samples))

    def _normal(self, features: Array) -> Array:
        return np.asarray((features - self.mean) / self.deviation, np.float32)


class RecogniserStream:
    """The recogniser for sound that arrives in pieces: what was heard LOOK_AHEAD frames ago is judged now."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._features = FeatureStream()
        self._network = NetworkStream(recogniser.network, recogniser._normal(silent_features()))
        self._waiting = LOOK_AHEAD

    def push(self, samples: Array) -> Array:
        """[F, HEARD] probabilities of the next frames that can be judged after these samples [N]."""
        judged = [_softmax(self._network.step(self._recogniser._normal(f))) for f in self._features.push(samples)]
        early = min(self._waiting, len(judged))
        self._waiting -= early
        return np.array(judged[early:], np.float32).reshape(-1, HEARD)


def silent_features() -> Array:
    """[INPUTS] features of digital silence."""
    return np.asarray(log_mel(np.zeros(1, np.float32))[0]).reshape(INPUTS)


def segments(posteriors: Array) -> list[tuple[int, float, float]]:
    """Class, start s and end s of each run of frames with the same likeliest class; frame n stands for n / 30 s."""
    best = posteriors.argmax(1)
    edges = np.flatnonzero(np.diff(best)) + 1
    firsts, lasts = np.r_[0, edges], np.r_[edges, len(best)]
    half = 0.5
    return [
        (int(best[a]), (a - half) / FRAMES_PER_S, (b - half) / FRAMES_PER_S)
        for a, b in zip(firsts, lasts, strict=True)
        if b > a
    ]


def silence(frames: int) -> Array:
    """[frames, VISEMES] certain silence."""
    out = np.zeros((frames, len(VISEMES)), np.float32)
    out[:, SILENCE] = 1.0
    return out


def settled(rows: Array) -> Array:
    """[F, VISEMES] the better judgement of each frame, of rows [F, HEARD]: the second, and at the end the first."""
    classes = len(VISEMES)
    return np.concatenate([rows[SECOND_AFTER:, classes:], rows[-SECOND_AFTER:, :classes]])


def twice(shares: Array) -> Array:
    """[F, HEARD] rows as if a recogniser had heard class shares [F, VISEMES] without a doubt; before them silence."""
    return np.concatenate([shares, np.concatenate([silence(SECOND_AFTER), shares])[: len(shares)]], axis=1)


def _softmax(logits: Array) -> Array:
    """Probabilities of each hearing [..., HEARD]."""
    each = logits.reshape(*logits.shape[:-1], 2, len(VISEMES))
    power = np.exp(each - each.max(-1, keepdims=True))
    return np.asarray((power / power.sum(-1, keepdims=True)).reshape(logits.shape), np.float32)
