"""The process that tracks footage and trains a replica: `python -m rendering.worker.training_process`.

It is a process of its own so that the worker stays able to renew its lease and to stop the training at once by killing
it. Everything comes in on stdin and goes out on stdout as length-prefixed messages; no plaintext touches the disk.
"""

import json
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, TypeVar

HEAD = struct.Struct(">cIQ")  # kind, length of the name, length of the data
Outcome = TypeVar("Outcome")
MAX_MESSAGE_BYTES = 1024 * 1024 * 1024

# From the worker: J job (JSON), F footage, C checkpoint (may be empty).
# To the worker: P progress (JSON), V preview (PNG), C checkpoint, A artefact, D done, E error (JSON).


@dataclass(frozen=True)
class Message:
    kind: bytes  # one letter
    name: str
    data: bytes


def pack(kind: bytes, name: str = "", data: bytes = b"") -> bytes:
    encoded = name.encode()
    return HEAD.pack(kind, len(encoded), len(data)) + encoded + data


def read_message(stream: BinaryIO) -> Message | None:
    """The next message, or None at the end of the stream.

    Raises:
        ValueError: the stream ends in the middle of a message, or a length is absurd.
    """
    head = stream.read(HEAD.size)
    if not head:
        return None
    if len(head) < HEAD.size:
        raise ValueError("the stream ends inside a message")
    kind, name_bytes, data_bytes = HEAD.unpack(head)
    if name_bytes > 1024 or data_bytes > MAX_MESSAGE_BYTES:
        raise ValueError("a message is too long")
    name, data = stream.read(name_bytes), stream.read(data_bytes)
    if len(name) < name_bytes or len(data) < data_bytes:
        raise ValueError("the stream ends inside a message")
    return Message(kind, name.decode(), data)


class _Out:
    """Writes messages to the worker."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def say(self, kind: bytes, name: str = "", data: bytes = b"") -> None:
        self._stream.write(pack(kind, name, data))
        self._stream.flush()

    def progress(self, stage: str, done: float, **more: Any) -> None:
        self.say(b"P", data=json.dumps({"stage": stage, "done": done, **more}).encode())


def resumed(
    run: Callable[[bytes | None], Outcome], checkpoint: bytes | None, begins_again: Callable[[str], None]
) -> Outcome:
    """The outcome of a run from its checkpoint; from its beginning where that belongs to another run or release.

    The worker that comes after a kill may be a newer one, and nobody stands by to start the training afresh.
    """
    from rendering.training.errors import CheckpointMismatch

    try:
        return run(checkpoint)
    except CheckpointMismatch as mismatch:
        if checkpoint is None:
            raise
        begins_again(mismatch.message)
        return run(None)


def _train(job: dict[str, Any], footage: bytes, checkpoint: bytes | None, out: _Out) -> None:
    # Imported here, so that the parent can import this module for its message format without torch.
    from rendering.motion_models import life_model, mouth_models
    from rendering.training.config import Progress, TrainingConfig
    from rendering.training.fit import train
    from rendering.training.life.step import with_manner
    from rendering.training.mouth.step import with_style
    from rendering.training.redetection import track_frames
    from rendering.worker import frame_parts
    from trustcore.tracker import MOST_VIEWS, track_clip

    out.progress("track", 0.0)
    clip = track_clip(footage, want=frozenset({"landmarks", "mask"}), views=MOST_VIEWS)
    out.progress("track", 1.0, note=f"{len(clip.frames)} frames at {clip.fps:.1f} per second")

    def on_progress(progress: Progress) -> None:
        out.progress("fit", progress.share, iteration=progress.iteration, psnr_db=progress.psnr_db,
                     eta_s=progress.eta_s, note=progress.stage)
        if progress.preview_png:
            out.say(b"V", data=progress.preview_png)

    config = replace(TrainingConfig(**job.get("config") or {}), rasterizer=frame_parts.choose("auto").name)
    trained = resumed(
        lambda begun: train(clip, config, checkpoint=begun, on_progress=on_progress,
                            on_checkpoint=lambda data: out.say(b"C", data=data), detect=track_frames),
        checkpoint, lambda why: out.progress("fit", 0.0, note=f"begins again. {why}"))
    out.progress("report", 0.5, note="way to speak and to move")
    trained = with_manner(with_style(trained, clip, mouth_models(), config), clip, life_model(), config)
    out.progress("report", 1.0)
    for name, data in {**trained.files, **trained.pictures}.items():
        out.say(b"A", name, data)
    out.say(b"A", "report.json", json.dumps(trained.report).encode())
    out.say(b"D")


def main() -> int:
    from trustcore.primitives.errors import TrustcoreError

    # Whatever a library prints must not end up between the messages.
    out = _Out(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    parts = [read_message(sys.stdin.buffer) for _ in range(3)]
    job, footage, checkpoint = (part.data if part else b"" for part in parts)
    try:
        _train(json.loads(job), footage, checkpoint or None, out)
    except TrustcoreError as error:
        out.say(b"E", data=json.dumps({"code": error.code, "message": error.message}).encode())
        return 1
    except BrokenPipeError:
        return 1  # the worker is gone; its lease runs out and the job goes on elsewhere from the last checkpoint
    return 0


if __name__ == "__main__":
    sys.exit(main())
