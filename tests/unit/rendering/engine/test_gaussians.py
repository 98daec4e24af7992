"""The set-up kernel against plain numpy, and the optimiser's gradient rows against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.engine import gaussians as g
from rendering.engine import mesh as meshes
from rendering.engine.face_space import FEATURES, LAYERS
from rendering.engine.rasterize.cpu import Splats2D
from rendering.training import optimiser

COUNT = 6
# Edges of open lips across the middle of a picture of 40 px.
LIPS = np.stack([np.column_stack([np.linspace(5, 35, 11), np.full(11, y)]) for y in (10, 30)]).astype(np.float32)


def scene(seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    vertices = random.uniform(0, 40, (8, 3)).astype(np.float32)
    triangles = np.array([[0, 1, 2], [3, 4, 5], [5, 6, 7]], np.int32)
    layers = np.array([0, 1, 3], np.int32)
    rest = meshes.Mesh(vertices + random.normal(0, 3, vertices.shape).astype(np.float32), triangles,
                       layers, np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(2, np.float32))  # fmt: skip
    stretches, normals = meshes.triangle_frames(vertices, triangles, rest.rest_inverses())
    values = random.normal(0, 0.4, (COUNT, g.VALUES)).astype(np.float32)
    return {
        "vertices": vertices, "triangles": triangles, "stretches": stretches, "normals": normals, "values": values,
        "features": random.normal(size=(LAYERS, FEATURES)).astype(np.float32), "layers": layers, "lips": LIPS,
        "owner": np.array([0, 0, 1, 1, 2, 2], np.int32),
        "barycentrics": random.dirichlet([1, 1, 1], COUNT).astype(np.float32), "seen": np.ones(COUNT, np.float32),
    }  # fmt: skip


def set_up(s: dict[str, np.ndarray], values: np.ndarray) -> Splats2D:
    out = Splats2D.empty(COUNT)
    g.set_up(s["vertices"], s["triangles"], s["stretches"], s["normals"], np.float32(1.3), s["features"], s["layers"],
             s["lips"], s["owner"], s["barycentrics"], values, out.means_px, out.covariances_px2, out.colours,
             out.opacities, out.depths, s["seen"])  # fmt: skip
    return out


def plain(s: dict[str, np.ndarray], i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, covariance matrix and colour of one splat, written as the formula reads."""
    t, row = s["owner"][i], s["values"][i].astype(np.float64)
    f = s["features"][s["layers"][t]].astype(np.float64)
    point = s["barycentrics"][i] @ s["vertices"][s["triangles"][t]]
    inside = row[:2] + f @ row[g.MOVE : g.TINT].reshape(-1, 2)
    mean = point[:2] + s["stretches"][t] @ inside + 1.3 * row[2] * s["normals"][t, :2]
    c, d = np.cos(row[g.ANGLE]), np.sin(row[g.ANGLE])
    m = s["stretches"][t] @ np.array([[c, -d], [d, c]]) @ np.diag(np.exp(row[g.LOG_AXES : g.ANGLE]))
    colour = row[g.COLOUR : g.MOVE] + f @ row[g.TINT :].reshape(-1, 3)
    return mean, m @ m.T + g.BLUR_PX2 * np.eye(2), colour


def test_set_up_equals_the_formula() -> None:
    s = scene()
    out = set_up(s, s["values"])
    for i in range(COUNT):
        mean, covariance, colour = plain(s, i)
        assert out.means_px[i] == pytest.approx(mean, rel=1e-4, abs=1e-4)
        assert out.covariances_px2[i] == pytest.approx(
            [covariance[0, 0], covariance[0, 1], covariance[1, 1]], rel=1e-3, abs=1e-4
        )
        assert out.colours[i] == pytest.approx(colour, rel=1e-4, abs=1e-4)
    assert out.opacities == pytest.approx(s["seen"] / (1 + np.exp(-s["values"][:, g.LOGIT])), abs=1e-5)
    assert (s["seen"][:4] == 1).all()


def test_the_inner_mouth_shows_between_the_lips_and_nowhere_else() -> None:
    def seen(x: float, y: float, lips: np.ndarray = LIPS) -> float:
        return float(g.seen_between(np.float32(x), np.float32(y), lips, np.float32(2)))

    assert seen(20, 22) == 1
    assert 0 < seen(20, 10.2) < 1
    assert seen(20, 8) == seen(20, 32) == seen(2, 20) == seen(39, 20) == 0
    closed = LIPS.copy()
    closed[1] = closed[0]
    assert seen(20, 10, closed) == 0


def test_gradient_rows_equal_finite_differences() -> None:
    s = scene(2)
    random = np.random.default_rng(9)
    by = {"means_px": random.normal(size=(COUNT, 2)), "covariances_px2": random.normal(size=(COUNT, 3)),
          "colours": random.normal(size=(COUNT, 3)), "opacities": random.normal(size=COUNT)}  # fmt: skip

    def loss(values: np.ndarray) -> float:
        out = set_up(s, values)
        return float(sum((getattr(out, name).astype(np.float64) * weight).sum() for name, weight in by.items()))

    row = np.empty(g.VALUES, np.float32)
    for i in (0, 3, 5):
        optimiser.gradient_row(
            i, s["stretches"], s["normals"], s["seen"], np.float32(1.3), s["features"], s["layers"],
            s["owner"], s["values"],
            *(by[name].astype(np.float32) for name in ("means_px", "covariances_px2", "colours", "opacities")), row,
        )  # fmt: skip
        columns = [0, 1, 2, 3, 4, g.ANGLE, g.LOGIT, g.COLOUR + 1, g.MOVE + 4, g.MOVE + 7, g.TINT + 8]
        for column in columns:
            step = np.zeros_like(s["values"])
            step[i, column] = 1e-2
            slope = (loss(s["values"] + step) - loss(s["values"] - step)) / 2e-2
            assert row[column] == pytest.approx(slope, rel=0.02, abs=0.02), column
