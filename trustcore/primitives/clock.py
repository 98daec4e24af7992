"""Time is an argument. These are the two clocks that callers pass in, and one text form."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that tells wall time (aware, UTC) and monotonic seconds."""

    def utc(self) -> datetime: ...

    def monotonic_s(self) -> float: ...


class SystemClock:
    """The machine's clocks."""

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


def utc_now() -> datetime:
    return datetime.now(UTC)


def to_rfc3339(moment: datetime) -> str:
    """Text of an aware moment, in UTC with milliseconds: 2026-11-24T09:30:00.000Z."""
    if moment.tzinfo is None:
        raise ValueError("moment has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_rfc3339_seconds(moment: datetime) -> str:
    """Text of an aware moment, in UTC with whole seconds: 2026-11-24T09:30:00Z."""
    if moment.tzinfo is None:
        raise ValueError("moment has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_rfc3339(text: str) -> datetime:
    """Parse what `to_rfc3339` writes. Raises ValueError on anything without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return moment.astimezone(UTC)
