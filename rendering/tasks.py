"""Celery only wakes: each task looks at the rows and does what they say, so a lost or doubled
message changes nothing.
"""

from celery import shared_task

from rendering.services import figures, footage, reaping
from trustcore.jobs.services import leases
from trustcore.primitives.clock import utc_now

CONTROL_SIDE_KINDS = ("footage_check",)


@shared_task(name="rendering.run_jobs", ignore_result=True)  # type: ignore[untyped-decorator]
def run_jobs() -> int:
    """Do the queued work that control itself does. Returns how many jobs there were."""
    done = 0
    while (job := leases.claim(kinds=CONTROL_SIDE_KINDS, slot=None, now=utc_now())) is not None:
        footage.run_check(job, now=utc_now())
        done += 1
    return done


@shared_task(name="rendering.reap", ignore_result=True)  # type: ignore[untyped-decorator]
def reap() -> int:
    """End or requeue whatever ran out."""
    return reaping.reap(utc_now())


@shared_task(name="rendering.forget_figures", ignore_result=True)  # type: ignore[untyped-decorator]
def forget_figures() -> int:
    """Delete what viewers' pages measured and is kept no longer. Returns how many visits."""
    return figures.forget_old(now=utc_now())
