"""What an organisation promises its viewers, and whether it was kept. PURE.

A target is one percentile of one figure, or a share, with a limit. It is judged over all sessions on the networks that
the promise names, never by putting percentiles of parts together. With too few sessions it is not judged at all: a 95th
percentile of ten is the largest of ten by another name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rendering.errors import TargetsInvalid
from rendering.measuring.batch import NETWORKS

KEPT, MISSED, TOO_FEW = "kept", "missed", "too_few"
PERCENTILES: Final = (50, 95, 99)
PROMISED_NETWORKS: Final = ("4g", "unknown")  # "4g" is a browser's word for any good line; some browsers tell nothing
FEW: Final = 20  # sessions of a cell; below, the cell says so
HIDDEN_BELOW: Final = 5


@dataclass(frozen=True)
class Target:
    """`figure` and `percentile` name a value of a cell; 0 is for a share over everything together. `unit`: ms, or
    millionths ("ppm") for shares, so that limits are whole numbers. `is_floor`: the value must reach the limit.
    """

    name: str
    figure: str
    percentile: int
    unit: str
    default: int
    lowest: int
    highest: int
    is_floor: bool = False


TARGETS: Final = (
    Target("response_p50_ms", "response_ms", 50, "ms", 600, 50, 20_000),
    Target("response_p95_ms", "response_ms", 95, "ms", 1000, 50, 30_000),
    Target("ttff_p95_ms", "ttff_ms", 95, "ms", 3000, 100, 60_000),
    Target("frozen_p95_ppm", "frozen_ppm", 95, "ppm", 50_000, 0, 1_000_000),
    Target("picture_ppm", "picture_ppm", 0, "ppm", 990_000, 0, 1_000_000, is_floor=True),
    Target("verified_ppm", "verified_ppm", 0, "ppm", 1_000_000, 0, 1_000_000, is_floor=True),
)
DEFAULTS: Final = {target.name: target.default for target in TARGETS}


def needed(percentile: int) -> int:
    """How many values a percentile needs before it says more than the largest of them does; at least HIDDEN_BELOW."""
    return HIDDEN_BELOW if percentile == 0 else max(HIDDEN_BELOW, round(1 / (1 - percentile / 100)))


def checked(limits: Mapping[str, Any], networks: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Limits and networks as they may be stored.

    Raises:
        TargetsInvalid: a limit is missing or out of range, or no network is named.
    """
    found = {}
    for target in TARGETS:
        value = limits.get(target.name)
        if not isinstance(value, int) or isinstance(value, bool) or not target.lowest <= value <= target.highest:
            raise TargetsInvalid(
                f"{target.name} is a whole number from {target.lowest} to {target.highest}. Nothing was changed.",
                fields={target.name: ["out of range"]})
        found[target.name] = value
    chosen = [name for name in NETWORKS if name in networks]
    if not chosen or set(networks) - set(NETWORKS):
        raise TargetsInvalid("Choose at least one network that the promises are about. Nothing was changed.")
    return found, chosen


@dataclass(frozen=True)
class Verdict:
    """One promise judged. `value` is None where there are too few."""

    target: Target
    limit: int
    value: int | None
    count: int  # sessions, or answers where the target is about answers
    word: str


def judge(target: Target, limit: int, value: float | None, count: int) -> Verdict:
    """Was a promise kept? A value that meets its limit exactly keeps it; it is compared before it is rounded."""
    if value is None or count < needed(target.percentile):
        return Verdict(target, limit, None, count, TOO_FEW)
    is_kept = value >= limit if target.is_floor else value <= limit
    # What is shown must not contradict the word: a share just under its floor is not rounded up to it.
    shown = int(value) if target.is_floor else -int(-value // 1)
    return Verdict(target, limit, shown, count, KEPT if is_kept else MISSED)
