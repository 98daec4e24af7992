"""MediaPipe face mesh and person mask, loaded and warmed before any media is read."""

import sys
import types
from typing import Any

import numpy as np

# MediaPipe's drawing helpers import matplotlib, which would search fonts and write a cache. Nothing is drawn here.
for _name in ("matplotlib", "matplotlib.pyplot"):
    sys.modules[_name] = types.ModuleType(_name)
sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]  # type: ignore[attr-defined]

from mediapipe.python.solutions import face_mesh, selfie_segmentation  # noqa: E402

LANDMARKS = 478


class Models:
    """The networks one clip needs, with their threads started."""

    def __init__(self, *, want_landmarks: bool, want_mask: bool) -> None:
        blank = np.zeros((128, 128, 3), np.uint8)
        self._mesh: Any = None
        self._mask: Any = None
        if want_landmarks:
            # One face is tracked from frame to frame; a second network looks at single frames for other people,
            # because tracking several faces would run the detector on every frame.
            self._mesh = face_mesh.FaceMesh(static_image_mode=False, max_num_faces=1, refine_landmarks=True)
            self._crowd = face_mesh.FaceMesh(static_image_mode=True, max_num_faces=2, refine_landmarks=False)
            self._mesh.process(blank)
            self._crowd.process(blank)
        if want_mask:
            self._mask = selfie_segmentation.SelfieSegmentation(model_selection=0)
            self._mask.process(blank)

    def landmarks(self, rgb: np.ndarray) -> np.ndarray | None:
        """[478, 3] in pixels (z in the scale of x, away from the camera), or None when no face is found."""
        found = self._mesh.process(rgb).multi_face_landmarks
        if not found:
            return None
        height, width = rgb.shape[:2]
        points = np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32)
        if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
            return None
        return points * np.array([width, height, width], np.float32)

    def faces(self, rgb: np.ndarray) -> int:
        """How many faces this single frame shows, at most 2."""
        return len(self._crowd.process(rgb).multi_face_landmarks or ())

    def mask(self, rgb: np.ndarray) -> np.ndarray:
        """[H, W] float32, 1 = person."""
        return np.asarray(self._mask.process(rgb).segmentation_mask, np.float32)
