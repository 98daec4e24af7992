"""Were the asked head turns made, in the asked order, each a human reaction time after it was asked?

Input is the yaw of the tracked head. A turn counts when the head has moved `TURN_RAD` away from ahead, and ends when it
is back within `AHEAD_RAD`; the two limits differ so that a head resting at one limit is not many turns.
What this does not show: a live face swap follows head turns too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from consent.identity.challenge import REACTION_MAX_S, REACTION_MIN_S, Challenge, Turn
from consent.identity.results import CheckResult

VERSION = "1.0"
TURN_RAD = np.deg2rad(12.0)  # asked for about 25 degrees; trackers see 0.86 of it, and many people turn less
AHEAD_RAD = np.deg2rad(7.0)
SMOOTH_S = 0.12
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")

Curve = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MadeTurn:
    """A turn seen in the clip: when it crossed the limit, and how far it went (rad; positive: person's own left)."""

    direction: str
    crossed_s: float
    peak_rad: float


def ahead_rad(yaw_rad: Curve, time_s: Curve, until_s: float) -> float:
    """The yaw that counts as ahead: the median before the first turn is asked. People do not sit square to a camera."""
    before = yaw_rad[(time_s < until_s) & np.isfinite(yaw_rad)]
    return float(np.median(before)) if before.size else 0.0


def smoothed(yaw_rad: Curve, time_s: Curve) -> Curve:
    """Median over a short window: one frame in which the tracker slipped is not a turn. Gaps stay gaps."""
    out = np.full_like(yaw_rad, np.nan)
    for index, now_s in enumerate(time_s):
        window = yaw_rad[np.abs(time_s - now_s) <= SMOOTH_S]
        window = window[np.isfinite(window)]
        if window.size:
            out[index] = np.median(window)
    return out


def made_turns(yaw_rad: Curve, time_s: Curve) -> list[MadeTurn]:
    """Every turn in a yaw curve that is already relative to ahead.

    Args:
        yaw_rad: [T], NaN where no face was found; a gap neither starts nor ends a turn.
        time_s: [T], rising.
    """
    found: list[MadeTurn] = []
    side = 0.0  # sign of the turn we are in, 0 when ahead
    for yaw, now_s in zip(yaw_rad, time_s, strict=True):
        if not np.isfinite(yaw):
            continue
        if side and yaw * side > 0 and abs(yaw) > abs(found[-1].peak_rad):
            found[-1] = MadeTurn(found[-1].direction, found[-1].crossed_s, float(yaw))
        if side and yaw * side < AHEAD_RAD:
            side = 0.0
        if not side and abs(yaw) >= TURN_RAD:
            side = float(np.sign(yaw))
            found.append(MadeTurn("left" if side > 0 else "right", float(now_s), float(yaw)))
    return found


def check_turns(challenge: Challenge, yaw_rad: Curve, time_s: Curve, *, is_timed: bool = True) -> CheckResult:
    """Order and timing of the turns.

    Args:
        yaw_rad: [T] tracked yaw, positive towards the person's own left; NaN where no face was found.
        time_s: [T] seconds from the start of the recording.
        is_timed: False for a clip recorded outside our page. Nobody was asked at a known moment then, so reaction
            times mean nothing: the order is checked, and the best verdict is `warn`.
    """
    relative = smoothed(yaw_rad, time_s) - ahead_rad(yaw_rad, time_s, challenge.turns[0].at_s)
    made = made_turns(relative, time_s)
    asked = challenge.turns
    detail = _detail(asked, made, relative, time_s)
    order_wrong = _order_fault(asked, made)
    if order_wrong:
        return _result(
            "fail", None, order_wrong, "The turns were not the ones we asked for. Please record once more.", detail
        )
    if not is_timed:
        measure = f"{len(made)} of {len(asked)} turns in order, times not known"
        return _result("warn", None, measure, "", detail)
    late = [(index, turn.crossed_s - want.at_s) for index, (want, turn) in enumerate(zip(asked, made, strict=True))]
    for index, delay_s in late:
        if delay_s > REACTION_MAX_S:
            told = f"The {ORDINALS[index]} turn came too late to count. Please record once more."
            return _result("fail", delay_s, f"{ORDINALS[index].capitalize()} turn after {delay_s:.1f} s", told, detail)
        if delay_s < REACTION_MIN_S:
            told = f"The {ORDINALS[index]} turn came before we asked for it. Please record once more."
            return _result("fail", delay_s, f"{ORDINALS[index].capitalize()} turn at {delay_s:.1f} s", told, detail)
    slowest_s = max(delay_s for _, delay_s in late)
    return _result("pass", slowest_s, f"{len(made)} of {len(asked)} in order, slowest {slowest_s:.1f} s", "", detail)


def _order_fault(asked: tuple[Turn, ...], made: list[MadeTurn]) -> str:
    """Empty when the made turns are the asked ones, in order; else what a reader should know."""
    if [turn.direction for turn in made] == [turn.direction for turn in asked]:
        return ""
    if not made:
        return "No head turn seen"
    return f"Made {', '.join(turn.direction for turn in made)}; asked {', '.join(turn.direction for turn in asked)}"


def _result(verdict: Any, score: float | None, measure: str, to_subject: str, detail: dict[str, Any]) -> CheckResult:
    return CheckResult(
        name="turns", verdict=verdict, method="landmark yaw", version=VERSION, score=score, threshold=REACTION_MAX_S,
        measure=measure, need=f"the asked order, {REACTION_MIN_S} to {REACTION_MAX_S} s each", decided_by="method",
        to_subject=to_subject, detail=detail,
    )  # fmt: skip


def _detail(asked: tuple[Turn, ...], made: list[MadeTurn], yaw_rad: Curve, time_s: Curve) -> dict[str, Any]:
    """The curve at no more than ten points a second and the turns, for the officer's picture."""
    stride = max(1, round(len(time_s) / max(float(time_s[-1]) * 10, 1))) if len(time_s) else 1
    curve = [
        [round(float(t), 3), round(float(np.rad2deg(yaw)), 1)] if np.isfinite(yaw) else [round(float(t), 3), None]
        for t, yaw in zip(time_s[::stride], yaw_rad[::stride], strict=True)
    ]
    return {
        "curve": curve,
        "asked": [{"direction": turn.direction, "at_s": turn.at_s} for turn in asked],
        "made": [
            {
                "direction": t.direction,
                "crossed_s": round(t.crossed_s, 3),
                "peak_deg": round(float(np.rad2deg(t.peak_rad)), 1),
            }
            for t in made
        ],
    }
