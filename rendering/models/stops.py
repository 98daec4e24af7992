"""What an officer can put between a replica and its viewers: a suspension of one replica, the kill
switch of an organisation.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from trustcore.audit.guards import AuditedModel


class _Stop(AuditedModel):
    """In force from `created_at` until `lifted_at`."""

    audited_fields: ClassVar[tuple[str, ...]] = ("reason", "lifted_at")

    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta(AuditedModel.Meta):
        abstract = True


class Suspension(_Stop):
    """An officer's stop of one replica. Reversible."""

    audit_type: ClassVar[str] = "suspension"

    public_id = models.CharField(max_length=40, unique=True)
    replica = models.ForeignKey("rendering.Replica", on_delete=models.PROTECT, related_name="suspensions")

    class Meta(AuditedModel.Meta):
        db_table = "rendering_suspension"

    @property
    def tenant(self) -> str:
        return str(self.replica.organisation.tenant)

    @property
    def subject_public_id(self) -> str:
        return self.replica.subject_public_id


class KillSwitch(_Stop):
    """Ends every session of an organisation and refuses new ones. Lifting it takes two officers."""

    audit_type: ClassVar[str] = "kill_switch"
    audited_fields: ClassVar[tuple[str, ...]] = ("reason", "lift_asked_by_id", "lifted_at")

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    lift_asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta(AuditedModel.Meta):
        db_table = "rendering_kill_switch"

    @property
    def tenant(self) -> str:
        return str(self.organisation.tenant)
