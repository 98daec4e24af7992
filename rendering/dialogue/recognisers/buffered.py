"""An utterance that is kept while it is heard and understood as a whole at its end."""

from abc import ABC, abstractmethod

import numpy as np

from rendering.dialogue.seams import HEARING_RATE_HZ, Heard, Samples

MAX_HEARD_S = 60  # the newest of a longer one is understood
_MOST_SAMPLES = MAX_HEARD_S * HEARING_RATE_HZ
MAX_TEXT_CHARS = 2000
MAX_HINTS, MAX_HINT_CHARS = 20, 600


class BufferedListening(ABC):
    """One utterance (`Listening`). A subclass says how the whole is understood."""

    def __init__(self) -> None:
        self._kept: list[Samples] = []
        self._count = 0

    def push(self, pcm: Samples) -> None:
        self._kept.append(pcm)
        self._count += len(pcm)
        while self._count - len(self._kept[0]) >= _MOST_SAMPLES:
            self._count -= len(self._kept.pop(0))

    def partial(self) -> Heard:
        """Nothing before the end: the recogniser takes the whole."""
        return Heard("", is_final=False)

    async def finish(self) -> Heard:
        """The last word; empty when nothing was heard. Raises PartFailed."""
        whole = np.concatenate(self._kept) if self._kept else np.zeros(0, np.int16)
        self.cancel()
        if not len(whole):
            return Heard("", is_final=True)
        heard = await self._understand(whole)
        return Heard(" ".join(heard.text.split())[:MAX_TEXT_CHARS], True, heard.confidence)

    def cancel(self) -> None:
        self._kept, self._count = [], 0

    @abstractmethod
    async def _understand(self, pcm: Samples) -> Heard:
        """The words of [N] samples."""


def hints_of(expected: tuple[str, ...]) -> str:
    """What is likely to be said, as one line for a recogniser that takes a prompt."""
    return " ".join(" ".join(text.split()) for text in expected[:MAX_HINTS])[:MAX_HINT_CHARS]
