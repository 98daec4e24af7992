"""How long one picture takes: our rasteriser against the same picture in plain PyTorch, and the whole frame path.

    make bench NAME=render          REPLICA=DIR measures whole frames with a trained replica, else with a stand-in

All in processor time of one thread, so that a busy machine counts little; the path's rate and its 99th percentile are
by the clock. The last line is one JSON object.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from rendering.engine import stand_in
from rendering.engine.arrange import Arranger
from rendering.engine.face_space import FEATURES, LAYERS
from rendering.engine.motion.performer import Performer
from rendering.engine.rasterize import cpu, kernels, records
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from tests.benchmarks import render_path

SPLATS = 20_000
SIZES_PX = (256, 384, 512)
ROUNDS = 60


def random_splats(size_px: int, seed: int = 4) -> cpu.Splats2D:
    """Splats like those of a head: small, over the middle of the picture, scaled with it."""
    random = np.random.default_rng(seed)
    splats = cpu.Splats2D.empty(SPLATS)
    splats.means_px[:] = np.clip(random.normal(size_px / 2, size_px / 5, (SPLATS, 2)), 0, size_px)
    axes = (np.exp(random.normal(0.25, 0.45, (SPLATS, 2))) * size_px / 256) ** 2
    splats.covariances_px2[:, 0], splats.covariances_px2[:, 2] = axes[:, 0], axes[:, 1]
    splats.colours[:] = random.random((SPLATS, 3))
    splats.opacities[:] = random.uniform(0.1, 0.8, SPLATS)
    splats.depths[:] = random.random(SPLATS)
    return splats


def cpu_ms(draw: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median processor time of one call."""
    draw()
    spent = []
    for _ in range(rounds):
        began = time.thread_time()
        draw()
        spent.append(1000 * (time.thread_time() - began))
    return round(float(np.median(spent)), 2)


def raster_figures() -> dict[str, float]:
    """From screen splats to a picture, by size, with the shares of the largest steps; and the way back."""
    figures: dict[str, float] = {}
    for size in SIZES_PX:
        splats, ground = random_splats(size), np.zeros((size, size, 3), np.float32)
        figures[f"cpu_ms_{size}"] = cpu_ms(lambda s=splats, g=ground: cpu.forward(s, g))
        drawn = cpu.forward(splats, ground)
        figures[f"composite_ms_{size}"] = cpu_ms(
            lambda d=drawn, g=ground: kernels.composite_serial(
                d.records, d.pairs, d.tile_starts, d.tile_stops.copy(), g, d.picture, d.transmittance
            )
        )
        rows = np.zeros((drawn.pairs.size, kernels.ROW), np.float32)
        figures[f"backward_ms_{size}"] = cpu_ms(lambda d=drawn, r=rows: _replay(d, r), 10)
        print(f"{size}x{size}: {figures[f'cpu_ms_{size}']} ms", flush=True)
    return figures


def _replay(drawn: cpu.Drawn, rows: np.ndarray) -> None:
    for tile in range(drawn.tile_stops.size):
        kernels.replay_tile(
            tile, drawn.records, drawn.pairs, drawn.tile_starts, drawn.tile_stops, drawn.picture, drawn.picture, rows
        )


def torch_figures() -> dict[str, float]:
    """The same picture at 256x256 in PyTorch, one thread."""
    size = SIZES_PX[0]
    splats, ground = random_splats(size), np.zeros((size, size, 3), np.float32)
    slow_picture = torch_tiles(splats, torch.from_numpy(ground)).numpy()
    slow = cpu_ms(lambda: torch_tiles(splats, torch.from_numpy(ground)), 5)
    difference = np.abs(cpu.forward(splats, ground).picture - slow_picture)
    return {
        f"torch_cpu_ms_{size}": slow, "mean_difference": round(float(difference.mean()), 5),
        "max_difference": round(float(difference.max()), 4),
    }  # fmt: skip


def torch_tiles(splats: cpu.Splats2D, backdrop: torch.Tensor) -> torch.Tensor:
    """The same tiles and order in PyTorch: all pixels of a tile against all its splats at once."""
    size = backdrop.shape[0]
    parts = (splats.means_px, splats.covariances_px2, splats.colours, splats.opacities)
    _, boxes = records.from_arrays(*parts, size, size)
    pairs, starts = kernels.bin_tiles(boxes, kernels.depth_order(splats.depths), size, size)
    means, covariances, colours, opacities = (torch.from_numpy(part) for part in parts)
    picture = torch.empty_like(backdrop)
    side = size // records.TILE_PX
    steps = torch.arange(records.TILE_PX) + 0.5
    for tile in range(side * side):
        x0, y0 = (tile % side) * records.TILE_PX, (tile // side) * records.TILE_PX
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
        last = through[-1] if len(chosen) else torch.ones(records.TILE_PX, records.TILE_PX)
        region = (slice(y0, y0 + records.TILE_PX), slice(x0, x0 + records.TILE_PX))
        picture[region] = colour + last[..., None] * backdrop[region]
    return picture


def the_replica() -> Replica:
    """The trained replica that REPLICA names, or the head of nobody with as many splats as the other figures."""
    folder = os.environ.get("REPLICA")
    if not folder:
        return stand_in.replica(SPLATS)
    return Replica.from_files({n: (Path(folder) / n).read_bytes() for n in ("model.safetensors", "manifest.json")})


def load_ms(files: dict[str, bytes], size_px: int = 384, rounds: int = 5) -> float:
    """By the clock from a replica's decrypted files to its first picture, median; kernels are loaded before."""
    spent = []
    for _ in range(rounds):
        began = time.monotonic()
        replica = Replica.from_files(files)
        Renderer(replica, size_px).draw(Performer(replica, 1).state_at(0.0))
        spent.append(1000 * (time.monotonic() - began))
    return round(float(np.median(spent[1:])), 1)


def frame_figures(replica: Replica) -> dict[str, float]:
    """Whole pictures of a replica (motion, set-up, raster), and the fused set-up against the step-by-step one."""
    figures: dict[str, float] = {"frame_splats": len(replica.gaussians)}
    moments = iter(np.arange(0, 10_000, 1 / 30))
    for size in SIZES_PX:
        renderer, performer = Renderer(replica, size), Performer(replica, 1)
        figures[f"frame_cpu_ms_{size}"] = cpu_ms(
            lambda r=renderer, p=performer: r.draw(p.state_at(float(next(moments))))
        )
    rest, features = replica.mesh.rest, np.zeros((LAYERS, FEATURES), np.float32)
    painter = cpu.Painter(replica.mesh, replica.gaussians, np.zeros((256, 256, 3), np.float32))
    arranger = Arranger(replica.mesh, replica.gaussians)
    figures["load_ms"] = load_ms(replica.to_files())
    figures["set_up_ms"] = cpu_ms(lambda: painter.place(rest, features, 1.0))
    figures["set_up_step_by_step_ms"] = cpu_ms(lambda: _step_by_step(arranger.arrange(rest, features, 1.0).splats))
    return figures


def _step_by_step(splats: cpu.Splats2D) -> None:
    records.from_arrays(splats.means_px, splats.covariances_px2, splats.colours, splats.opacities, 256, 256)


def main() -> None:
    """Print progress and, last, one JSON object."""
    torch.set_num_threads(1)
    figures = raster_figures()
    print("drawing with PyTorch", flush=True)
    figures |= torch_figures()
    figures["ratio_vs_torch_256"] = round(figures["torch_cpu_ms_256"] / figures["cpu_ms_256"], 1)
    replica = the_replica()
    figures |= frame_figures(replica)
    print("the whole frame path at 384x384", flush=True)
    figures |= render_path.figures(replica, 384)
    print(json.dumps(figures | {"splats": SPLATS}))


if __name__ == "__main__":
    main()
