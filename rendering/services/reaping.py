"""What follows when nobody renews: sessions end with a reason, trainings go back in the queue, unused links run out.

Safe to run from several processes at once: every step is a conditional statement, and an ended conversation stays as it
is.
"""

from datetime import datetime, timedelta

from rendering.models import Conversation
from rendering.protocol import UNJOINED_LIFETIME_S
from rendering.services import conversations, sessions, training
from trustcore.audit.actors import Actor
from trustcore.jobs.models import Job
from trustcore.jobs.services import leases, workers

REAPER = Actor.system("reaper")


def reap(now: datetime) -> int:
    """End or requeue whatever ran out by `now`. Returns how much there was."""
    late = leases.run_out(now)
    for job in late:
        if job.kind == "session":
            _lose_session(job, now=now)
        elif not leases.requeue(job, now=now) and _is_as_it_was(job):
            _lose_job(job, now=now)
    workers.forget_old_nonces(now)
    return len(late) + _end_overdue(now)


def _is_as_it_was(job: Job) -> bool:
    """Whether nobody else has moved this job since it was read: another reaper may have put it back
    in the queue just now.
    """
    return Job.objects.filter(id=job.id, state=job.state, epoch=job.epoch).exists()


def _lose_session(job: Job, *, now: datetime) -> None:
    reason = job.stop_reason or ("lease_expired" if job.state == "leased" else "no_free_slot")
    conversation = sessions.conversation_of(job)
    conversations.end(conversation=conversation, actor=REAPER, reason=reason, now=now)
    leases.finish(job, action="lose", reason=reason, now=now)


def _lose_job(job: Job, *, now: datetime) -> None:
    if job.kind == "training":
        training.fail(job, reason=job.stop_reason or "training.lease_expired", now=now, action="lose")
    else:
        leases.finish(job, action="lose", reason="lease_expired", now=now)


def _end_overdue(now: datetime) -> int:
    """Links nobody opened in time, pages that never connected, and sessions whose ground or time is gone."""
    ended = 0
    for conversation in Conversation.objects.filter(state__in=("waiting", "joining", "live")).select_related(
        "organisation", "version__replica"
    ):
        reason = _reason_to_end(conversation, now)
        if reason:
            ended += conversations.end(conversation=conversation, actor=REAPER, reason=reason, now=now)
    return ended


def _reason_to_end(conversation: Conversation, now: datetime) -> str:
    absent_s = conversation.properties.get("participant_absent_timeout", 300)
    if conversation.state == "waiting" and now - conversation.created_at > timedelta(seconds=absent_s):
        return "participant_absent_timeout"
    unjoined = timedelta(seconds=UNJOINED_LIFETIME_S)
    if (
        conversation.state == "joining"
        and conversation.viewer_bound_at
        and now - conversation.viewer_bound_at > unjoined
    ):
        return "not_joined"
    return sessions.reason_to_stop(conversation, now=now)
