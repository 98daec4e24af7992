"""What life answers to: prosody, who holds the floor, the shown emotion and the viewer's affect, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import CHUNK

Array = np.ndarray[Any, np.dtype[Any]]

HEARD = ("level", "pitch", "voiced", "stress", "speaking", "listening")
SPEAKING, LISTENING, STRESS = HEARD.index("speaking"), HEARD.index("listening"), HEARD.index("stress")
EMOTION_COUNT = 8  # in the order of motion.expression.EMOTIONS; thousandths / 1000
AFFECT = ("valence", "arousal")  # -1..1 and 0..1; zeros when perception is not allowed
BEHIND = 16  # frames before a chunk that it still answers to
HEARD_STEPS = (BEHIND + CHUNK) // 2


@dataclass(frozen=True)
class Scene:
    """T frames of circumstances."""

    heard: Array  # [T, 6] in the order of HEARD
    emotion: Array  # [T, 8]
    affect: Array  # [T, 2]

    def __len__(self) -> int:
        return len(self.heard)

    def part(self, first: int, last: int) -> Scene:
        """Frames `first` up to `last`."""
        return Scene(self.heard[first:last], self.emotion[first:last], self.affect[first:last])

    def around(self, starts: Array) -> tuple[Array, Array]:
        """What chunks that begin at frames `starts` [B] answer to: heard [B, 24, 6], emotion and affect [B, 10].

        Nothing later than the chunk's own last frame is read. Frames before the first repeat it.
        """
        index = starts[:, None] + np.arange(-BEHIND, CHUNK)
        heard = self.heard[np.clip(index, 0, len(self) - 1)]
        now = np.clip(starts, 0, len(self) - 1)
        return heard, np.concatenate([self.emotion[now], self.affect[now]], axis=1)


def silent(frames: int, *, listening: float = 0.0) -> Scene:
    """Nobody speaks."""
    heard = np.zeros((frames, len(HEARD)), np.float32)
    heard[:, LISTENING] = listening
    emotion = np.zeros((frames, EMOTION_COUNT), np.float32)
    return Scene(heard, emotion, np.zeros((frames, len(AFFECT)), np.float32))
