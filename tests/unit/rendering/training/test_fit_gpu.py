"""A fit on the GPU rasteriser takes the steps of one on the processor. Without a GPU, in Triton's interpreter."""

import subprocess
import sys

import pytest

# The interpreter is chosen when Triton is imported, so the comparison runs in a process of its own.
COMPARE = """
from dataclasses import replace
import numpy as np
from rendering.engine.rasterize import gpu
from rendering.training import fit
from rendering.training.config import TrainingConfig
from rendering.engine.replica import Replica
from tests.common.moving_face import record
config = TrainingConfig(
    size_px=64, splats=60, iterations=2, training_frames=20, report_frames=2, time_limit_s=1e9, shapes=16)
clip = record(60, 64)
drawn = []
forward = gpu.forward_parallel
gpu.forward_parallel = lambda *given: drawn.append(1) or forward(*given)
made = [Replica.from_files(fit.train(clip, replace(config, rasterizer=name)).files) for name in ("cpu", "gpu")]
longer = Replica.from_files(fit.train(clip, replace(config, iterations=3)).files)
one, other, control = (replica.gaussians.values for replica in (*made, longer))
assert len(drawn) == 2
# Adam's first steps go by the sign of a gradient, so where one is nearly nothing the two may part.
step = np.abs(one - control).mean()
assert step > 1e-4 and np.abs(one - other).mean() < 0.1 * step, (step, np.abs(one - other).mean())
print("agree")
"""


def test_the_same_steps_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    done = subprocess.run([sys.executable, "-c", COMPARE], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip().endswith("agree"), done.stderr[-2000:]
