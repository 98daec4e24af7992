"""Who may be depicted, what was shown to them, what they agreed to."""

from datetime import datetime
from typing import ClassVar

from django.db import models

from consent.scope import Scope
from consent.states import CONSENT, INVITATION
from trustcore.audit.guards import AuditedModel
from trustcore.primitives.ids import new_id
from trustcore.primitives.states import Machine


def in_states(name: str, machine: Machine) -> models.CheckConstraint:
    """A constraint that keeps `state` inside its machine's table."""
    return models.CheckConstraint(condition=models.Q(state__in=machine.states), name=name)


def new_subject_id() -> str:
    return new_id("subject")


def new_notice_id() -> str:
    return new_id("notice")


def new_invitation_id() -> str:
    return new_id("invitation")


def new_consent_id() -> str:
    return new_id("consent")


class Subject(AuditedModel):
    """The person depicted. Rows outlive erasure; name and e-mail are cleared then."""

    audit_type = "subject"
    audited_fields = ("language",)

    public_id = models.CharField(max_length=40, unique=True, default=new_subject_id, editable=False)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    email = models.EmailField()
    language = models.CharField(max_length=8, default="en")
    user = models.ForeignKey(  # the person's own account; it may be depicted at several organisations
        "trustcore_accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="subjects"
    )
    portal_token_sha256 = models.CharField(max_length=64, blank=True)
    picture_blob_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "consent_subject"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["organisation", "user"], name="subject_once_per_account"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def tenant(self) -> str:
        return self.organisation.slug

    @property
    def subject_public_id(self) -> str:
        return self.public_id

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.name.split()[:2]).upper()


class Notice(AuditedModel):
    """One version of the notice in one language. Published once, never edited: a consent names its hash."""

    audit_type = "notice"
    audited_fields = ("version", "language", "sha256")

    public_id = models.CharField(max_length=40, unique=True, default=new_notice_id, editable=False)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=8)
    body = models.JSONField()  # {"title": str, "sections": [{"title": str, "text": str}]}
    sha256 = models.CharField(max_length=64, unique=True)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "consent_notice"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "language"], name="notice_once_per_language"),
        ]

    def __str__(self) -> str:
        return f"version {self.version}, {self.language}"


class Invitation(AuditedModel):
    """A link for one person. Only the hash of its token is kept."""

    audit_type = "invitation"
    audited_fields = ("state", "attempts_left")

    public_id = models.CharField(max_length=40, unique=True, default=new_invitation_id, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="invitations")
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+")
    token_sha256 = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=20, default=INVITATION.initial)
    asked_for = models.CharField(max_length=160)  # what for, in the officer's words: "Claims helpdesk"
    message = models.CharField(max_length=400, blank=True)  # what the person reads after a decision
    attempts_left = models.PositiveSmallIntegerField(default=3)
    invited_by = models.ForeignKey("trustcore_accounts.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta(AuditedModel.Meta):
        db_table = "consent_invitation"
        constraints: ClassVar[list[models.BaseConstraint]] = [in_states("invitation_state", INVITATION)]

    def __str__(self) -> str:
        return self.public_id

    @property
    def tenant(self) -> str:
        return self.subject.tenant

    @property
    def subject_public_id(self) -> str:
        return self.subject.public_id


class Consent(AuditedModel):
    """One agreement: a scope under a notice, with its signed receipt. Widening it is a new consent."""

    audit_type = "consent"
    audited_fields = ("state", "scope_sha256", "receipt_sha256", "expires_at", "key_destruction_due_at")

    public_id = models.CharField(max_length=40, unique=True, default=new_consent_id, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="consents")
    invitation = models.OneToOneField(Invitation, on_delete=models.PROTECT, related_name="consent")
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=30, default=CONSENT.initial)
    scope = models.JSONField()
    scope_sha256 = models.CharField(max_length=64)
    receipt = models.JSONField()
    receipt_sha256 = models.CharField(max_length=64)
    agreed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    key_destruction_due_at = models.DateTimeField(null=True, blank=True)

    class Meta(AuditedModel.Meta):
        db_table = "consent_consent"
        constraints: ClassVar[list[models.BaseConstraint]] = [in_states("consent_state", CONSENT)]

    def __str__(self) -> str:
        return self.public_id

    @property
    def tenant(self) -> str:
        return self.subject.tenant

    @property
    def subject_public_id(self) -> str:
        return self.subject.public_id

    @property
    def agreed_scope(self) -> Scope:
        return Scope.from_dict(self.scope)

    def is_in_force(self, now: datetime) -> bool:
        """Whether it allows anything at all at this moment."""
        return self.state == "in_force" and self.agreed_at <= now < self.expires_at
