"""What was said in a conversation, and of the replica only what was heard: it is what the brain answers to. PURE."""

from collections import deque
from collections.abc import Sequence

from rendering.dialogue.seams import Said

KEPT = 40


class History:
    """The last things said, oldest first."""

    def __init__(self) -> None:
        self._said: deque[Said] = deque(maxlen=KEPT)

    def user(self, text: str) -> None:
        self._said.append(Said("user", text))

    def replica(self, text: str) -> None:
        """A clause of the replica begins to be heard."""
        self._said.append(Said("replica", text))

    def cut(self, share: float) -> str:
        """The clause said last was cut after `share` of its time, 0..1: keeps the words that were heard, and tells
        them. A word that was begun was not heard.
        """
        if not self._said or self._said[-1].role != "replica":
            return ""
        words = self._said.pop().text.split()
        heard = " ".join(words[: int(len(words) * min(1.0, max(0.0, share)))])
        if heard:
            self._said.append(Said("replica", heard))
        return heard

    def said(self) -> Sequence[Said]:
        return tuple(self._said)
