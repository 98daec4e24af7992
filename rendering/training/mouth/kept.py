"""What a build keeps in its folder, so that a second run goes on from there: the speech, and recognisers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.layers import Block, Network
from rendering.engine.motion.mouth.recogniser import Recogniser
from rendering.training.mouth.corpus import Speech

_BLOCK = ("convolve", "bias", "project")


def keep_speech(path: Path, speech: Speech, cause: dict[str, Any]) -> None:
    """Write a corpus with what it was made from."""
    np.savez(
        path, samples=np.round(speech.samples * 32768).astype(np.int16), starts_s=speech.starts_s,
        ends_s=speech.ends_s, classes=speech.classes, speakers=speech.speakers, voices=np.array(speech.voices),
        cause=json.dumps(cause),
    )  # fmt: skip


def kept_speech(path: Path, cause: dict[str, Any]) -> Speech | None:
    """The corpus that was made from this, or None."""
    found = _made_from(path, cause)
    if found is None:
        return None
    samples = found["samples"].astype(np.float32) / 32768
    return Speech(
        samples, found["starts_s"], found["ends_s"], found["classes"], found["speakers"], tuple(found["voices"])
    )


def keep_recogniser(path: Path, recogniser: Recogniser, updates: int, cause: dict[str, Any]) -> None:
    """Write a recogniser with what it was made from and how many updates it took."""
    net = recogniser.network
    arrays = {f"{i}.{name}": getattr(block, name) for i, block in enumerate(net.blocks) for name in _BLOCK}
    np.savez(
        path, mean=recogniser.mean, deviation=recogniser.deviation, enter=net.enter, enter_bias=net.enter_bias,
        leave=net.leave, leave_bias=net.leave_bias, dilations=[block.dilation for block in net.blocks],
        updates=updates, cause=json.dumps(cause), **arrays,
    )  # fmt: skip


def kept_recogniser(path: Path, cause: dict[str, Any]) -> tuple[Recogniser, int] | None:
    """The recogniser that was made from this, and how many updates it took; or None."""
    found = _made_from(path, cause)
    if found is None:
        return None
    blocks = tuple(
        Block(int(dilation), *(found[f"{index}.{name}"] for name in _BLOCK))
        for index, dilation in enumerate(found["dilations"])
    )
    net = Network(found["enter"], found["enter_bias"], blocks, found["leave"], found["leave_bias"])
    return Recogniser(net, found["mean"], found["deviation"]), int(found["updates"])


def _made_from(path: Path, cause: dict[str, Any]) -> Any:
    """The arrays of a file that was made from this, or None."""
    if not path.exists():
        return None
    found = np.load(path)
    return found if json.loads(str(found["cause"])) == cause else None
