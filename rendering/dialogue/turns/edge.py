"""Hints of the viewer's own page about the end of its turn (`trustcore.turn_hint`). What a page says is never trusted.

A hint is one number. Those that are no share, or come more than ten times a second, are thrown away; what is left moves
the decision by a bounded step and never past its delay and time-out (`policy.with_edge`). So a page that lies can be
answered sooner or later in its own conversation, as it could by its silence, and can do nothing else.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

EVENT = "trustcore.turn_hint"
MOST_A_SECOND = 10
OPENING = f'{{"event_type":"{EVENT}",'  # as the page writes it
MAX_CHARS = 200


def is_hint(text: str) -> bool:
    """Whether a message of the data channel is the page's hint, told without reading all of it."""
    return len(text) <= MAX_CHARS and text.startswith(OPENING)


class EdgeHints:
    """Takes hints as they come, gives each to one hop."""

    def __init__(self) -> None:
        self._taken_s: deque[float] = deque(maxlen=MOST_A_SECOND)
        self._hint: float | None = None

    def take(self, end: Any, now_s: float) -> bool:
        """One hint, unchecked, at the session's time; whether it counts."""
        is_number = isinstance(end, int | float) and not isinstance(end, bool)
        if not is_number or not 0.0 <= end <= 1.0:  # no comparison with NaN holds
            return False
        if len(self._taken_s) == MOST_A_SECOND and now_s - self._taken_s[0] < 1.0:
            return False
        self._taken_s.append(now_s)
        self._hint = float(end)
        return True

    def take_text(self, text: str, now_s: float) -> bool:
        """One message that `is_hint`; whether it counts."""
        try:
            end = json.loads(text)["properties"]["end"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        return self.take(end, now_s)

    def for_hop(self) -> float | None:
        """The newest hint for `Hop.edge_end`, once."""
        hint, self._hint = self._hint, None
        return hint
