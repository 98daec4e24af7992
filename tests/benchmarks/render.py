"""How long one frame takes to draw: our rasteriser against the same picture in plain PyTorch, in one run.

    make bench NAME=render          REPLICA=DIR draws a trained replica, otherwise random splats are drawn
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from rendering.engine.motion.performer import Performer
from rendering.engine.rasterize import cpu, kernels
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica

SPLATS, SIZE_PX = 15_000, 256
ROUNDS = 60


def random_splats(seed: int = 4) -> cpu.Splats2D:
    """Splats like those of a head: small, over the middle of the picture."""
    random = np.random.default_rng(seed)
    splats = cpu.Splats2D.empty(SPLATS)
    splats.means_px[:] = np.clip(random.normal(SIZE_PX / 2, SIZE_PX / 5, (SPLATS, 2)), 0, SIZE_PX)
    axes = np.exp(random.normal(0.25, 0.45, (SPLATS, 2))) ** 2
    splats.covariances_px2[:, 0], splats.covariances_px2[:, 2] = axes[:, 0], axes[:, 1]
    splats.colours[:] = random.random((SPLATS, 3))
    splats.opacities[:] = random.uniform(0.1, 0.8, SPLATS)
    splats.depths[:] = random.random(SPLATS)
    return splats


def cpu_ms(draw: Callable[[], object], rounds: int) -> float:
    """Median processor time of one call."""
    draw()
    spent = []
    for _ in range(rounds):
        began = time.thread_time()
        draw()
        spent.append(1000 * (time.thread_time() - began))
    return float(np.median(spent))


def replica_ms(folder: str) -> float:
    """Processor time of a whole frame of a trained replica: motion, set-up, raster."""
    files = {name: (Path(folder) / name).read_bytes() for name in ("model.safetensors", "manifest.json")}
    replica = Replica.from_files(files)
    renderer, performer = Renderer(replica, SIZE_PX), Performer(replica, 1)
    moments = iter(np.arange(0, 1000, 1 / 30))
    return cpu_ms(lambda: renderer.draw(performer.state_at(float(next(moments)))), ROUNDS)


def torch_tiles(splats: cpu.Splats2D, backdrop: torch.Tensor) -> torch.Tensor:
    """The same tiles and order in PyTorch: all pixels of a tile against all its splats at once."""
    size = backdrop.shape[0]
    _, _, boxes = kernels.extents(splats.means_px, splats.covariances_px2, splats.opacities, size, size)
    pairs, starts = kernels.bin_tiles(boxes, kernels.depth_order(splats.depths), size, size)
    means, covariances = torch.from_numpy(splats.means_px), torch.from_numpy(splats.covariances_px2)
    colours, opacities = torch.from_numpy(splats.colours), torch.from_numpy(splats.opacities)
    picture = torch.empty_like(backdrop)
    side = size // kernels.TILE_PX
    steps = torch.arange(kernels.TILE_PX) + 0.5
    for tile in range(side * side):
        x0, y0 = (tile % side) * kernels.TILE_PX, (tile // side) * kernels.TILE_PX
        chosen = torch.from_numpy(pairs[starts[tile] : starts[tile + 1]]).long()
        dx = (x0 + steps)[None, None, :] - means[chosen, 0][:, None, None]
        dy = (y0 + steps)[None, :, None] - means[chosen, 1][:, None, None]
        xx, xy, yy = covariances[chosen].T[:, :, None, None]
        distance2 = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
        alpha = (opacities[chosen][:, None, None] * torch.exp(-0.5 * distance2)).clamp(max=0.99)
        alpha = torch.where(alpha >= 1 / 255, alpha, 0.0)
        through = torch.cumprod(1 - alpha, dim=0)
        before = torch.cat([torch.ones_like(through[:1]), through[:-1]])
        colour = torch.einsum("nyx,nc->yxc", alpha * before, colours[chosen])
        last = through[-1] if len(chosen) else torch.ones(kernels.TILE_PX, kernels.TILE_PX)
        region = (slice(y0, y0 + kernels.TILE_PX), slice(x0, x0 + kernels.TILE_PX))
        picture[region] = colour + last[..., None] * backdrop[region]
    return picture


def main() -> None:
    """Print progress and, last, one JSON object."""
    torch.set_num_threads(1)
    splats, backdrop = random_splats(), np.zeros((SIZE_PX, SIZE_PX, 3), np.float32)
    print("drawing with numba", flush=True)
    fast = cpu_ms(lambda: cpu.forward(splats, backdrop), ROUNDS)
    print(f"  {fast:.2f} ms; drawing with PyTorch", flush=True)
    ground = torch.from_numpy(backdrop)
    slow_picture = torch_tiles(splats, ground).numpy()
    slow = cpu_ms(lambda: torch_tiles(splats, ground), 5)
    difference = np.abs(cpu.forward(splats, backdrop).picture - slow_picture)
    result = {
        "cpu_ms_256": round(fast, 2), "torch_cpu_ms_256": round(slow, 1), "ratio_vs_torch_256": round(slow / fast, 1),
        "mean_difference": round(float(difference.mean()), 5), "splats": SPLATS,
    }  # fmt: skip
    if folder := os.environ.get("REPLICA"):
        result["frame_cpu_ms_256"] = round(replica_ms(folder), 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
