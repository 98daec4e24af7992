"""Numbers for server-made SVG of service levels: the templates only place them. PURE. Every chart has its figures in a
table under it; a piece of the period with too few answers is a gap, never a line.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rendering.protocol import RUNG_NAMES

WIDTH, HEIGHT = 460, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 96, 12, 14  # room at the right for the two labels
LEAST_ANSWERS: Final = 5  # of a bucket that is drawn
LABEL_APART: Final = 17
_STEPS: Final = (500, 800, 1000, 1200, 1600, 2000, 2400, 3000, 4000, 5000, 8000, 10_000, 20_000, 30_000, 60_000)


@dataclass(frozen=True)
class Line:
    """A horizontal line with its label, in the chart's own units."""

    y: float
    label: str


@dataclass
class BandChart:
    """Half of answers, 95 of 100, and the promise for half, over time."""

    half: list[str] = field(default_factory=list)  # points of a polyline, one for each run without a gap
    most: list[str] = field(default_factory=list)
    bands: list[str] = field(default_factory=list)  # points of a polygon, likewise
    dots: list[tuple[float, float, float]] = field(default_factory=list)  # x, y half, y most: a piece between two gaps
    grid: list[Line] = field(default_factory=list)
    limit_y: float = 0.0
    end_half: Line | None = None
    end_most: Line | None = None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def top_of(values_ms: Iterable[float]) -> int:
    """The scale that all charts of a page share: a round number at or above every value."""
    highest = max(values_ms, default=0.0)
    return next((step for step in _STEPS if step >= highest), _STEPS[-1])


def band_chart(
    buckets: Sequence[Any], *, count: int, limit_ms: int, top_ms: int, half_ms: float | None, most_ms: float | None,
) -> BandChart:
    """Args:
        buckets: `levels_selectors.Bucket`, in order; those that are missing or small are gaps.
        count: how many pieces the period has.
        half_ms, most_ms: of the whole period, for the labels at the end.
    """
    chart = BandChart(limit_y=_y(limit_ms, top_ms), grid=[Line(_y(ms, top_ms), f"{ms:,}") for ms in _grid(top_ms)])
    for run in _runs([one for one in buckets if one.spread.count >= LEAST_ANSWERS]):
        x = [round(LEFT + (one.number + 0.5) / count * (WIDTH - LEFT - RIGHT), 1) for one in run]
        half = [_y(one.spread.at[50], top_ms) for one in run]
        most = [_y(one.spread.at[95], top_ms) for one in run]
        if len(run) == 1:
            chart.dots.append((x[0], half[0], most[0]))
            continue
        chart.half.append(_points(x, half))
        chart.most.append(_points(x, most))
        chart.bands.append(_points([*x, *reversed(x)], [*most, *reversed(half)]))
    if half_ms is not None:
        chart.end_half = Line(_y(half_ms, top_ms), f"{math.ceil(half_ms):,}")
    if most_ms is not None:
        y = _y(most_ms, top_ms)
        apart = chart.end_half.y - LABEL_APART if chart.end_half else y
        chart.end_most = Line(min(y, apart), f"{math.ceil(most_ms):,}")
    return chart


def _grid(top_ms: int) -> tuple[int, ...]:
    return (0, top_ms // 2, top_ms)


def _y(ms: float, top_ms: int) -> float:
    return round(TOP + (1 - min(ms, top_ms) / top_ms) * (HEIGHT - TOP - BOTTOM), 1)


def _points(x: Sequence[float], y: Sequence[float]) -> str:
    return " ".join(f"{a},{b}" for a, b in zip(x, y, strict=True))


def _runs(buckets: Sequence[Any]) -> list[list[Any]]:
    """Neighbouring buckets together."""
    runs: list[list[Any]] = []
    for one in buckets:
        if runs and runs[-1][-1].number + 1 == one.number:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


@dataclass(frozen=True)
class Share:
    """One rung's part of a bar."""

    rung: str
    x: float
    width: float
    percent: int


BAR_WIDTH: Final = 400


def rung_bar(rung_ms: Mapping[str, int]) -> list[Share]:
    """Shares of the time on each rung, best first; empty without any time."""
    total, x, found = sum(rung_ms.values()), 0.0, []
    for rung in RUNG_NAMES if total else ():
        width = BAR_WIDTH * rung_ms.get(rung, 0) / total
        if width > 0:
            percent = round(100 * rung_ms[rung] / total)
            found.append(Share(rung, round(x, 1), round(max(width - 1.5, 0.8), 1), percent))
        x += width
    return found
