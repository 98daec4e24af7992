"""When a session's mark goes on to its next slot. PURE: given each picture's media time and what the encoder will do.

The signs change in a key frame, because every other picture is coded as a difference to the one before and would keep
the old signs for a while. A key frame is many times the size of another, so a slot that is old enough waits for one
that is made anyway, and only after a longer while asks for one. Where the line carries little, that while is longer.
"""

from rendering.worker.pacing import MEDIA_CLOCK_HZ

SHORTEST_S = 5  # a clip of some seconds then meets two slots at most, and a detector reads each of them
LONGEST_S = 10  # after it nobody can average more pictures of one slot; a recording can be searched in such steps, too
LONGEST_AT_LOW_RATE_S = 30


class SlotSchedule:
    """The first slot begins with media time zero."""

    def __init__(self) -> None:
        self._began_90k = 0

    def is_over(self, media_time_90k: int, *, is_key: bool, is_low_rate: bool) -> bool:
        """Whether the slot is over and the picture of this time is the first of the next. Then it must be a key frame.

        Args:
            media_time_90k: of the picture that is about to be marked; grows from call to call.
            is_key: that picture will be a key frame in any case.
            is_low_rate: the picture's target is below `governor.LOW_RATE_BELOW_BPS`.
        """
        age_90k = media_time_90k - self._began_90k
        longest_s = LONGEST_AT_LOW_RATE_S if is_low_rate else LONGEST_S
        if age_90k < (SHORTEST_S if is_key else longest_s) * MEDIA_CLOCK_HZ:
            return False
        self._began_90k = media_time_90k
        return True
