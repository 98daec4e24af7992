"""How large and how often a slot draws, given what a frame costs on its machine. PURE.

The ladder goes down in the order in which a viewer minds least: size, then splats, then rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SHARE_FOR_FRAMES = 0.5  # of a frame's period; speech, the network and other programs need the rest


@dataclass(frozen=True)
class Rung:
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
RUNGS = (
    Rung(512, ALL_SPLATS, 30),
    Rung(384, ALL_SPLATS, 30),
    Rung(256, ALL_SPLATS, 30),
    Rung(256, FEW_SPLATS, 30),
    Rung(256, FEW_SPLATS, 15),
)


def highest(cost_ms: Mapping[tuple[int, int], float]) -> Rung:
    """The highest rung that was measured and holds its rate with room to spare; the lowest of all when none does.

    Args:
        cost_ms: milliseconds a frame takes from state to attestation, by `Rung.work`.
    """
    for rung in RUNGS:
        if cost_ms.get(rung.work, float("inf")) <= rung.budget_ms:
            return rung
    return RUNGS[-1]


def below(rung: Rung) -> Rung:
    """The next lower rung, or the lowest itself."""
    return next((lower for lower in RUNGS if _order(lower) < _order(rung)), RUNGS[-1])


def after(rung: Rung, frame_ms_p95: float) -> Rung:
    """The rung for the next session, given how long 95 of 100 frames of the last one took at most."""
    return below(rung) if frame_ms_p95 > 1000 / rung.frames_per_s else rung


def _order(rung: Rung) -> tuple[int, int, int]:
    return rung.frames_per_s, rung.size_px, rung.most_splats
