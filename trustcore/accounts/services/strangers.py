"""Refusals of callers who proved nothing: on the record, but not one entry for each try, or anybody could make the log
grow without end.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from trustcore.audit import recording

SAME_REFUSAL_S = 60.0


class Strangers:
    """One event a minute for each kind of refusal, with the number of tries that came since the last one. Thread-safe.
    The kinds are few: a refusal is about nothing known, or about an object that exists.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s, self._lock = clock_s, threading.Lock()
        self._told: dict[tuple[str, str, str], tuple[float, int]] = {}  # kind: (when last told, tries since)

    def refused(self, *, action: recording.Action, obj: Any, reason: str) -> None:
        kind = (action.value, recording.reference_to(obj).key, reason)
        with self._lock:
            now_s = self._clock_s()
            told_s, tries = self._told.get(kind, (float("-inf"), 0))
            if now_s - told_s < SAME_REFUSAL_S:
                self._told[kind] = (told_s, tries + 1)
                return
            self._told[kind] = (now_s, 0)
        details = {"unrecorded_tries_before": tries} if tries else None
        recording.refused(actor=recording.Actor.anyone(), action=action, obj=obj, reason=reason, details=details)

    def forget(self) -> None:
        with self._lock:
            self._told.clear()


strangers = Strangers()
