"""Emotion policies: how much of what a replica may show, where, and in front of whom. Versions are never edited."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from trustcore.audit.guards import AuditedModel
from trustcore.primitives.hashing import statement_sha256
from trustcore.primitives.ids import new_id


def new_policy_id() -> str:
    return new_id("policy")


class EmotionPolicy(AuditedModel):
    """The line of versions for one replica."""

    audit_type = "policy"
    audited_fields = ("name", "last_version")

    public_id = models.CharField(max_length=40, unique=True, default=new_policy_id, editable=False)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    replica_public_id = models.CharField(max_length=40, unique=True)
    about_subject = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    last_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_policy_emotion_policy"

    def __str__(self) -> str:
        return self.name

    @property
    def tenant(self) -> str:
        return self.organisation.slug

    @property
    def subject_public_id(self) -> str:
        return self.about_subject


class EmotionPolicyVersion(AuditedModel):
    """One version. Its statement is what two people sign; any change is another version with another statement."""

    class State(models.TextChoices):
        DRAFT = "draft"
        SUBMITTED = "submitted"

    audit_type = "policy_version"
    audited_fields = ("state", "content")

    public_id = models.CharField(max_length=48, unique=True)  # "<policy id>.<number>"
    policy = models.ForeignKey(EmotionPolicy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_policy_emotion_policy_version"
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["policy", "number"], name="emotion_policy_version_once"),
            models.CheckConstraint(condition=models.Q(state__in=["draft", "submitted"]), name="emotion_policy_state"),
        ]

    def __str__(self) -> str:
        return f"{self.policy.name}, version {self.number}"

    @property
    def tenant(self) -> str:
        return self.policy.organisation.slug

    @property
    def subject_public_id(self) -> str:
        return self.policy.about_subject

    @property
    def statement(self) -> dict[str, Any]:
        """The facts that approvals bind to."""
        return {
            "v": 1,
            "policy": self.policy.public_id,
            "version": self.number,
            "replica": self.policy.replica_public_id,
            "subject": self.policy.about_subject,
            "content": self.content,
        }

    @property
    def sha256(self) -> str:
        """Hash of the statement: `policy_sha256` in grants and manifests."""
        return statement_sha256(self.statement)
