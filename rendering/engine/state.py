"""What one face does at one moment: the only thing that passes from motion to drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.pose import HeadPose

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FaceState:
    """Amounts of the facial controls, lip closure, head pose and breath."""

    amounts: Array  # [A] float32, in the order of motion.controls.NAMES
    closure: float  # 0..1; 1: the lips meet whatever the rest says
    pose: HeadPose
    breath: float = 0.0  # -1: breathed out, 1: breathed in; the shoulders follow
