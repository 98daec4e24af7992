"""What can be wrong with a training run's input."""

from __future__ import annotations

from trustcore.primitives.errors import Refusal


class FootageUnusable(Refusal):
    """Too few frames of the footage show a face that can be tracked."""

    code = "training.footage_unusable"

    def __init__(self, found: int, need: int) -> None:
        super().__init__(
            f"Only {found} frames show a face and at least {need} are needed; record again, facing the camera.",
            found=found,
            need=need,
        )


class CheckpointMismatch(Refusal):
    """A checkpoint belongs to another run."""

    code = "training.checkpoint_mismatch"

    def __init__(self, what: str) -> None:
        super().__init__(f"The checkpoint belongs to another run ({what} differs); start the training afresh.")
