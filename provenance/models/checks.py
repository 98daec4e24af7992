"""Answers given on the public check page."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

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
