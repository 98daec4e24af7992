"""The GPU rasteriser against the processor's on the same vectors, and its kernels through the GPU's compiler.

Without a GPU the kernels run in Triton's interpreter. That is chosen when Triton is imported, so the comparisons run
in a process of their own; they measure nothing but pixels.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from rendering.engine import rasterize
from rendering.engine.rasterize import gpu_kernels

HEAD = """
import numpy as np
from rendering.engine.rasterize import cpu, gpu
from tests.common.splat_scenes import BOUND_SIZE, bound_splats, scene
"""
PICTURES = """
splats, backdrop = scene(count=150)
by_cpu, by_gpu = cpu.forward(splats, backdrop), gpu.forward(splats, backdrop)
assert np.abs(by_cpu.picture - by_gpu.picture).max() <= 2 / 255
assert np.abs(by_cpu.transmittance - by_gpu.transmittance).max() <= 2 / 255
assert np.array_equal(by_cpu.pairs, by_gpu.pairs) and np.array_equal(by_cpu.tile_starts, by_gpu.tile_starts)
turned = cpu.Splats2D(splats.means_px, splats.covariances_px2, splats.colours, splats.opacities, -splats.depths)
assert np.abs(by_cpu.picture - gpu.forward(turned, backdrop).picture).max() > 0.1  # the comparison can fail
print("agree")
"""
ODD_SIZES = """
splats, _ = scene(count=60)
backdrop = np.random.default_rng(3).random((37, 50, 3)).astype(np.float32)
assert np.abs(cpu.forward(splats, backdrop).picture - gpu.forward(splats, backdrop).picture).max() <= 2 / 255
away = cpu.Splats2D(
    splats.means_px + 1000, splats.covariances_px2, splats.colours, splats.opacities, splats.depths)
assert np.array_equal(gpu.forward(away, backdrop).picture, backdrop)
print("agree")
"""
GRADIENTS = """
splats, backdrop = scene(count=100)
weight = np.random.default_rng(2).normal(size=backdrop.shape).astype(np.float32)
by_cpu = cpu.backward_parallel(splats, cpu.forward(splats, backdrop), weight)
by_gpu = gpu.backward_parallel(splats, gpu.forward(splats, backdrop), weight)
for name in ("means_px", "covariances_px2", "colours", "opacities", "backdrop"):
    one, other = getattr(by_cpu, name), getattr(by_gpu, name)
    assert one.shape == other.shape and other.dtype == np.float32
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    assert (one * other).sum() / (lengths[0] * lengths[1]) > 0.9999, name
    assert abs(lengths[0] / lengths[1] - 1) < 0.005, name
print("agree")
"""
LIVE_FRAMES = """
import cv2
mesh, splats, placed, features = bound_splats()
backdrop = np.random.default_rng(1).random((BOUND_SIZE, BOUND_SIZE, 3)).astype(np.float32)
by_cpu = cpu.Painter(mesh, splats, backdrop).paint(placed, features, 1.2)
painter = gpu.Painter(mesh, splats, backdrop)
by_gpu = painter.paint(placed, features, 1.2)
assert np.abs(by_cpu.astype(int) - by_gpu).max() <= 2
assert np.abs(by_cpu.astype(int) - painter.paint(placed, features[::-1].copy(), 1.2)).max() > 20
i420 = cv2.cvtColor(by_cpu, cv2.COLOR_RGB2YUV_I420)
planes = gpu.to_i420(painter.paint_on_device(placed, features, 1.2))
expected = i420[:BOUND_SIZE].ravel(), *np.split(i420[BOUND_SIZE:].ravel(), 2)
for plane, wanted in zip(planes, expected, strict=True):
    assert np.abs(plane.cpu().numpy().ravel().astype(int) - wanted).max() <= 2
print("agree")
"""


@pytest.mark.parametrize("story", [PICTURES, ODD_SIZES, GRADIENTS, LIVE_FRAMES])
def test_gpu_and_cpu_agree(story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    command = [sys.executable, "-c", HEAD + story]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "agree", done.stderr[-2000:]


REALS, WHOLES, LONGS, BYTES = "*fp32", "*i32", "*i64", "*u8"
SIGNATURES = {
    "from_arrays": {
        "means": REALS, "covariances": REALS, "colours": REALS, "opacities": REALS, "records": REALS, "boxes": WHOLES,
        "count": "i32", "columns": "i32", "rows": "i32", "BLOCK": 128,
    },
    "from_mesh": {
        "vertices": REALS, "corners": WHOLES, "rest_inverses": REALS, "owners": WHOLES, "layers": WHOLES,
        "features": REALS, "barycentrics": REALS, "linear": REALS, "base": REALS, "axes": REALS, "lifts": REALS,
        "opacities": REALS, "reaches2": REALS, "records": REALS, "boxes": WHOLES, "depths": REALS, "unit": "fp32",
        "blur": "fp32", "count": "i32", "columns": "i32", "rows": "i32", "F": 18, "BLOCK": 128,
    },
    "composite": {
        "records": REALS, "pairs": WHOLES, "starts": LONGS, "stops": WHOLES, "backdrop": REALS, "picture": REALS,
        "transmittance": REALS, "height": "i32", "width": "i32",
    },
    "replay": {
        "records": REALS, "pairs": WHOLES, "starts": LONGS, "stops": WHOLES, "picture": REALS, "gradient": REALS,
        "rows": REALS, "height": "i32", "width": "i32",
    },
    "to_i420": {
        "picture": REALS, "y_plane": BYTES, "u_plane": BYTES, "v_plane": BYTES, "height": "i32", "width": "i32",
        "BLOCK": 128,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNATURES)
def test_kernels_compile_for_a_gpu_that_is_not_here(name: str) -> None:
    """The interpreter accepts more than the compiler does, so each kernel is compiled to machine code of an H100."""
    kernel = getattr(gpu_kernels, name)
    constants = {
        (kernel.arg_names.index(argument),): value
        for argument, value in SIGNATURES[name].items() if isinstance(value, int)
    }  # fmt: skip
    signature = {
        argument: "constexpr" if isinstance(kind, int) else kind for argument, kind in SIGNATURES[name].items()
    }
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32))
    assert len(made.asm["cubin"]) > 1000


def test_the_gpu_is_chosen_by_name() -> None:
    assert rasterize.choose("gpu").__name__.endswith(".gpu")
