"""Work with a lease, who may hold it, and what is said to its holder.

A job row is the truth about a piece of work; Celery and NOTIFY only wake. A live session is a job of kind "session":
claimed by one render slot, fenced by `epoch`, over as soon as `leased_until` has passed without a renewal.
"""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from trustcore.audit.guards import AuditedModel
from trustcore.jobs.states import JOB
from trustcore.primitives.signing import VerifyKey, unb64


class Worker(AuditedModel):
    """The identity of a render worker: one Ed25519 public key that an officer or the set-up has registered."""

    audit_type: ClassVar[str] = "worker"
    audited_fields: ClassVar[tuple[str, ...]] = ("public_key", "is_active")

    public_id = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    public_key = models.CharField(max_length=64)  # b64, 32 bytes
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_jobs_worker"

    @property
    def verify_key(self) -> VerifyKey:
        return VerifyKey(unb64(self.public_key))


class WorkerNonce(models.Model):
    """Nonces of signed worker requests, kept as long as the request would still be in time."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE)
    nonce = models.CharField(max_length=32)
    sent_at = models.DateTimeField()

    class Meta:
        db_table = "trustcore_jobs_worker_nonce"
        constraints = [models.UniqueConstraint(fields=["worker", "nonce"], name="jobs_nonce_once")]
        indexes = [models.Index(fields=["sent_at"], name="jobs_nonce_sent_at")]


class Slot(models.Model):
    """A place where one piece of work can run at a time. It announces itself; `seen_at` says
    whether it is still there.
    """

    public_id = models.CharField(max_length=40, unique=True)
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="slots")
    build_sha256 = models.CharField(max_length=64)
    capabilities = models.JSONField(default=list)  # kinds of job
    size_px = models.PositiveIntegerField(default=256)
    frames_per_s = models.PositiveIntegerField(default=30)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "trustcore_jobs_slot"


class Job(models.Model):
    """One piece of work about one object of the business."""

    public_id = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=24)
    tenant = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)  # public id of the conversation, replica version or footage it is about
    subject_public_id = models.CharField(max_length=40, blank=True)
    idempotency_key = models.CharField(max_length=100, unique=True)
    state = models.CharField(max_length=16, default=JOB.initial)
    is_repeatable = models.BooleanField(default=True)  # False: a lease that runs out ends the job
    lease_lifetime_s = models.FloatField(default=30.0)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    epoch = models.PositiveIntegerField(default=0)  # grows with each claim: messages of an older epoch are refused
    nonce = models.CharField(max_length=32, blank=True)  # b64, 16 bytes; new with each claim, signed in the claim proof
    event_count = models.PositiveIntegerField(default=0)
    claim = models.JSONField(null=True)  # the verified claim proof of this epoch
    slot = models.ForeignKey(Slot, null=True, on_delete=models.PROTECT, related_name="jobs")
    created_at = models.DateTimeField(default=timezone.now)
    queue_until = models.DateTimeField(null=True)  # nobody claimed it by then: lost
    claimed_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, blank=True)  # why it is over, one code
    stop_reason = models.CharField(max_length=64, blank=True)  # set: the holder must stop at its next word with us

    class Meta:
        db_table = "trustcore_jobs_job"
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=JOB.states), name="jobs_job_state_known"),
        ]
        indexes = [
            models.Index(fields=["state", "kind", "created_at"], name="jobs_job_queue"),
            models.Index(fields=["object_id"], name="jobs_job_object"),
        ]


class KeyRelease(models.Model):
    """Keys left for a slot. The constraint holds the rule: once per lease epoch."""

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="releases")
    epoch = models.PositiveIntegerField()
    ephemeral_public = models.CharField(max_length=64)
    released_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "trustcore_jobs_key_release"
        constraints = [models.UniqueConstraint(fields=["job", "epoch"], name="jobs_release_once_per_epoch")]


class LeaseEvent(models.Model):
    """What control says to the holder of a lease, and the holder's answer. Emptied when the job is over."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    body = models.JSONField(default=dict)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "trustcore_jobs_lease_event"
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="jobs_event_number_once")]
