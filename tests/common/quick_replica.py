"""A real replica of the in-tree person after a short training run: good enough to draw, kept for the next test.

Several tests and benchmarks need a replica that draws a face and none of them is about training.
"""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from rendering.demo import clips
from rendering.engine.replica import FORMAT, VERSION
from rendering.training.config import TrainingConfig
from rendering.training.fit import train
from trustcore.tracker import track_clip

CONFIG = TrainingConfig(
    iterations=250, time_limit_s=90.0, training_frames=120, report_frames=8, threads=2, progress_every_s=1e9,
    preview_every_s=1e9, checkpoint_every_s=1e9,
)
NAMES = ("model.safetensors", "manifest.json", "report.json")


def files() -> dict[str, bytes]:
    """Name -> bytes of the replica's files. About half a minute the first time, from disk afterwards."""
    folder = Path(tempfile.gettempdir()) / f"trustcore-quick-replica-{_recipe()}"
    if not folder.exists():
        made = _train()
        draft = folder.with_suffix(f".{os.getpid()}")
        draft.mkdir()
        for name, data in made.items():
            (draft / name).write_bytes(data)
        with suppress(OSError):  # another process was quicker; its files are as good
            draft.rename(folder)
    return {name: (folder / name).read_bytes() for name in NAMES}


def _train() -> dict[str, bytes]:
    clip = track_clip(clips.committed_footage(), want=frozenset({"landmarks", "mask"}))
    trained = train(clip, CONFIG, checkpoint=None, on_progress=lambda _: None, on_checkpoint=lambda _: None)
    return {**trained.files, "report.json": json.dumps(trained.report).encode()}


def _recipe() -> str:
    """Changes with this recipe and with the replica format."""
    return hashlib.sha256(repr((CONFIG, FORMAT, VERSION)).encode()).hexdigest()[:16]
