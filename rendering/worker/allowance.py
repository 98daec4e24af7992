"""How often a viewer may ask for something: a bucket that fills with time. PURE."""


class Allowance:
    """`at_once` in a burst, `a_second` for good. What comes faster is refused."""

    def __init__(self, at_once: float, a_second: float) -> None:
        self._at_once = at_once
        self._a_second = a_second
        self._left = at_once
        self._at_s = 0.0

    def take(self, now_s: float) -> bool:
        """Whether one more may come now. `now_s`: seconds of any clock that never goes back, always the same one."""
        passed_s, self._at_s = max(0.0, now_s - self._at_s), now_s
        self._left = min(self._at_once, self._left + passed_s * self._a_second)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
