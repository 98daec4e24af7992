"""A render worker that writes down what it hears: for each utterance of the viewer one JSON line in HEARD_FILE, with
the words, how loud it was and how many hops were made up. A conversation does this with its own turn-taking.
"""

import asyncio
import json
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

from rendering.dialogue.hearing.sphinx import SphinxEars
from rendering.dialogue.hearing.voice_activity import level_dbfs
from rendering.dialogue.seams import Hop, Listening
from rendering.worker.main import main
from rendering.worker.session import Session
from tests.common.speech_edges import SpeechEdges

HEARD_BEFORE_HOPS = 20  # the first sound of a word comes before the network is sure of it


class Scribe:
    """Cuts the hops of one session into utterances and has each understood."""

    def __init__(self, ears: SphinxEars, file: Path, expected: list[str]) -> None:
        # Not the session's: those hear one utterance at a time, and the conversation is listening with them.
        self._ears, self._file, self._expected = ears, file, expected
        ears.expect(language="en", expected=expected)
        self._edges = SpeechEdges(offset_s=0.5)
        self._before: deque[Hop] = deque(maxlen=HEARD_BEFORE_HOPS)
        self._hops: list[Hop] = []
        self._listening: Listening | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, hop: Hop) -> None:
        was_speaking = self._edges.is_speaking
        is_speaking = self._edges.push(hop.speech)
        self._before.append(hop)
        if is_speaking and not was_speaking:
            self._listening = self._ears.listen(language="en", expected=self._expected)
            self._hops = list(self._before)
            for earlier in self._before:
                self._listening.push(earlier.pcm)
        elif self._listening is not None:
            self._hops.append(hop)
            self._listening.push(hop.pcm)
            if was_speaking and not is_speaking:
                task = asyncio.create_task(self._write(self._listening, self._hops))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                self._listening = None

    async def _write(self, listening: Listening, hops: list[Hop]) -> None:
        final = await listening.finish()
        line: dict[str, Any] = {
            "text": final.text, "confidence": final.confidence, "level_dbfs": max(level_dbfs(one.pcm) for one in hops),
            "concealed": sum(one.is_concealed for one in hops), "hops": len(hops),
            "steps_s": [round(b.at_s - a.at_s, 4) for a, b in zip(hops, hops[1:], strict=False)]}
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def install(file: Path, expected: list[str]) -> None:
    """Every session gets a scribe."""
    scribes: dict[int, Scribe] = {}
    ears = SphinxEars()
    original = Session.heard

    def heard(self: Session, hop: Hop) -> None:
        original(self, hop)
        if id(self) not in scribes:
            scribes[id(self)] = Scribe(ears, file, expected)
        scribes[id(self)].heard(hop)

    Session.heard = heard  # type: ignore[method-assign]


if __name__ == "__main__":
    install(Path(os.environ["HEARD_FILE"]), json.loads(os.environ["EXPECTED"]))
    sys.exit(main())
