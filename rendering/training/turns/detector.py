"""The network that tells speech from silence (silero-vad, MIT), run over whole rows as the conversation runs it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rendering.dialogue.seams import HOP_SAMPLES

CHUNK, CONTEXT = 512, 64  # samples at 16 kHz
MODEL = "silero_vad_16k_op15.onnx"


def detect(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """[N] at 16 kHz to [N // HOP_SAMPLES]: each hop has the share of the last whole chunk before its end."""
    sound = pcm.astype(np.float32) / 32768
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
    shares = [0.0]
    for start in range(0, len(sound) - CHUNK + 1, CHUNK):
        chunk = sound[start : start + CHUNK]
        given = {"input": np.concatenate([context, chunk])[None], "state": state, "sr": np.array(16_000, np.int64)}
        share, state = _session().run(None, given)
        context = chunk[-CONTEXT:]
        shares.append(float(share[0, 0]))
    hops = np.arange(1, len(pcm) // HOP_SAMPLES + 1) * HOP_SAMPLES
    return np.array(shares)[np.minimum(hops // CHUNK, len(shares) - 1)]


@cache
def _session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = files("silero_vad").joinpath("data", MODEL)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
