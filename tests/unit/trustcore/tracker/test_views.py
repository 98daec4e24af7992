"""Looking at a frame several times, mirrored and turned: the same face, found with less trembling."""

import subprocess

import numpy as np
import pytest

from rendering.demo.clips import committed_footage
from trustcore.tracker import Limits, track_clip
from trustcore.tracker.caller import INSIDE, MOST_VIEWS, tracker_python

READ = Limits(read_s=3.0)
LEFT_EYE, RIGHT_EYE = 263, 33


def run(code: str) -> str:
    program = f"import sys; sys.path.insert(0, {str(INSIDE)!r}); import numpy as np; import mirror, landmarks\n{code}"
    command = [str(tracker_python()), "-I", "-B", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env={})
    return done.stdout.strip()


def test_points_change_places_in_pairs() -> None:
    code = "m = mirror.MIRRORED; i = np.arange(478); print((m[m] == i).all(), (m == i).sum(), m[33], m[468], m[61])"
    assert run(code) == "True 28 263 473 291"


def test_a_spot_is_found_where_it_is_in_every_view() -> None:
    code = """
yy, xx = np.mgrid[0:96, 0:96] + 0.5
spot = np.exp(-((xx - 60.2) ** 2 + (yy - 41.7) ** 2) / 18)
picture = (255 * spot[..., None].repeat(3, 2)).round().astype(np.uint8)
worst = 0.0
for is_mirrored, degrees in landmarks.VIEWS:
    to_view = landmarks._view(96, 96, is_mirrored, degrees)
    seen = landmarks._turned(picture, to_view)[..., 0].astype(float)
    middle = np.array([(seen * xx).sum(), (seen * yy).sum()]) / seen.sum()
    back = np.linalg.inv(to_view[:, :2]) @ (middle - to_view[:, 2])
    worst = max(worst, np.abs(back - [60.2, 41.7]).max())
print(worst < 0.1, len(landmarks.VIEWS))
"""
    assert run(code) == f"True {MOST_VIEWS}"


def test_more_views_find_the_same_face_more_steadily() -> None:
    once, often = (track_clip(committed_footage(), limits=READ, views=views).landmarks for views in (1, MOST_VIEWS))
    eyes = np.linalg.norm(once[:, LEFT_EYE, :2] - once[:, RIGHT_EYE, :2], axis=1).mean()
    assert np.linalg.norm(once - often, axis=2)[:, :468].mean() < 0.04 * eyes

    def tremble(points: np.ndarray) -> float:
        return float(np.square(points[2:] - 2 * points[1:-1] + points[:-2])[..., :2].mean() ** 0.5)

    assert tremble(often) < 0.9 * tremble(once)


@pytest.mark.parametrize("views", [0, MOST_VIEWS + 1])
def test_an_odd_number_of_views_is_refused(views: int) -> None:
    with pytest.raises(ValueError, match="views"):
        track_clip(b"anything", views=views)
