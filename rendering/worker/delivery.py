"""What a session sends, as its governor plans it: every plan is applied, and both sides hear of each change of rung."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rendering.protocol import RungChanged
from rendering.worker.config import WorkerConfig
from rendering.worker.governor import NOTHING_SAID, START_BPS, Governor, Limits, LineReport, Plan
from rendering.worker.ladder import AUDIO, CAPTIONS, FULL, named
from trustcore.primitives.clock import Clock

RUNG_EVENT = "trustcore.rung"


class Delivery:
    """The governor of one session, and who follows it. All of it only from the event loop."""

    def __init__(
        self, limits: Limits, clock: Clock, *, media_now_s: Callable[[], float],
        tell: Callable[[str, dict[str, Any]], None], record: Callable[[RungChanged], None],
    ) -> None:
        """`tell` sends an event to the viewer; `record` keeps a change for the log."""
        self._limits = limits
        self._clock = clock
        self._media_now_s = media_now_s
        self._tell = tell
        self._record = record
        self._governor = Governor(limits, clock.monotonic_s())
        self._followers: list[Callable[[Plan], None]] = []
        self.plan = self._governor.plan

    def begin(self) -> None:
        """There is another line: start low again, and no better than the one before, which may have been too narrow to
        stand. Who followed before follows no more.
        """
        self._followers = []
        carried_bps = max(AUDIO.from_bps, min(START_BPS, self._governor.line_bps))
        self._governor = Governor(self._limits, self._clock.monotonic_s(), carried_bps)
        self._take(self._governor.plan)

    def lead(self, follow: Callable[[Plan], None]) -> None:
        """Tell `follow` of the plan at hand, and of each later one."""
        self._followers.append(follow)
        follow(self.plan)

    def report(self, report: LineReport = NOTHING_SAID) -> None:
        """Something was said of the line, or a moment has passed."""
        self._take(self._governor.step(self._clock.monotonic_s(), report))

    def lose(self) -> None:
        """There is no line, and the viewer reads, until the next report of one."""
        self._take(replace(self.plan, rung=CAPTIONS, why="no_line", target_bps=0, picture_bps=0))

    def announce(self) -> None:
        """Tell the viewer what they get now."""
        plan = self.plan
        self._tell(RUNG_EVENT, {
            "rung": plan.rung.name, "why": plan.why, "frames_per_s": plan.frames_per_s, "size_px": plan.size_px,
            "has_picture": plan.rung.has_picture, "has_sound": plan.rung.has_sound,
            "is_top": plan.rung is self._limits.top})

    def _take(self, plan: Plan) -> None:
        before, self.plan = self.plan, plan
        for follow in self._followers:
            follow(plan)
        if plan.rung is not before.rung:
            self._record(RungChanged(
                rung=plan.rung.name, before=before.rung.name, why=plan.why, target_bps=plan.target_bps,
                media_time_s=round(self._media_now_s(), 3)))
            self.announce()


def limits_of(facts: Mapping[str, Any], config: WorkerConfig) -> Limits:
    """What the slot allows, and what the app asked for in the lease's facts ("max_rung").

    Raises:
        ValueError: there is no rung of that name.
    """
    wanted = str(facts.get("max_rung") or "")
    return Limits(config.bit_rate_bps, config.size_px, config.frames_per_s, named(wanted) if wanted else FULL)
