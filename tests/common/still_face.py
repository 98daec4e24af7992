"""A performer without a face, for tests of what it is told."""

from typing import Any


class StillFace:
    """Notes which emotions it is told to show and does nothing else."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, int]] = []

    def set_emotion(self, name: str, milli: int, now_s: float) -> None:
        self.shown.append((name, milli))

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None
