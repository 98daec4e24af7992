"""The fast rasteriser against the readable one: picture and every gradient, and controls that must fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rendering.engine import rasterize
from rendering.engine.rasterize import cpu, reference
from tests.common.splat_scenes import SIZE, scene


def reference_gradients(splats: cpu.Splats2D, backdrop: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    tensors = [
        torch.tensor(a.astype(np.float64), requires_grad=True)
        for a in (splats.means_px, splats.covariances_px2, splats.colours, splats.opacities)
    ]
    ground = torch.tensor(backdrop.astype(np.float64), requires_grad=True)
    picture = reference.draw(*tensors, torch.tensor(splats.depths.astype(np.float64)), ground)
    (picture * torch.tensor(weight)).sum().backward()
    gradients = []
    for tensor in [*tensors, ground]:
        assert tensor.grad is not None
        gradients.append(tensor.grad.numpy())
    return gradients


def reference_picture(splats: cpu.Splats2D, backdrop: np.ndarray) -> np.ndarray:
    parts = (splats.means_px, splats.covariances_px2, splats.colours, splats.opacities, splats.depths, backdrop)
    return reference.draw(*(torch.tensor(a.astype(np.float64)) for a in parts)).numpy()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_picture_equals_reference() -> None:
    splats, backdrop = scene()
    expected = reference_picture(splats, backdrop)
    for draw in (cpu.forward, cpu.forward_parallel):
        difference = np.abs(draw(splats, backdrop).picture - expected)
        assert difference.max() < 0.01
        assert difference.mean() < 0.001


def test_picture_control_reversed_depth_differs() -> None:
    splats, backdrop = scene()
    reversed_splats = cpu.Splats2D(
        splats.means_px, splats.covariances_px2, splats.colours, splats.opacities, -splats.depths
    )
    difference = np.abs(cpu.forward(reversed_splats, backdrop).picture - reference_picture(splats, backdrop))
    assert difference.max() > 0.1


def test_gradients_equal_autograd_of_reference() -> None:
    splats, backdrop = scene()
    weight = np.random.default_rng(2).normal(size=(SIZE, SIZE, 3)).astype(np.float32)
    expected = reference_gradients(splats, backdrop, weight)
    fast = cpu.backward_parallel(splats, cpu.forward_parallel(splats, backdrop), weight)
    for found, truth in zip(
        (fast.means_px, fast.covariances_px2, fast.colours, fast.opacities, fast.backdrop), expected, strict=True
    ):
        assert cosine(found, truth) > 0.999
        assert np.linalg.norm(found) / np.linalg.norm(truth) == pytest.approx(1.0, abs=0.02)


def test_gradient_control_other_weight_is_not_equal() -> None:
    splats, backdrop = scene()
    weight = np.random.default_rng(2).normal(size=(SIZE, SIZE, 3)).astype(np.float32)
    expected = reference_gradients(splats, backdrop, weight)
    fast = cpu.backward_parallel(splats, cpu.forward_parallel(splats, backdrop), weight[::-1].copy())
    assert cosine(fast.means_px, expected[0]) < 0.9
    assert cosine(fast.colours, expected[2]) < 0.9


def test_splats_outside_the_picture_leave_the_backdrop() -> None:
    splats, backdrop = scene()
    moved = cpu.Splats2D(
        splats.means_px + 1000, splats.covariances_px2, splats.colours, splats.opacities, splats.depths
    )
    drawn = cpu.forward(moved, backdrop)
    assert np.array_equal(drawn.picture, backdrop)
    assert drawn.transmittance.min() == 1.0


def test_choose_names_its_backends() -> None:
    assert rasterize.choose() is rasterize.choose("cpu") is cpu
    with pytest.raises(ValueError, match="no rasteriser named"):
        rasterize.choose("quantum")
