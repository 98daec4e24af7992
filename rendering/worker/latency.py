"""Latency marks of one session: how long what took, in milliseconds, reported with every renewal."""

import time
from collections import deque
from collections.abc import Mapping

KEPT_FRAMES = 300


class LatencyMarks:
    """Named spans and the making time of the last frames. Written from two threads; each write is one step."""

    def __init__(self) -> None:
        self._started_s: dict[str, float] = {}
        self._marks_ms: dict[str, float] = {}
        self._frames_ms: deque[float] = deque(maxlen=KEPT_FRAMES)

    def start(self, name: str) -> None:
        """The event a later mark is counted from, for example "offer"."""
        self._started_s[name] = time.monotonic()

    def mark(self, name: str, since: str) -> None:
        """Keep `name` as milliseconds since `since` was started. The first time counts."""
        if since in self._started_s:
            self._marks_ms.setdefault(name, round((time.monotonic() - self._started_s[since]) * 1000, 1))

    def note(self, name: str, value_ms: float) -> None:
        """Keep a figure that was measured elsewhere; the last one counts."""
        self._marks_ms[name] = round(value_ms, 1)

    def frame(self, making_s: float) -> None:
        self._frames_ms.append(making_s * 1000)

    def to_json(self) -> Mapping[str, float]:
        """All marks, with the median and the 95th percentile of the last frames' making time."""
        marks = dict(self._marks_ms)
        frames = sorted(self._frames_ms)
        if frames:
            marks["frame_ms_p50"] = round(frames[len(frames) // 2], 2)
            marks["frame_ms_p95"] = round(frames[int(len(frames) * 0.95)], 2)
        return marks
