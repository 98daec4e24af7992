"""What the demo says while it works."""

import sys
import time


class Terminal:
    """Numbered steps and one progress line that rewrites itself where the terminal can."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._is_live = sys.stderr.isatty()
        self._last = ""

    def step(self, words: str) -> None:
        self._clear()
        print(f"{time.monotonic() - self._started:7.1f} s  {words}", file=sys.stderr, flush=True)

    def progress(self, words: str, share: float) -> None:
        filled = round(24 * min(max(share, 0.0), 1.0))
        if self._is_live:
            print(
                f"\r\033[K           [{'█' * filled}{'·' * (24 - filled)}] {share:4.0%}  {words}",
                end="",
                file=sys.stderr,
                flush=True,
            )
        elif (mark := f"{words.split(',')[0]} {int(share * 4) * 25} %") != self._last:
            self._last = mark
            print(f"{time.monotonic() - self._started:7.1f} s    {mark}", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._is_live:
            print("\r\033[K", end="", file=sys.stderr)
