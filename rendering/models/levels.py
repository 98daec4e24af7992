"""What an organisation promises its viewers, and the signed reports on whether it was kept."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from trustcore.audit.guards import AuditedModel


class ServiceTargets(AuditedModel):
    """The promises of one organisation. Without a row the defaults hold (`rendering/measuring/targets.py`)."""

    audit_type: ClassVar[str] = "service_targets"
    audited_fields: ClassVar[tuple[str, ...]] = ("limits", "networks")

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.OneToOneField("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    limits = models.JSONField()  # name of a target -> its limit, in the target's unit
    networks = models.JSONField()  # the networks that the promises are about

    class Meta(AuditedModel.Meta):
        db_table = "rendering_service_targets"

    @property
    def tenant(self) -> str:
        return str(self.organisation.tenant)


class LatencyReport(AuditedModel):
    """One report as it was made: its very bytes, whose hash the log names. The signature is the export's."""

    audit_type: ClassVar[str] = "latency_report"
    audited_fields: ClassVar[tuple[str, ...]] = ("report_sha256", "page_sha256")

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    content = models.TextField()  # canonical JSON
    report_sha256 = models.CharField(max_length=64)
    page_sha256 = models.CharField(max_length=64)  # of the same as a page for people
    export_id = models.CharField(max_length=40)  # the evidence bundle that carries both
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "rendering_latency_report"
        indexes = [models.Index(fields=["organisation", "-created_at"], name="rendering_report_newest")]

    @property
    def tenant(self) -> str:
        return str(self.organisation.tenant)
