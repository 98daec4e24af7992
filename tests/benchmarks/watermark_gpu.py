"""The GPU embedder against the CPU's on the same frames. `make bench NAME=watermark_gpu`, on a machine with a GPU."""

import json
import time

import numpy as np
import torch

from provenance.marks.embed import Embedder
from provenance.marks.gpu import GpuEmbedder
from provenance.marks.keys import MarkKey

KEY = MarkKey(bytes(range(32)), "bench")
SIZES = ((512, 512), (1280, 720), (1920, 1080))
FRAMES = 200


def cpu_ms(width: int, height: int) -> float:
    """Median milliseconds a frame on one core."""
    embedder = Embedder(KEY, 1, 0, width, height)
    planes = [np.full((height // cut, width // cut), 128, np.uint8) for cut in (1, 2, 2)]
    spent = []
    for _ in range(FRAMES):
        started = time.perf_counter()
        embedder.embed(*planes)
        spent.append(1e3 * (time.perf_counter() - started))
    return float(np.median(spent))


def gpu_ms(width: int, height: int) -> float:
    """Median milliseconds a frame on the device, waiting for each."""
    embedder = GpuEmbedder(KEY, 1, 0, width, height)
    planes = [torch.full((height // cut, width // cut), 128, dtype=torch.uint8, device="cuda") for cut in (1, 2, 2)]
    spent = []
    for _ in range(FRAMES):
        torch.cuda.synchronize()
        started = time.perf_counter()
        embedder.embed(*planes)
        torch.cuda.synchronize()
        spent.append(1e3 * (time.perf_counter() - started))
    return float(np.median(spent))


def main() -> None:
    """Measure and print."""
    figures: dict[str, float | str] = {}
    for width, height in SIZES:
        figures[f"cpu_embed_ms_{height}"] = round(cpu_ms(width, height), 4)
        if torch.cuda.is_available():
            figures[f"gpu_embed_ms_{height}"] = round(gpu_ms(width, height), 4)
            figures[f"ratio_{height}"] = round(figures[f"cpu_embed_ms_{height}"] / figures[f"gpu_embed_ms_{height}"], 2)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none: only the CPU was measured"
    print(json.dumps(figures | {"gpu": device}))


if __name__ == "__main__":
    main()
