"""How long each answer took and where, from outside the parts: counted from the viewer's last sound."""

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from typing import get_args

from rendering.dialogue.seams import MarkName, Part, Trouble

NAMES: tuple[MarkName, ...] = get_args(MarkName)
KEPT_TURNS = 200
PERCENTILES = (("p50", 0.50), ("p95", 0.95))
WITH_P95: frozenset[MarkName] = frozenset({"sound_laid", "first_lip_frame"})


class TurnMarks:
    """An `Observer`. Times are media times in seconds; what is told is milliseconds since "user_stopped"."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, dict[MarkName, float]] = OrderedDict()
        self._done: deque[Mapping[MarkName, float]] = deque(maxlen=KEPT_TURNS)
        self._troubles: Counter[Part] = Counter()

    def mark(self, turn: int, name: MarkName, at_s: float) -> None:
        """Keep when something happened. What is prepared anew is counted anew; else the first time counts.

        A turn begins where the viewer stopped; what is said after its first picture is no mark of it any more.
        """
        if name != "user_stopped" and turn not in self._open:
            return
        marks = self._open.setdefault(turn, {})
        if name in ("user_stopped", "prepare"):
            for later in NAMES[NAMES.index(name) :]:
                marks.pop(later, None)
        marks.setdefault(name, at_s)
        while len(self._open) > 4:  # of a turn that never came to an answer
            self._open.popitem(last=False)

    def trouble(self, part: Part, trouble: Trouble, at_s: float) -> None:
        self._troubles[part] += 1

    def frame_sent(self, media_time_s: float, now_s: float) -> None:
        """A picture was handed to the network. The first one of an answer's time shows the first lip movement."""
        for turn, marks in self._open.items():
            laid_s = marks.get("sound_laid")
            if laid_s is not None and media_time_s >= laid_s:
                marks["first_lip_frame"] = now_s
                self._done.append(self._open.pop(turn))
                return

    def to_json(self) -> Mapping[str, float]:
        """The last turn's marks and the percentiles of the turns kept, in milliseconds since the viewer stopped."""
        rows = [_since_stop(marks) for marks in self._done]
        found: dict[str, float] = {"turns": float(len(rows))} if rows else {}
        for name in NAMES[1:]:
            values = sorted(row[name] for row in rows if name in row)
            if not values:
                continue
            if name in rows[-1]:
                found[f"turn_{name}_ms"] = rows[-1][name]
            for label, share in PERCENTILES:
                if label == "p50" or name in WITH_P95:
                    found[f"turn_{name}_ms_{label}"] = values[min(len(values) - 1, int(share * len(values)))]
        found |= {f"trouble_{part}": float(count) for part, count in self._troubles.items()}
        return found

    def rows(self) -> list[Mapping[MarkName, float]]:
        """Each finished turn: milliseconds since the viewer stopped, by mark."""
        return [_since_stop(marks) for marks in self._done]


def _since_stop(marks: Mapping[MarkName, float]) -> dict[MarkName, float]:
    stopped_s = marks.get("user_stopped")
    if stopped_s is None:
        return {}
    return {name: round((at_s - stopped_s) * 1000, 1) for name, at_s in marks.items()}
