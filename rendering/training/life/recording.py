"""Motion and what it answered to, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.engine.motion.life.channels import Motion
from rendering.engine.motion.life.scene import Scene


@dataclass(frozen=True)
class Recording:
    """One person's motion, tracked or made, and the scene meanwhile; both [T] frames of life's grid."""

    motion: Motion
    scene: Scene

    def part(self, first: int, last: int) -> Recording:
        """The frames from `first` up to and without `last`."""
        return Recording(self.motion.part(first, last), self.scene.part(first, last))
