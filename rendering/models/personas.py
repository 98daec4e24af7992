"""A persona: how a replica is to behave. Field names are the Tavus v2 ones."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from trustcore.audit.guards import AuditedModel


class Persona(AuditedModel):
    """What an app wants said and how."""

    audit_type: ClassVar[str] = "persona"
    audited_fields: ClassVar[tuple[str, ...]] = (
        "persona_name",
        "system_prompt",
        "default_replica_id",
        "layers",
        "default_use",
    )

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    persona_name = models.CharField(max_length=120)
    system_prompt = models.TextField(blank=True)
    context = models.TextField(blank=True)
    pipeline_mode = models.CharField(max_length=8, default="full")
    default_replica_id = models.CharField(max_length=40, blank=True)
    layers = models.JSONField(default=dict)
    # What a conversation is for when its request does not say: clients of the Tavus API do not know these words.
    default_use = models.JSONField(default=dict)  # {"purpose", "audience", "country", "language", "context_of_use"}
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "rendering_persona"

    @property
    def tenant(self) -> str:
        return str(self.organisation.tenant)
