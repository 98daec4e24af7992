"""Which size and rate a slot picks for what frames cost, and that measuring uses the real parts."""

from dataclasses import replace
from pathlib import Path

import pytest

from rendering.engine import stand_in
from rendering.worker import autotune, frame_parts, workloads
from rendering.worker.config import WorkerConfig
from rendering.worker.frame_parts import CPU_PARTS
from rendering.worker.main import Worker
from rendering.worker.slot import SlotTools
from rendering.worker.workloads import WORKLOADS, Workload
from trustcore.primitives.signing import SigningKey


def config(**changes: object) -> WorkerConfig:
    base = WorkerConfig("http://localhost", "w1", "w1-0", SigningKey(bytes(32)), {}, is_tuned=True)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_the_largest_size_that_leaves_half_of_the_period_is_picked() -> None:
    assert workloads.highest({(256, 20_000): 6.0, (384, 20_000): 9.0, (512, 20_000): 16.0}) == Workload(512, 20_000, 30)
    assert workloads.highest({(256, 20_000): 6.0, (384, 20_000): 9.0, (512, 20_000): 17.0}) == Workload(384, 20_000, 30)
    assert workloads.highest({(256, 20_000): 12.0, (384, 20_000): 20.0}) == Workload(256, 20_000, 30)


def test_a_slow_machine_draws_fewer_splats_and_then_fewer_frames() -> None:
    assert workloads.highest({(256, 20_000): 20.0, (256, 10_000): 14.0}) == Workload(256, 10_000, 30)
    assert workloads.highest({(256, 20_000): 60.0, (256, 10_000): 30.0}) == Workload(256, 10_000, 15)
    assert workloads.highest({(256, 20_000): 600.0, (256, 10_000): 300.0}) == WORKLOADS[-1]  # there is nothing lower
    assert workloads.highest({}) == WORKLOADS[-1]


def test_workloads_go_down_one_by_one_and_end() -> None:
    workload, seen = WORKLOADS[0], [WORKLOADS[0]]
    while workloads.below(workload) != workload:
        workload = workloads.below(workload)
        seen.append(workload)
    assert [(r.size_px, r.frames_per_s) for r in seen] == [(512, 30), (384, 30), (256, 30), (256, 30), (256, 15)]
    assert tuple(seen) == WORKLOADS
    assert workloads.below(Workload(448, 100_000, 30)) == Workload(384, 20_000, 30)


def test_a_session_that_was_late_lowers_the_next_one() -> None:
    assert workloads.after(WORKLOADS[0], 33.0) == WORKLOADS[0]
    assert workloads.after(WORKLOADS[0], 34.0) == WORKLOADS[1]
    assert workloads.after(WORKLOADS[-1], 500.0) == WORKLOADS[-1]


def test_given_settings_stand() -> None:
    told: list[str] = []
    fixed = config(is_tuned=False, size_px=320)
    assert autotune.tuned(fixed, CPU_PARTS, told.append) is fixed
    trainer = config(kinds=("training",))
    assert autotune.tuned(trainer, CPU_PARTS, told.append) is trainer
    assert told == []


def test_tuning_says_what_it_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {256: 7.0, 384: 13.0, 512: 40.0}
    monkeypatch.setattr(autotune, "frame_ms", lambda parts, replica, workload: costs[workload.size_px])
    told: list[str] = []
    picked = autotune.tuned(config(), CPU_PARTS, told.append)
    assert (picked.size_px, picked.most_splats, picked.frames_per_s) == (384, 20_000, 30)
    assert "384x384" in told[0] and "512 px 20k 40.0 ms" in told[0] and "CPU" in told[0]


def test_a_machine_that_is_slow_at_once_is_not_measured_at_larger_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Workload] = []

    def slow(parts: object, replica: object, workload: Workload) -> float:
        asked.append(workload)
        return 50.0 if workload.most_splats == 20_000 else 31.0

    monkeypatch.setattr(autotune, "frame_ms", slow)
    picked = autotune.tuned(config(), CPU_PARTS, print)
    assert [workload.work for workload in asked] == [(256, 20_000), (256, 10_000)]
    assert (picked.size_px, picked.frames_per_s) == (256, 15)


def test_a_frame_is_measured_with_the_real_parts() -> None:
    assert 0.5 < autotune.frame_ms(CPU_PARTS, stand_in.replica(500, 128), Workload(128, 500, 30)) < 5000


def test_the_processor_is_used_where_no_driver_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_parts, "DRIVER", Path("/nonexistent"))
    assert frame_parts.choose("auto") is frame_parts.choose("cpu") is CPU_PARTS


class Control:
    """Control as far as a slot that announces itself needs it."""

    def __init__(self) -> None:
        self.config: WorkerConfig | None = None
        self.announced: list[int] = []

    async def register(self) -> None:
        assert self.config is not None
        self.announced.append(self.config.size_px)


async def test_a_late_session_makes_the_slot_announce_a_smaller_size() -> None:
    control, told = Control(), list[str]()
    tools = SlotTools(config(size_px=384, most_splats=20_000), control, None, None, told.append)  # type: ignore[arg-type]
    worker = Worker(tools)
    await worker._step_down_after(20.0)
    assert control.announced == [] and tools.config.size_px == 384
    await worker._step_down_after(41.0)
    assert control.announced == [256] and tools.config.size_px == 256
    assert "41 ms" in told[0] and "256x256" in told[0]
    tools.close()


async def test_a_size_that_was_given_stays_when_frames_are_late() -> None:
    control = Control()
    tools = SlotTools(config(is_tuned=False, size_px=384), control, None, None, print)  # type: ignore[arg-type]
    await Worker(tools)._step_down_after(90.0)
    assert control.announced == [] and tools.config.size_px == 384
    tools.close()
