"""Approvals: a statement, and two people's passkeys over it. They know nothing of replicas or policies."""

from typing import ClassVar

from django.db import models

from consent.models.consents import in_states
from consent.states import APPROVAL
from trustcore.audit.guards import AuditedModel
from trustcore.primitives.ids import new_id


def new_approval_id() -> str:
    return new_id("approval")


class ApprovalRequest(AuditedModel):
    """One statement that waits for, or has, its signatures. An edit makes a new request."""

    audit_type = "approval"
    audited_fields = ("state", "statement_sha256")

    public_id = models.CharField(max_length=40, unique=True, default=new_approval_id, editable=False)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    object_public_id = models.CharField(max_length=40)
    about_subject = models.CharField(max_length=40, blank=True)
    statement = models.JSONField()
    statement_sha256 = models.CharField(max_length=64)
    author = models.ForeignKey("trustcore_accounts.User", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, default=APPROVAL.initial)
    reason = models.CharField(max_length=400, blank=True)  # why it was sent back or is void
    created_at = models.DateTimeField(auto_now_add=True)
    sign_by = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta(AuditedModel.Meta):
        db_table = "consent_approval_request"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            in_states("approval_state", APPROVAL),
            # One open request for an object: two would let two halves of different statements look like one whole.
            models.UniqueConstraint(
                fields=["kind", "object_public_id"],
                condition=models.Q(state__in=["open", "half_signed"]),
                name="approval_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def tenant(self) -> str:
        return self.organisation.slug

    @property
    def subject_public_id(self) -> str:
        return self.about_subject


class ApprovalChallenge(models.Model):
    """What one person was asked to sign, once. Not governed: an unused one means nothing, a used one is in evidence."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="challenges")
    user = models.ForeignKey("trustcore_accounts.User", on_delete=models.PROTECT, related_name="+")
    body = models.JSONField()
    nonce = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "consent_approval_challenge"

    def __str__(self) -> str:
        return self.nonce[:12]


class Approval(AuditedModel):
    """One person's signature, with everything needed to check it without us."""

    audit_type = "approval_signature"
    audited_fields = ("credential_id", "role")

    public_id = models.CharField(max_length=40, unique=True, default=new_approval_id, editable=False)
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="signatures")
    user = models.ForeignKey("trustcore_accounts.User", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=60)
    credential_id = models.CharField(max_length=400)
    credential_name = models.CharField(max_length=120)
    sign_count = models.PositiveBigIntegerField()
    evidence = models.JSONField()
    signed_at = models.DateTimeField()

    class Meta(AuditedModel.Meta):
        db_table = "consent_approval"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["request", "user"], name="approval_once_per_person"),
            models.UniqueConstraint(fields=["request", "credential_id"], name="approval_once_per_credential"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def tenant(self) -> str:
        return self.request.tenant

    @property
    def subject_public_id(self) -> str:
        return self.request.about_subject
