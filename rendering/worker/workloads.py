"""How large and how often a slot draws, given what a frame costs on its machine. PURE.

They go down in the order in which a viewer minds least: size, then splats, then rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SHARE_FOR_FRAMES = 0.5  # of a frame's period; speech, the network and other programs need the rest


@dataclass(frozen=True)
class Workload:
    """One way to draw."""

    size_px: int
    most_splats: int
    frames_per_s: int

    @property
    def work(self) -> tuple[int, int]:
        """What the cost of one frame depends on."""
        return self.size_px, self.most_splats

    @property
    def budget_ms(self) -> float:
        """What a frame may cost here."""
        return SHARE_FOR_FRAMES * 1000 / self.frames_per_s


ALL_SPLATS, FEW_SPLATS = 20_000, 10_000
WORKLOADS = (
    Workload(512, ALL_SPLATS, 30),
    Workload(384, ALL_SPLATS, 30),
    Workload(256, ALL_SPLATS, 30),
    Workload(256, FEW_SPLATS, 30),
    Workload(256, FEW_SPLATS, 15),
)


def highest(cost_ms: Mapping[tuple[int, int], float]) -> Workload:
    """The highest workload that was measured and holds its rate with room to spare; the lowest of all when none does.

    Args:
        cost_ms: milliseconds a frame takes from state to attestation, by `Workload.work`.
    """
    for workload in WORKLOADS:
        if cost_ms.get(workload.work, float("inf")) <= workload.budget_ms:
            return workload
    return WORKLOADS[-1]


def below(workload: Workload) -> Workload:
    """The next lower workload, or the lowest itself."""
    return next((lower for lower in WORKLOADS if _order(lower) < _order(workload)), WORKLOADS[-1])


def after(workload: Workload, frame_ms_p95: float) -> Workload:
    """The workload for the next session, given how long 95 of 100 frames of the last one took at most."""
    return below(workload) if frame_ms_p95 > 1000 / workload.frames_per_s else workload


def _order(workload: Workload) -> tuple[int, int, int]:
    return workload.frames_per_s, workload.size_px, workload.most_splats
