"""The fused live path (one pass from mesh to records) against the step-by-step one, and what a live frame may cost."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.engine.arrange import Arranger
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.engine.rasterize import cpu, kernels, records
from tests.common.splat_scenes import BOUND_SIZE as SIZE
from tests.common.splat_scenes import bound_splats


def plain_picture(mesh: Mesh, splats: Gaussians, placed: np.ndarray, features: np.ndarray, backdrop: np.ndarray):
    return cpu.forward(Arranger(mesh, splats).arrange(placed, features, 1.2).splats, backdrop).picture


def test_the_fused_path_paints_what_the_plain_path_draws() -> None:
    mesh, splats, placed, features = bound_splats()
    assert set(mesh.layers[splats.triangles]) == {0, 1, 2, 3}
    backdrop = np.random.default_rng(1).random((SIZE, SIZE, 3)).astype(np.float32)
    expected = plain_picture(mesh, splats, placed, features, backdrop)
    painted = cpu.Painter(mesh, splats, backdrop).paint(placed, features, 1.2)
    apart = np.abs(painted.astype(float) - np.clip(expected, 0, 1) * 255)
    assert apart.max() <= 1.0
    assert np.abs(np.clip(expected, 0, 1) - backdrop).mean() > 0.05  # something was drawn


def test_the_fused_path_follows_the_features_of_each_layer() -> None:
    mesh, splats, placed, features = bound_splats()
    backdrop = np.zeros((SIZE, SIZE, 3), np.float32)
    painter = cpu.Painter(mesh, splats, backdrop)
    first = painter.paint(placed, features, 1.2)
    assert not np.array_equal(first, painter.paint(placed, features[::-1].copy(), 1.2))
    assert np.array_equal(first, painter.paint(placed, features, 1.2))  # nothing of an earlier frame is left


def test_records_hold_the_inverse_covariance() -> None:
    covariance = np.array([[5.0, 1.5, 3.0]], np.float32)
    rows, boxes = records.from_arrays(
        np.array([[20.0, 40.0]], np.float32), covariance, np.zeros((1, 3), np.float32), np.array([0.5], np.float32),
        64, 64,
    )  # fmt: skip
    s, q, t = rows[0, [records.S, records.Q, records.T]] * 4
    found = np.array([[s * s, s * q], [s * q, q * q + t * t]])
    assert found == pytest.approx(np.linalg.inv([[5.0, 1.5], [1.5, 3.0]]), rel=1e-4)
    reach = np.sqrt(2 * np.log(0.5 * 255))
    assert rows[0, records.HALF_X] == pytest.approx(reach * np.sqrt(5), rel=1e-4)
    assert rows[0, records.HALF_Y] == pytest.approx(reach * np.sqrt(3), rel=1e-4)
    assert boxes[0].tolist() == [0, 2, 2, 3]


def test_bytes_are_rounded_and_held() -> None:
    picture = np.array([[[-1.0, 0.0, 2.0], [0.499 / 255, 0.501 / 255, 1.0]]], np.float32)
    assert kernels.to_bytes(picture).tolist() == [[[0, 0, 255], [0, 1, 255]]]


FAR_PX = [16 * 2.0**31 * 1.2, 16 * 2.0**32, 1e20, 3e38, np.inf, np.nan]


@pytest.mark.parametrize("far", [*FAR_PX, *(-value for value in FAR_PX)])
def test_a_splat_far_off_the_picture_names_no_tile_that_does_not_exist(far: float) -> None:
    means = np.array([[far, 8.0], [8.0, far], [far, far]], np.float32)
    wide = np.tile(np.array([[4.0, 0.0, 4.0]], np.float32), (3, 1))
    _, boxes = records.from_arrays(means, wide, np.zeros((3, 3), np.float32), np.full(3, 0.5, np.float32), 64, 48)
    assert (boxes >= 0).all() and (boxes <= [3, 4, 3, 4]).all()
    assert not ((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])).any()


@pytest.mark.parametrize(
    "depths", [[np.nan, 5.0, 1.0], [1e6, np.nan, 1.0, 0.0], [np.inf, 0.0, -np.inf], [3e38, -3e38, 0.0]]
)
def test_depths_of_any_kind_order_every_splat_once(depths: list[float]) -> None:
    assert sorted(kernels.depth_order(np.array(depths, np.float32))) == list(range(len(depths)))
