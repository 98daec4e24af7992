"""Smart Turn v3.2 (pipecat, BSD-2) as judge: an ONNX model over the last eight seconds of sound.

One decision takes some sixty milliseconds of a core, so it is thought out in a thread while the pause goes on, and
again as the pause gets longer; until an answer is there the turn counts as going on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.dialogue.seams import HOP_SAMPLES, Hop, PartFailed
from rendering.dialogue.turns import mel
from rendering.dialogue.turns.features import Turn
from rendering.dialogue.turns.model import Judgement

MODEL = Path("audio", "turn", "smart_turn", "data", "smart-turn-v3.2-cpu.onnx")
ASKED_AT_S = (0.2, 0.5, 1.0)  # of a pause
Floats32 = NDArray[np.float32]


class SmartTurn:
    """The network: sound in, how likely the turn is over out. Safe to call from another thread."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def installed(cls) -> SmartTurn:
        """The model of the installed pipecat-ai wheel; nothing of its code is loaded.

        Raises:
            PartFailed: the wheel or onnxruntime is not installed.
        """
        found = util.find_spec("pipecat")
        path = Path(str(found.origin)).parent / MODEL if found and found.origin else None
        if path is None or not path.is_file() or util.find_spec("onnxruntime") is None:
            raise PartFailed(
                "Smart Turn is chosen and not installed: install deploy/locks/models.txt.",
                part="turn", trouble="missing",
            )
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return cls(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))

    def share(self, sound: Floats32) -> float:
        """How likely [N] samples at 16 kHz, of which the last eight seconds count, end a turn; 0..1."""
        out = self._session.run(None, {"input_features": mel.log_mel(sound)[None]})
        return float(np.asarray(out[0]).reshape(-1)[0])


class SmartJudge:
    """Asks the network in the pauses. One question at a time; an answer for an earlier pause is thrown away."""

    def __init__(self, share: Callable[[Floats32], float], pool: Executor) -> None:
        self._share, self._pool = share, pool
        self._sound: deque[NDArray[np.int16]] = deque(maxlen=mel.SAMPLES // HOP_SAMPLES)
        self._asked = 0
        self._question: Future[float] | None = None
        self._over = 0.0

    def hear(self, hop: Hop, is_pause: bool) -> None:
        """Keep the sound; speech makes earlier answers void."""
        self._sound.append(hop.pcm)
        if not is_pause:
            self._asked, self._question, self._over = 0, None, 0.0

    def judge(self, turn: Turn) -> Judgement:
        """What the network said of this pause so far. Never waits."""
        if self._question is not None and self._question.done():
            self._over, self._question = self._question.result(), None
        is_due = self._asked < len(ASKED_AT_S) and turn.pause_s >= ASKED_AT_S[self._asked]
        if is_due and self._question is None:
            self._asked += 1
            sound = np.concatenate(list(self._sound)).astype(np.float32) / 32768
            self._question = self._pool.submit(self._share, sound)
        return Judgement(self._over, (0.0, 0.0, 0.0, 1.0 - self._over), (("smart_turn", self._over),))
