"""MediaPipe face mesh and person mask, loaded and warmed before any media is read."""

import sys
import types
from typing import Any

import cv2
import numpy as np
from mirror import MIRRORED

# MediaPipe's drawing helpers import matplotlib, which would search fonts and write a cache. Nothing is drawn here.
cv2.setNumThreads(1)  # no thread can be started once the process is locked
for _name in ("matplotlib", "matplotlib.pyplot"):
    sys.modules[_name] = types.ModuleType(_name)
sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]  # type: ignore[attr-defined]

from mediapipe.python.solutions import face_mesh, selfie_segmentation  # noqa: E402

LANDMARKS = 478
# Ways to look at a picture again: mirrored or not, turned by so many degrees. The first is the picture as it is.
VIEWS = ((False, 0.0), (True, 0.0), (False, 8.0), (True, -12.0), (False, -8.0), (True, 12.0))


class Models:
    """The networks one clip needs, with their threads started."""

    def __init__(self, *, want_landmarks: bool, want_mask: bool, views: int = 1) -> None:
        """`views`: how many of VIEWS are looked at; the landmarks are their mean."""
        blank = np.zeros((128, 128, 3), np.uint8)
        self._views: list[tuple[Any, bool, float]] = []
        self._mask: Any = None
        if want_landmarks:
            # One face is tracked from frame to frame, in each view by a tracker of its own; another network looks at
            # single frames for other people, because tracking several faces would run the detector on every frame.
            for is_mirrored, degrees in VIEWS[:views]:
                mesh = face_mesh.FaceMesh(static_image_mode=False, max_num_faces=1, refine_landmarks=True)
                mesh.process(blank)
                self._views.append((mesh, is_mirrored, degrees))
            self._crowd = face_mesh.FaceMesh(static_image_mode=True, max_num_faces=2, refine_landmarks=False)
            self._crowd.process(blank)
        if want_mask:
            self._mask = selfie_segmentation.SelfieSegmentation(model_selection=0)
            self._mask.process(blank)

    def landmarks(self, rgb: np.ndarray) -> np.ndarray | None:
        """[478, 3] in pixels (z in the scale of x, away from the camera), or None when no face is found.

        A network errs differently on a mirrored or turned picture, so that the mean of several views trembles less and
        lies nearer to the face. A view that finds nothing is left out, but for the first, which decides.
        """
        height, width = rgb.shape[:2]
        seen: list[np.ndarray] = []
        for mesh, is_mirrored, degrees in self._views:
            to_view = _view(width, height, is_mirrored, degrees)
            points = _find(mesh, rgb if len(seen) == 0 else _turned(rgb, to_view))
            if points is None and not seen:
                return None
            if points is None:
                continue
            if is_mirrored or degrees:
                points[:, :2] = (points[:, :2] - to_view[:, 2]) @ np.linalg.inv(to_view[:, :2]).T
            seen.append(points[MIRRORED] if is_mirrored else points)
        return np.asarray(np.mean(seen, axis=0), np.float32)

    def faces(self, rgb: np.ndarray) -> int:
        """How many faces this single frame shows, at most 2."""
        return len(self._crowd.process(rgb).multi_face_landmarks or ())

    def mask(self, rgb: np.ndarray) -> np.ndarray:
        """[H, W] float32, 1 = person."""
        return np.asarray(self._mask.process(rgb).segmentation_mask, np.float32)


def _find(mesh: Any, rgb: np.ndarray) -> np.ndarray | None:
    """[478, 3] in pixels of one picture, or None."""
    found = mesh.process(rgb).multi_face_landmarks
    if not found:
        return None
    height, width = rgb.shape[:2]
    points = np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32)
    if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
        return None
    return points * np.array([width, height, width], np.float32)


def _view(width: int, height: int, is_mirrored: bool, degrees: float) -> np.ndarray:
    """[2, 3] from pixels of the picture to pixels of a view: mirrored about the middle, then turned about it."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.array([[c, s], [-s, c]]) @ np.diag([-1.0 if is_mirrored else 1.0, 1.0])
    middle = np.array([width / 2, height / 2])
    return np.column_stack([matrix, middle - matrix @ middle])


def _turned(rgb: np.ndarray, to_view: np.ndarray) -> np.ndarray:
    # warpAffine maps the middles of pixels, landmarks count from pixels' corners.
    shift = to_view[:, :2] @ np.array([0.5, 0.5]) + to_view[:, 2] - 0.5
    matrix = np.column_stack([to_view[:, :2], shift])
    return cv2.warpAffine(
        rgb, matrix, (rgb.shape[1], rgb.shape[0]), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
