"""Measures at the worker's start what a frame costs here, and picks the workload.

The frames are of a stand-in head, take the real way (state, picture, label, mark, encode, attest) and go nowhere.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from provenance.manifests.attest import Attestor, SessionKey
from provenance.marks.keys import MarkKey
from rendering.engine import stand_in
from rendering.engine.motion.performer import Performer
from rendering.engine.replica import Replica
from rendering.motion_models import life_model, mouth_models
from rendering.worker.config import WorkerConfig
from rendering.worker.encoder import EncoderSettings
from rendering.worker.frame_parts import FrameParts
from rendering.worker.workloads import WORKLOADS, Workload, highest

WARM_FRAMES, TIMED_FRAMES = 3, 12
MOST_S = 2.0  # for all sizes together; a size that was begun is finished
MOST_S_A_SIZE = 0.6


def tuned(config: WorkerConfig, parts: FrameParts, log: Callable[[str], None]) -> WorkerConfig:
    """The configuration with size, splats and rate for this machine; settings that were given stand."""
    if not config.is_tuned or "session" not in config.kinds:
        return config
    costs = measure(parts)
    workload = highest(costs)
    told = ", ".join(f"{size} px {splats // 1000}k {ms:.1f} ms" for (size, splats), ms in sorted(costs.items()))
    log(
        f"drawing {workload.size_px}x{workload.size_px} with up to {workload.most_splats} splats at "
        f"{workload.frames_per_s} frames a second on the {parts.name.upper()} (a frame takes {told})"
    )
    return with_workload(config, workload)


def with_workload(config: WorkerConfig, workload: Workload) -> WorkerConfig:
    """The configuration that draws as a workload says, at no more than the rate that was set."""
    rate = min(config.frames_per_s, workload.frames_per_s)
    return replace(config, size_px=workload.size_px, most_splats=workload.most_splats, frames_per_s=rate)


def measure(parts: FrameParts, most_s: float = MOST_S) -> dict[tuple[int, int], float]:
    """Milliseconds of a frame by size and splats, smallest first, until one is too slow or the time is spent."""
    began, costs = time.monotonic(), dict[tuple[int, int], float]()
    replica = stand_in.replica()
    for workload in (WORKLOADS[2], WORKLOADS[1], WORKLOADS[0]):
        costs[workload.work] = frame_ms(parts, replica, workload)
        if costs[workload.work] > workload.budget_ms or time.monotonic() - began > most_s / 2:
            break
    if costs[WORKLOADS[2].work] > WORKLOADS[2].budget_ms:
        costs[WORKLOADS[3].work] = frame_ms(parts, replica, WORKLOADS[3])
    return costs


def frame_ms(parts: FrameParts, replica: Replica, workload: Workload) -> float:
    """Median milliseconds from face state to attestation: of processor time, or by the clock on a GPU.

    Processor time, because all else that starts on the machine at this moment says nothing about the hours to come.
    """
    size = workload.size_px
    renderer = parts.renderer(replica, size, workload.most_splats)
    performer = Performer(replica, mouth=mouth_models(), life=life_model())
    label, mark = parts.label(size, size, "en"), parts.embedder(MarkKey(os.urandom(32)), 1, 0, size, size)
    encoder, attestor = parts.encoder(EncoderSettings(size, size)), Attestor(SessionKey(), "urn:c2pa:measuring")
    clock = time.thread_time if parts.name == "cpu" else time.perf_counter
    spent_ms, began_s = [], time.monotonic()
    for index in range(WARM_FRAMES + TIMED_FRAMES):
        started_s = clock()
        raw = parts.raw_frame(renderer, performer.state_at(index / 30), index * 3000)
        label.burn(raw.y, raw.u, raw.v)
        mark.embed(raw.y, raw.u, raw.v)
        attestor.attest(encoder.encode(raw.y, raw.u, raw.v, raw.media_time_90k).access_unit, raw.media_time_90k)
        spent_ms.append(1000 * (clock() - started_s))
        if index > WARM_FRAMES and time.monotonic() - began_s > MOST_S_A_SIZE:
            break
    return median(spent_ms[WARM_FRAMES:])
