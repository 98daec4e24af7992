"""Numbers for server-made SVG: the templates only place them. Every chart has its figures in words beside it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consent.identity.challenge import REACTION_MAX_S, REACTION_MIN_S
from consent.seams import Use

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 34, 30
TOP_DEG = 40.0
LIMIT_DEG = 12.0


@dataclass(frozen=True)
class Box:
    """A rectangle in the chart's own units."""

    x: float
    y: float
    width: float
    height: float


def turn_chart(result: dict[str, Any], duration_s: float) -> dict[str, Any]:
    """The head-turn curve against the bands in which each asked turn had to begin.

    Args:
        result: the stored result of the `turns` check; its detail holds curve, asked and made turns.
    """
    detail = result.get("detail", {})
    curve, asked, made = detail.get("curve", []), detail.get("asked", []), detail.get("made", [])
    long_s = max([duration_s, *(point[0] for point in curve), 1.0])

    def x(at_s: float) -> float:
        return float(round(LEFT + at_s / long_s * (WIDTH - LEFT - RIGHT), 1))

    def y(deg: float) -> float:
        held = max(-TOP_DEG, min(TOP_DEG, deg))
        return round(TOP + (TOP_DEG - held) / (2 * TOP_DEG) * (HEIGHT - TOP - BOTTOM), 1)

    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "plot_width": WIDTH - LEFT - RIGHT,
        "duration_s": round(long_s, 2),
        "runs": _runs(curve, x, y),
        "ahead_y": y(0),
        "left_y": y(25),
        "right_y": y(-25),
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
        "asked": [_asked(turn, x, y) for turn in asked],
        "made": [_made(turn, index, asked, x, y) for index, turn in enumerate(made)],
        "ticks": [{"x": x(at), "label": f"{at} s"} for at in range(0, int(long_s) + 1, 5)],
        "rows": _rows(asked, made),
    }


def _runs(curve: list[Any], x: Any, y: Any) -> list[str]:
    """Polyline points, cut where the face was lost: a gap stays a gap."""
    runs: list[list[str]] = [[]]
    for at_s, deg in curve:
        if deg is None:
            runs.append([])
        else:
            runs[-1].append(f"{x(at_s)},{y(deg)}")
    return [" ".join(run) for run in runs if len(run) > 1]


def _asked(turn: dict[str, Any], x: Any, y: Any) -> dict[str, Any]:
    start, end = x(turn["at_s"] + REACTION_MIN_S), x(turn["at_s"] + REACTION_MAX_S)
    is_left = turn["direction"] == "left"
    top = y(TOP_DEG) if is_left else y(-LIMIT_DEG)
    bottom = y(LIMIT_DEG) if is_left else y(-TOP_DEG)
    return {"x": x(turn["at_s"]), "label": "← left" if is_left else "→ right",
            "band": Box(start, top, round(end - start, 1), round(bottom - top, 1))}  # fmt: skip


def _made(turn: dict[str, Any], index: int, asked: list[Any], x: Any, y: Any) -> dict[str, Any]:
    fits = index < len(asked) and asked[index]["direction"] == turn["direction"]
    delay_s = turn["crossed_s"] - asked[index]["at_s"] if fits else None
    is_good = delay_s is not None and REACTION_MIN_S <= delay_s <= REACTION_MAX_S
    above = turn["direction"] == "left"
    word = f"{delay_s:.1f} s" if delay_s is not None else "not asked"
    return {"x": x(turn["crossed_s"]), "y": y(LIMIT_DEG if above else -LIMIT_DEG), "is_good": is_good,
            "label": f"{'✓' if is_good else '✕'} {word}", "label_y": y(-6) + 12 if above else y(7)}  # fmt: skip


def _rows(asked: list[Any], made: list[Any]) -> list[dict[str, Any]]:
    rows = []
    for index in range(max(len(asked), len(made))):
        want, turn = (asked[index : index + 1] or [None])[0], (made[index : index + 1] or [None])[0]
        rows.append(
            {
                "asked": f"{want['direction']} at {want['at_s']:.1f} s" if want else "nothing",
                "made": f"{turn['direction']} at {turn['crossed_s']:.1f} s, {abs(turn['peak_deg']):.0f}°"
                if turn
                else "nothing",
            }
        )
    return rows


ONE_MINUTE_H = 1 / 60
PATTERNS = {"support": 1, "education": 2, "marketing": 3}


def hours_a_day(uses: list[Use], now: datetime, days: int = 30) -> dict[str, Any]:
    """Stacked bars of hours a day by purpose, for the last `days` days; zero is in view."""
    totals: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for use in uses:
        ago = (now.date() - use.at.date()).days
        if 0 <= ago < days and use.verdict != "fail":
            totals[days - 1 - ago][use.purpose] += use.seconds / 3600
    # The upper line is the longest day, at least a minute: its label must not lie on the lower line's.
    highest = max([ONE_MINUTE_H, *(sum(day.values()) for day in totals.values())])
    top = highest * 1.15
    slot, plot = (WIDTH - LEFT - RIGHT) / days, HEIGHT - 20 - BOTTOM
    bars = []
    for day, purposes in sorted(totals.items()):
        base = float(HEIGHT - BOTTOM)
        for purpose in sorted(purposes, key=lambda name: PATTERNS.get(name, 9)):
            tall = purposes[purpose] / top * plot
            base -= tall
            bars.append({"x": round(LEFT + day * slot, 1), "y": round(base, 1), "width": round(slot - 3, 1),
                         "height": round(tall, 1), "series": PATTERNS.get(purpose, 1)})  # fmt: skip
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "bars": bars,
        "base": HEIGHT - BOTTOM,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top_label": _hours(highest),
        "top_y": round(HEIGHT - BOTTOM - highest / top * plot, 1),
        "first": now - timedelta(days=days - 1),
        "purposes": [(name, PATTERNS.get(name, 1)) for name in _purposes(uses)],
        "total": _hours(sum(sum(day.values()) for day in totals.values())),
        "days": days,
    }


def _purposes(uses: list[Use]) -> list[str]:
    found = {use.purpose for use in uses if use.verdict != "fail"}
    return sorted(found, key=lambda name: PATTERNS.get(name, 9))


def _hours(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"
