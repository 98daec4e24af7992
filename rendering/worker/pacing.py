"""When each picture is made and sent. PURE: every function is given `now_s`.

A picture that would be late is never made: ticks are skipped, nothing queues. A picture that was encoded is always
sent, because the ones after it refer to it.
"""

import math
from dataclasses import dataclass

MEDIA_CLOCK_HZ = 90_000


@dataclass(frozen=True)
class Tick:
    """One place on the session's media clock."""

    index: int
    media_time_s: float
    media_time_90k: int
    start_at_s: float  # when to begin making the picture, on the clock that `now_s` comes from
    send_at_s: float  # when the picture is due on the wire
    skipped: int  # ticks passed over since the one before


FIRST_TICK = Tick(0, 0.0, 0, 0.0, 0.0, 0)  # media time zero: made before the connection stands


class FramePacer:
    """Hands out ticks.

    Args:
        frame_rate_hz: pictures per second; `turn_to` changes it.
        origin_s: `now_s` at media time zero.
        lead_s: how long before its due time a picture is begun; the making must fit into it on average.
        first_index: the first tick to hand out; 1 when the picture of media time zero is made already.
    """

    def __init__(self, frame_rate_hz: int, origin_s: float, lead_s: float, first_index: int = 0) -> None:
        self._frame_rate_hz = frame_rate_hz
        self._origin_s = origin_s
        self._lead_s = lead_s
        self._last_index = first_index - 1

    def turn_to(self, frame_rate_hz: int) -> None:
        """So many pictures a second from the next tick on. The first of them is half a new period away at least."""
        if frame_rate_hz != self._frame_rate_hz:
            self._last_index = math.floor(self._last_index * frame_rate_hz / self._frame_rate_hz + 0.5)
            self._frame_rate_hz = frame_rate_hz

    def next_tick(self, now_s: float) -> Tick:
        """The next tick whose making has not had to begin already; later ones when the maker fell behind.

        A tick may be begun up to half a period late, so that a small wobble of the scheduler costs no picture.
        """
        begun_at_s = now_s - self._origin_s + self._lead_s - 0.5 / self._frame_rate_hz
        index = max(self._last_index + 1, math.ceil(round(begun_at_s * self._frame_rate_hz, 6)))
        skipped = index - self._last_index - 1
        self._last_index = index
        media_time_s = index / self._frame_rate_hz
        send_at_s = self._origin_s + media_time_s
        return Tick(
            index, media_time_s, index * MEDIA_CLOCK_HZ // self._frame_rate_hz, send_at_s - self._lead_s, send_at_s,
            skipped,
        )
