"""The GPU: rates of its frame path, sessions at 30 a second, memory of one; a fit. `make bench NAME=render_gpu`.

Says "none" plainly on a machine without a GPU. Sessions are processes, as workers are; each draws the head of nobody,
marks, encodes and attests at 30 frames a second, and their number grows until one of them is late. The encoder is NVENC
where the GPU has one (H100 and H200 have none) and libx264 otherwise; the last line names it.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from queue import Empty
from typing import Any

import numpy as np
import torch

from rendering.engine import stand_in
from rendering.engine.face_space import FEATURES, LAYERS
from rendering.engine.rasterize import cpu
from tests.benchmarks.render import random_splats

SPLATS, ROUNDS, SECONDS = 20_000, 200, 6.0
LATE_MS, LATE_SHARE = 1000 / 30, 0.01
WIDE = (1080, 1920)


def device_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median milliseconds by the clock, waiting for the device each time."""
    for _ in range(5):
        work()
    spent = []
    for _ in range(rounds):
        torch.cuda.synchronize()
        began = time.perf_counter()
        work()
        torch.cuda.synchronize()
        spent.append(1000 * (time.perf_counter() - began))
    return round(float(np.median(spent)), 3)


def picture_figures() -> dict[str, Any]:
    """Set-up, raster, conversion, label, mark and the way to the host, one session alone, no encoder."""
    from provenance.marks.keys import MarkKey
    from rendering.engine.rasterize import gpu
    from rendering.worker.gpu_parts import DeviceEmbedder, DeviceLabel

    figures: dict[str, float] = {}
    replica = stand_in.replica(SPLATS, 512)
    features = np.zeros((LAYERS, FEATURES), np.float32)
    for name, (height, width) in {"512": (512, 512), "1080p": WIDE}.items():
        painter = gpu.Painter(replica.mesh, replica.gaussians, np.full((height, width, 3), 0.4, np.float32))
        zoom = height / 512
        points = (replica.mesh.rest * zoom + np.array([width / 2, height / 2, 0])).astype(np.float32)
        label = DeviceLabel(width, height)
        mark = DeviceEmbedder(MarkKey(os.urandom(32)), 1, 0, width, height)

        def frame(p: Any = painter, v: Any = points, z: float = zoom, la: Any = label, m: Any = mark) -> None:
            planes = p.paint_planes(v, features, z)
            la.burn(*planes)
            m.embed(*planes)
            for plane in planes:
                plane.cpu()

        figures[f"frame_ms_{name}"] = device_ms(frame)
        figures[f"fps_{name}"] = round(1000 / figures[f"frame_ms_{name}"], 1)
        figures[f"paint_ms_{name}"] = device_ms(lambda p=painter, v=points, z=zoom: p.paint_on_device(v, features, z))
    return figures


def agreement_figures() -> dict[str, float | str]:
    """The same splats by processor and by GPU, forward and backward."""
    from rendering.engine.rasterize import gpu

    splats, ground = random_splats(512), np.full((512, 512, 3), 0.5, np.float32)
    by_cpu, by_gpu = cpu.forward(splats, ground), gpu.forward(splats, ground)
    weight = np.random.default_rng(1).normal(size=ground.shape).astype(np.float32)
    one, other = (
        side.backward_parallel(splats, drawn, weight).means_px for side, drawn in ((cpu, by_cpu), (gpu, by_gpu))
    )
    return {
        "max_difference_levels": round(255 * float(np.abs(by_cpu.picture - by_gpu.picture).max()), 3),
        "gradient_cosine": round(float((one * other).sum() / (np.linalg.norm(one) * np.linalg.norm(other))), 6),
        "forward_with_copies_ms_512": device_ms(lambda: gpu.forward(splats, ground), 50),
        "backward_with_copies_ms_512": device_ms(lambda: gpu.backward_parallel(splats, by_gpu, weight), 50),
        "gsplat_forward_ms_512": gsplat_ms(splats, 512),
    }


def gsplat_ms(splats: cpu.Splats2D, size_px: int) -> float | str:
    """The same splats through gsplat, where it is installed: flat 3-D Gaussians before an orthographic camera."""
    if importlib.util.find_spec("gsplat") is None:
        return "not installed"
    import gsplat

    count = splats.opacities.size
    covariances = np.zeros((count, 3, 3), np.float32)
    covariances[:, 0, 0], covariances[:, 1, 1] = splats.covariances_px2[:, 0], splats.covariances_px2[:, 2]
    covariances[:, 0, 1] = covariances[:, 1, 0] = splats.covariances_px2[:, 1]
    covariances[:, 2, 2] = 1e-6
    depths = splats.depths.max() - splats.depths + 1
    means, shapes, colours, opacities = (
        torch.from_numpy(np.ascontiguousarray(part)).cuda()
        for part in (
            np.column_stack([splats.means_px, depths]).astype(np.float32), covariances, splats.colours, splats.opacities
        )
    )  # fmt: skip
    eye = torch.eye(4, device="cuda")[None]
    camera = torch.eye(3, device="cuda")[None]
    return device_ms(
        lambda: gsplat.rasterization(
            means, None, None, opacities, colours, eye, camera, size_px, size_px, covars=shapes, eps2d=0.0,
            camera_model="ortho", packed=False,
        )
    )  # fmt: skip


def session(start: Any, results: Any, size_px: int) -> None:
    """One worker's frames: makes them at 30 a second from a common moment on, and tells its lateness and encoder."""
    from provenance.manifests.attest import Attestor, SessionKey
    from provenance.marks.keys import MarkKey
    from rendering.engine.motion.performer import Performer
    from rendering.worker.encoder import EncoderSettings
    from rendering.worker.frame_parts import choose

    torch.set_num_threads(1)
    parts = choose("gpu")
    replica = stand_in.replica(SPLATS, 512)
    renderer, performer = parts.renderer(replica, size_px, None), Performer(replica, os.getpid())
    label, mark = parts.label(size_px, size_px, "en"), parts.embedder(MarkKey(os.urandom(32)), 1, 0, size_px, size_px)
    encoder, attestor = parts.encoder(EncoderSettings(size_px, size_px)), Attestor(SessionKey(), "urn:c2pa:bench")

    def make(index: int) -> None:
        raw = parts.raw_frame(renderer, performer.state_at(index / 30), index * 3000)
        label.burn(raw.y, raw.u, raw.v)
        mark.embed(raw.y, raw.u, raw.v)
        attestor.attest(encoder.encode(raw.y, raw.u, raw.v, raw.media_time_90k).access_unit, raw.media_time_90k)

    for index in range(10):
        make(index)
    start.wait()
    began, late_ms = time.monotonic(), []
    for index in range(10, 10 + int(30 * SECONDS)):
        due_s = began + (index - 10) / 30
        time.sleep(max(0.0, due_s - time.monotonic()))
        make(index)
        late_ms.append(1000 * (time.monotonic() - due_s))
    results.put((late_ms, encoder.program))


def hold(count: int, size_px: int) -> tuple[bool, float, str]:
    """Whether so many sessions at once are all in time, the device memory each took (MiB), and the encoder."""
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(count + 1), context.Queue()
    free_before, _ = torch.cuda.mem_get_info()
    processes = [context.Process(target=session, args=(start, results, size_px)) for _ in range(count)]
    for process in processes:
        process.start()
    start.wait(180)
    free_during, _ = torch.cuda.mem_get_info()
    try:
        told = [results.get(timeout=60) for _ in range(count)]
    except Empty:
        told = []
    for process in processes:
        process.join(30)
    late = np.concatenate([late_ms for late_ms, _ in told]) if told else np.full(1, np.inf)
    in_time = len(told) == count and float(np.mean(late > LATE_MS)) <= LATE_SHARE
    return in_time, (free_before - free_during) / count / 2**20, told[0][1] if told else ""


def session_figures(size_px: int) -> dict[str, float | str]:
    """The largest number of sessions that are all in time, by doubling and then halving the step."""
    most, step, memory_mib, program = 0, 1, 0.0, ""
    growing = True
    while step >= 1:
        in_time, used_mib, used = hold(most + step, size_px)
        print(f"{most + step} sessions at {size_px}: {'in time' if in_time else 'late'}, {used}", flush=True)
        if in_time:
            most, memory_mib, program = most + step, used_mib, used
            step = step * 2 if growing else step // 2
        else:
            growing, step = False, step // 2
    return {
        f"sessions_{size_px}": most, f"device_memory_mib_a_session_{size_px}": round(memory_mib), "encoder": program,
        "processor_cores": os.cpu_count() or 0,
    }  # fmt: skip


def fit_figures() -> dict[str, float]:
    """The subject of `make bench NAME=train` on the GPU rasteriser: how long the fit takes and how good it is."""
    from rendering.training.config import TrainingConfig
    from rendering.training.fit import train
    from tests.benchmarks.train import footage
    from trustcore.tracker import track_clip

    name, media = footage()
    print(f"tracking {name}", flush=True)
    clip = track_clip(media, want=frozenset({"landmarks", "mask"}))
    report = train(clip, TrainingConfig(iterations=7000, time_limit_s=225.0, rasterizer="gpu")).report
    held_out = report["quality"]["held_out"]
    return {
        "fit_s": report["training"]["fit_s"], "fit_iterations": report["training"]["iterations_done"],
        "fit_psnr_full": held_out["psnr_full_db"], "fit_psnr_face": held_out["psnr_face_db"],
        "fit_psnr_mouth": held_out["psnr_mouth_db"],
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    if not torch.cuda.is_available():
        print(json.dumps({"gpu": "none: nothing was measured", "splats": SPLATS}))
        return
    figures: dict[str, Any] = picture_figures() | agreement_figures()
    figures |= session_figures(512)
    figures |= fit_figures()
    print(json.dumps(figures | {"gpu": torch.cuda.get_device_name(), "splats": SPLATS}))


if __name__ == "__main__":
    main()
