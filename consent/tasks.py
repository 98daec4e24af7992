"""Celery only wakes: each task looks at the rows and does what they say; a lost or doubled message changes nothing."""

from celery import shared_task

from consent.services import consents
from trustcore.primitives.clock import utc_now


@shared_task(name="consent.sweep", ignore_result=True)  # type: ignore[untyped-decorator]
def sweep() -> int:
    """Close consents whose end date passed, and destroy keys whose announced window passed. Returns how many."""
    now = utc_now()
    return len(consents.expire_due(now=now)) + len(consents.destroy_due_keys(now=now))
