"""The life of a lease: queue, claim, renew, finish, lose.

Each verb is one statement whose WHERE holds the whole rule (state, epoch, time), so two processes can never both
succeed. A verb that changed no row raises; the caller learns that somebody else was first. What a lost job means for
its object is for the owner of that object (`rendering.services.reaping`), which is why these functions return the jobs.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q

from trustcore.jobs import wakeups
from trustcore.jobs.errors import LeaseLost
from trustcore.jobs.models import Job, LeaseEvent, Slot
from trustcore.jobs.states import JOB
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import b64
from trustcore.primitives.states import next_state

QUEUE_TOPIC = "jobs.queue"


def topic(job_id: str) -> str:
    """Wakes whoever waits for something about this job."""
    return f"job:{job_id}"


def _after(state: str, action: str) -> str:
    return next_state(JOB, state, action)


def enqueue(
    *, kind: str, tenant: str, object_id: str, subject_public_id: str, idempotency_key: str, lease_lifetime_s: float,
    is_repeatable: bool, queue_until: datetime | None = None, max_attempts: int = 5,
) -> Job:
    """Put work in the queue, or return the job that `idempotency_key` made before. Call it inside
    the business transaction.
    """
    job, is_new = Job.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "public_id": new_id("lease" if kind == "session" else "job"), "kind": kind, "tenant": tenant,
            "object_id": object_id,
            "subject_public_id": subject_public_id, "lease_lifetime_s": lease_lifetime_s,
            "is_repeatable": is_repeatable,
            "queue_until": queue_until, "max_attempts": max_attempts,
        },
    )
    if is_new:
        wakeups.notify(QUEUE_TOPIC)
    return job


_CLAIM = """
    UPDATE trustcore_jobs_job SET state = %(leased)s, slot_id = %(slot)s, epoch = epoch + 1, attempt = attempt + 1,
           nonce = %(nonce)s, claim = NULL, claimed_at = %(now)s,
           leased_until = %(now)s + make_interval(secs => lease_lifetime_s)
     WHERE id = (SELECT id FROM trustcore_jobs_job
                  WHERE state = %(queued)s AND kind = ANY(%(kinds)s) AND (queue_until IS NULL OR queue_until > %(now)s)
                  ORDER BY (kind <> 'session'), created_at FOR UPDATE SKIP LOCKED LIMIT 1)
 RETURNING id
"""


def claim(*, kinds: Sequence[str], slot: Slot | None, now: datetime) -> Job | None:
    """Lease the first queued job of these kinds (sessions first), or None. Each job goes to one caller only."""
    values = {
        "leased": _after("queued", "claim"), "queued": "queued", "slot": slot.id if slot else None,
        "kinds": list(kinds), "now": now,
        "nonce": b64(secrets.token_bytes(16)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    return Job.objects.select_related("slot__worker").get(id=row[0]) if row else None


def held(job_id: str, *, worker_id: str, epoch: int | None, now: datetime) -> Job:
    """The job whose lease this worker holds now.

    Raises:
        LeaseLost: no such lease, another worker's, another epoch's, over, stopped or run out. One answer for all, so
            that a stranger learns nothing about other people's leases.
    """
    found = Job.objects.select_related("slot__worker").filter(
        public_id=job_id, state="leased", leased_until__gt=now, slot__worker__public_id=worker_id,
    )
    if epoch is not None:
        found = found.filter(epoch=epoch)
    job = found.first()
    if job is None:
        raise LeaseLost("This lease is over or not yours. Stop the work and claim again.", lease=job_id)
    return job


def renew(job: Job, *, now: datetime) -> bool:
    """Extend a lease. False when it is over, run out or must stop: a lease that ran out is never revived."""
    changed = Job.objects.filter(
        id=job.id, epoch=job.epoch, state="leased", leased_until__gt=now, stop_reason="",
    ).update(leased_until=now + timedelta(seconds=job.lease_lifetime_s))
    return changed == 1


def finish(job: Job, *, action: str, reason: str, now: datetime) -> bool:
    """Take a job out of the queue for good: `action` is finish, fail, lose or cancel. False when somebody else ended it
    before.

    What was said over the lease (offers, what a viewer typed) is deleted here: it belongs to the session, not to the
    record.
    """
    sources = [state for state in JOB.states if (state, action) in JOB.transitions]
    changed = Job.objects.filter(id=job.id, epoch=job.epoch, state__in=sources).update(
        state=JOB.transitions[sources[0], action], reason=reason, stop_reason=reason, finished_at=now,
    )
    if changed:
        LeaseEvent.objects.filter(job=job).exclude(kind__in=("revoke", "end")).update(body={}, answer=None)
        wakeups.notify(topic(job.public_id))
    return changed == 1


def ask_to_stop(job: Job, *, kind: str, reason: str) -> None:
    """Tell the holder to stop (`kind` revoke or end). Its renewals fail from now on, whether it listens or not."""
    changed = Job.objects.filter(id=job.id, state__in=("queued", "leased"), stop_reason="").update(stop_reason=reason)
    if changed:
        say(job, kind=kind, body={"reason": reason})


_SAY = """
    WITH counted AS (UPDATE trustcore_jobs_job SET event_count = event_count + 1
                     WHERE id = %s AND event_count = COALESCE(%s, event_count)
                     RETURNING id, event_count),
         said AS (INSERT INTO trustcore_jobs_lease_event (job_id, number, kind, body, created_at)
                  SELECT id, event_count, %s, %s::jsonb, now() FROM counted RETURNING id)
    SELECT id, pg_notify(%s, %s) FROM said
"""


def say(job: Job, *, kind: str, body: Mapping[str, Any]) -> int:
    """Push one event to the holder of a lease and wake it; returns the event's row id. Numbers grow by one without
    gaps: the row lock of the job orders them. One statement, because a viewer waits for it.
    """
    said = _say(job, kind, body, None)
    assert said is not None
    return said


def say_next(job: Job, *, kind: str, body: Mapping[str, Any]) -> int | None:
    """The same, unless something was said since `job` was read; then None."""
    return _say(job, kind, body, job.event_count)


def _say(job: Job, kind: str, body: Mapping[str, Any], after: int | None) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(_SAY, [job.id, after, kind, json.dumps(dict(body)), wakeups.CHANNEL, topic(job.public_id)])
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def events_after(job_row_id: int, number: int) -> list[LeaseEvent]:
    return list(LeaseEvent.objects.filter(job_id=job_row_id, number__gt=number).order_by("number"))


def run_out(now: datetime) -> list[Job]:
    """Leases that were not renewed in time and queued jobs that nobody took in time."""
    late = Q(state="leased", leased_until__lte=now) | Q(state="queued", queue_until__lte=now)
    return list(Job.objects.filter(late).order_by("id")[:100])


def requeue(job: Job, *, now: datetime) -> bool:
    """Put a repeatable job whose lease ran out back in the queue. False when it may not be repeated
    any more, or is not ours to move.
    """
    changed = Job.objects.filter(
        id=job.id, epoch=job.epoch, state="leased", leased_until__lte=now, is_repeatable=True, stop_reason="",
        attempt__lt=F("max_attempts"),
    ).update(state=_after("leased", "requeue"), slot=None, leased_until=None)
    if changed:
        wakeups.notify(QUEUE_TOPIC)
    return changed == 1
