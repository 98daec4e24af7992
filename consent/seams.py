"""What other parts of the product lend to consent, bound by settings: dotted paths to objects made without arguments.

Consent may not import provenance or rendering. A setting that names nothing leaves the seam open; pages say so.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from consent.identity.own_output import OwnOutputDetector


@dataclass(frozen=True)
class Use:
    """One use of somebody's face, as she reads it: refused and lowered ones too."""

    at: datetime
    title: str  # the app's name
    fact: str  # "Support, Assamese, 7 min"
    outcome: str  # "all 12,604 frames verified"
    verdict: str  # pass, warn, fail or live
    purpose: str
    seconds: float


class UseLedger(Protocol):
    """Tells what a person's replica was used for."""

    def uses(self, subject_public_id: str, since: datetime) -> list[Use]:
        """Newest first."""
        ...

    def live_count(self, subject_public_id: str) -> int:
        """Sessions that speak with this face now."""
        ...


@dataclass(frozen=True)
class Waiting:
    """One decision that waits for somebody in the console."""

    kind: str  # "Replica", "Emotion policy"
    title: str
    sentence: str
    url: str
    due_at: datetime | None
    picture_url: str = ""
    initials: str = ""
    verdicts: tuple[tuple[str, int], ...] = ()  # ("pass", 5)


class InboxSource(Protocol):
    """Lends the inbox decisions and live figures that consent does not know of."""

    def waiting(self, user: Any, organisation: Any) -> list[Waiting]: ...

    def live(self, organisation: Any) -> dict[str, Any]:
        """{"sessions": int, "replicas": int, "verdicts": [(verdict, words)], "unsealed_sent": int | None}"""
        ...


def own_output_detector() -> OwnOutputDetector | None:
    bound: OwnOutputDetector | None = _bound("TRUSTCORE_OWN_OUTPUT_DETECTOR")
    return bound


def use_ledger() -> UseLedger | None:
    bound: UseLedger | None = _bound("TRUSTCORE_USE_LEDGER")
    return bound


def inbox_sources() -> list[InboxSource]:
    return [import_string(path)() for path in getattr(settings, "TRUSTCORE_INBOX_SOURCES", ())]


def _bound(name: str) -> Any:
    path = getattr(settings, name, "")
    return import_string(path)() if path else None
