"""Checks that anybody asked for: the running ones, the answers given, and what was told about look-alikes."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from provenance.states import CLIP_CHECK
from trustcore.audit.guards import AuditedModel


class ClipCheck(AuditedModel):
    """What somebody was told about a file. The file itself is not kept, only its fingerprint and the answer."""

    audit_type: ClassVar[str] = "clip_check"
    audited_fields: ClassVar[tuple[str, ...]] = ("verdict", "file_sha256")

    public_id = models.CharField(max_length=40, unique=True)  # V-20261124-3f9a…: unguessable, safe to pass on
    file_sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    verdict = models.CharField(max_length=48)
    answer = models.JSONField()  # signed statement, purpose "attestation"
    tenant = models.CharField(max_length=40, blank=True)
    subject_public_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "provenance_clip_check"


class CheckRun(models.Model):
    """One check while it runs, and for a while after, to count how often a network asks. The answer is a `ClipCheck`
    of the same `public_id`.
    """

    public_id = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=12, default=CLIP_CHECK.initial)
    step = models.CharField(max_length=12, blank=True)  # what is being looked at now
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)  # 0: not known
    problem = models.CharField(max_length=40, blank=True)  # error code of a check that did not finish
    size_bytes = models.BigIntegerField()
    spool_key = models.BinaryField()  # of the encrypted clip that waits in memory; emptied when it is taken
    network = models.CharField(max_length=32)  # keyed hash; another one tomorrow
    is_proven = models.BooleanField()  # the puzzle was solved, or the caller is known
    puzzle = models.CharField(max_length=32, blank=True)  # nonce of the puzzle it used up
    actor_type = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()  # the last sign of life

    class Meta:
        db_table = "provenance_check_run"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(state__in=CLIP_CHECK.states), name="provenance_check_run_state_known"
            ),
            models.UniqueConstraint(
                fields=["puzzle"], condition=~models.Q(puzzle=""), name="provenance_check_run_puzzle_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["network", "created_at"], name="check_run_network"),
            models.Index(fields=["state", "created_at"], name="check_run_state"),
        ]

    def __str__(self) -> str:
        return self.public_id


class ToldAnswer(models.Model):
    """What was told about a neighbourhood of pictures; nearly identical ones get the same answer for a day."""

    # "public" or "intake": what strangers ask must not decide what happens to a person's own recording.
    asked_at = models.CharField(max_length=8)
    is_sound = models.BooleanField(default=False)  # what `signature` is of: a sound, else pictures
    network = models.CharField(max_length=32, blank=True)  # who was told; keyed hash, another one tomorrow
    signature = models.CharField(max_length=64)  # 255 bits as hex; says nothing of a mark
    verdict = models.CharField(max_length=48)
    payload = models.CharField(max_length=16, blank=True)
    tampering = models.CharField(max_length=16, blank=True)
    is_searched = models.BooleanField(default=False)
    told_at = models.DateTimeField()

    class Meta:
        db_table = "provenance_told_answer"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["asked_at", "told_at"], name="told_answer_asked")]

    def __str__(self) -> str:
        return self.signature[:12]
