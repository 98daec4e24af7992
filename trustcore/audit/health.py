"""Is the log keeping up? What the console shows in its corner."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from trustcore.audit import selectors
from trustcore.audit.models import QueuedEvent
from trustcore.primitives.clock import utc_now

LATE_AFTER = timedelta(seconds=5)


@dataclass(frozen=True)
class LogHealth:
    """`size`: entries in the log. `signed_at`: when the newest checkpoint was signed."""

    is_healthy: bool
    size: int
    signed_at: datetime | None


def of_log() -> LogHealth:
    """Healthy: no event has waited more than 5 s for its number."""
    oldest = QueuedEvent.objects.order_by("event_id").values_list("event__at", flat=True).first()
    newest = selectors.latest_checkpoint()
    is_late = oldest is not None and utc_now() - oldest > LATE_AFTER
    return LogHealth(not is_late, selectors.size(), newest.at if newest else None)
