"""Evidence that somebody asked for."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from provenance.states import EXPORT
from trustcore.audit.guards import AuditedModel


class Export(AuditedModel):
    """One evidence bundle: for whom, over what, and what came of it. The bundle itself is a file."""

    audit_type: ClassVar[str] = "export"
    audited_fields: ClassVar[tuple[str, ...]] = ("state", "bundle_sha256", "failure")
    # Progress (step, entries, size) is for the page; everything that decides is governed.
    guarded_fields: ClassVar[tuple[str, ...] | None] = (
        "organisation", "requested_by", "title", "scope_kind", "scope_id", "state", "bundle_sha256", "failure",
    )

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    requested_by = models.CharField(max_length=40)  # public id of a person
    title = models.CharField(max_length=120)
    scope_kind = models.CharField(max_length=16)  # tenant | subject | object
    scope_id = models.CharField(max_length=80)
    state = models.CharField(max_length=16, default=EXPORT.initial)
    step = models.CharField(max_length=16, blank=True)  # entries, proofs, checkpoint, check, sign
    entries = models.PositiveIntegerField(default=0)
    bundle_sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    failure = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta(AuditedModel.Meta):
        db_table = "provenance_export"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(state__in=EXPORT.states), name="provenance_export_state_known"),
        ]

    @property
    def tenant(self) -> str:
        return str(self.organisation.slug)

    @property
    def subject_public_id(self) -> str:
        return self.scope_id if self.scope_kind == "subject" else ""
