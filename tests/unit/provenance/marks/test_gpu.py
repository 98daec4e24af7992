"""The GPU embedder writes what the CPU embedder writes. Without a GPU its kernel runs in Triton's interpreter."""

import subprocess
import sys

import pytest

# The interpreter is chosen when Triton is imported, so the comparison runs in a process of its own.
COMPARE = """
import numpy as np, torch
from provenance.marks.embed import Embedder
from provenance.marks.gpu import GpuEmbedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import Planes, planes_of
from tests.common.moving_frames import talking_frames
width, height = {width}, {height}
device = "cuda" if torch.cuda.is_available() else "cpu"
key = MarkKey(bytes(range(32)), "test")
square = planes_of(next(iter(talking_frames(1, max(width, height), seed=2))))
picture = Planes(*(np.ascontiguousarray(plane[: height // cut, : width // cut])
                   for plane, cut in zip(square, (1, 2, 2), strict=True)))
picture.y[:8, :8] = 255
picture.y[8:16, :8] = 0
by_cpu = Planes(*(plane.copy() for plane in picture))
Embedder(key, 7, 3, width, height).embed(*by_cpu)
on_device = [torch.from_numpy(plane.copy()).to(device) for plane in picture]
GpuEmbedder(key, 7, 3, width, height, device=device).embed(*on_device)
for before, one, other in zip(picture, by_cpu, on_device, strict=True):
    apart = np.abs(one.astype(int) - other.cpu().numpy().astype(int))
    assert apart.max() <= 1 and np.mean(apart > 0) < 0.001, (apart.max(), np.mean(apart > 0))
    assert np.any(one != before)
try:
    GpuEmbedder(key, 7, 3, width, height, device=device).embed(on_device[0][:, ::2], *on_device[1:])
except ValueError:
    print("agree")
"""


@pytest.mark.parametrize(("width", "height"), [(256, 256), (400, 226)])
def test_gpu_and_cpu_agree(width, height, monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    code = COMPARE.format(width=width, height=height)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "agree", done.stderr[-2000:]
