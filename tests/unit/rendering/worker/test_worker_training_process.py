"""A training that was killed goes on, and begins again where it cannot go on: nobody stands by to start it."""

import pytest

from rendering.training.errors import CheckpointMismatch, FootageUnusable
from rendering.worker.training_process import resumed


class Run:
    """A run that only takes checkpoints of its own."""

    def __init__(self) -> None:
        self.begun: list[bytes | None] = []

    def __call__(self, checkpoint: bytes | None) -> str:
        self.begun.append(checkpoint)
        if checkpoint not in (None, b"own"):
            raise CheckpointMismatch("its form")
        return "done"


def test_it_goes_on_from_its_own_checkpoint() -> None:
    run, told = Run(), list[str]()
    assert resumed(run, b"own", told.append) == "done"
    assert (run.begun, told) == ([b"own"], [])


def test_it_begins_again_from_another_releases_and_says_so() -> None:
    run, told = Run(), list[str]()
    assert resumed(run, b"another", told.append) == "done"
    assert run.begun == [b"another", None] and "its form" in told[0]


def test_what_is_wrong_with_the_footage_is_not_tried_twice() -> None:
    begun = []

    def run(checkpoint: bytes | None) -> None:
        begun.append(checkpoint)
        raise FootageUnusable(3, 40)

    with pytest.raises(FootageUnusable):
        resumed(run, b"own", begun.append)
    assert begun == [b"own"]
