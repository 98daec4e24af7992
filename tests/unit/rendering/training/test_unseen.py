"""Which splats no frame shows."""

from typing import Any

import numpy as np
import pytest

from rendering.engine.rasterize.splats import Splats2D
from rendering.training import unseen

BACKDROP = np.zeros((64, 64, 3), np.float32)


def row_of(*splats: tuple[float, float, float, float]) -> Splats2D:
    """Round splats: x in px, variance in px², opacity, depth."""
    out = Splats2D.empty(len(splats))
    for i, (x_px, variance_px2, opacity, depth) in enumerate(splats):
        out.means_px[i] = (x_px, 32.0)
        out.covariances_px2[i] = (variance_px2, 0.0, variance_px2)
        out.opacities[i], out.depths[i], out.colours[i] = opacity, depth, 0.5
    return out


def shown(*splats: tuple[float, float, float, float]) -> Any:
    return unseen.shown(row_of(*splats), BACKDROP)


def test_a_splat_alone_shows_whole() -> None:
    assert shown((32.0, 9.0, 0.6, 1.0))[0] == pytest.approx(1.0, abs=0.05)


def test_what_stands_behind_an_opaque_one_does_not_show_and_what_stands_beside_it_does() -> None:
    front, behind, beside = shown((16.0, 64.0, 0.99, 5.0), (16.0, 2.0, 0.9, 1.0), (54.0, 2.0, 0.9, 1.0))
    assert front > 0.9 and beside > 0.9
    assert behind < unseen.LEAST_SHOWN


def test_what_the_pictures_edge_cuts_shows_in_part() -> None:
    (half,) = shown((0.0, 16.0, 0.6, 1.0))
    assert half == pytest.approx(0.5, abs=0.1)


def test_a_veil_hides_nothing() -> None:
    assert shown((32.0, 36.0, 0.3, 5.0), (32.0, 4.0, 0.9, 1.0))[1] > 0.6
