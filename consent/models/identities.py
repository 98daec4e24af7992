"""Consent clips, what the checks found in them, and what a person decided."""

from typing import ClassVar

from django.db import models

from consent.models.consents import Consent, in_states
from consent.states import IDENTITY_CHECK
from trustcore.audit.guards import AuditedModel
from trustcore.primitives.ids import new_id


def new_clip_id() -> str:
    return new_id("clip")


def new_identity_check_id() -> str:
    return new_id("identity_check")


def new_decision_id() -> str:
    return new_id("decision")


class ClipChallenge(models.Model):
    """A drawn challenge. Not governed: the clip's event carries its hash, and an unused one means nothing."""

    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="challenges")
    body = models.JSONField()  # consent.identity.challenge.Challenge.to_dict()
    sha256 = models.CharField(max_length=64, unique=True)
    closes_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "consent_clip_challenge"

    def __str__(self) -> str:
        return self.sha256[:12]


class ConsentClip(AuditedModel):
    """A recording as received. The bytes are a blob under the subject's key; this row never changes."""

    audit_type = "clip"
    audited_fields = ("sha256", "challenge_sha256", "device_sha256")

    public_id = models.CharField(max_length=40, unique=True, default=new_clip_id, editable=False)
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="clips")
    challenge = models.OneToOneField(ClipChallenge, on_delete=models.PROTECT, related_name="clip")
    challenge_sha256 = models.CharField(max_length=64)
    blob_id = models.CharField(max_length=40)
    poster_blob_id = models.CharField(max_length=40, blank=True)
    face_blob_id = models.CharField(max_length=40, blank=True)  # identity vector, biometric: under the subject's key
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=80)
    duration_s = models.FloatField()
    device_sha256 = models.CharField(max_length=64)
    device_label = models.CharField(max_length=160, blank=True)
    is_timed = models.BooleanField()
    attempt = models.PositiveSmallIntegerField()
    received_at = models.DateTimeField()

    class Meta(AuditedModel.Meta):
        db_table = "consent_clip"

    def __str__(self) -> str:
        return self.public_id

    @property
    def tenant(self) -> str:
        return self.consent.tenant

    @property
    def subject_public_id(self) -> str:
        return self.consent.subject_public_id


class IdentityCheck(AuditedModel):
    """Every check of one clip, in one governed row, so that a changed verdict needs an event like anything else."""

    audit_type = "identity_check"
    audited_fields = ("state", "verdicts")

    public_id = models.CharField(max_length=40, unique=True, default=new_identity_check_id, editable=False)
    clip = models.OneToOneField(ConsentClip, on_delete=models.PROTECT, related_name="identity_check")
    state = models.CharField(max_length=20, default=IDENTITY_CHECK.initial)
    results = models.JSONField(default=list)  # list of consent.identity.results.CheckResult as dicts, worst first
    verdicts = models.JSONField(default=dict)  # {check name: verdict}
    decide_by = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "consent_identity_check"
        constraints: ClassVar[list[models.BaseConstraint]] = [in_states("identity_check_state", IDENTITY_CHECK)]

    def __str__(self) -> str:
        return self.public_id

    @property
    def tenant(self) -> str:
        return self.clip.tenant

    @property
    def subject_public_id(self) -> str:
        return self.clip.subject_public_id

    @property
    def consent(self) -> Consent:
        return self.clip.consent


class IdentityDecision(AuditedModel):
    """What an officer decided about one identity check, and the sentence the person reads."""

    audit_type = "identity_decision"
    audited_fields = ("decision",)

    public_id = models.CharField(max_length=40, unique=True, default=new_decision_id, editable=False)
    identity_check = models.OneToOneField(IdentityCheck, on_delete=models.PROTECT, related_name="decision")
    decision = models.CharField(
        max_length=12, choices=[("accept", "accept"), ("ask_again", "ask_again"), ("refuse", "refuse")]
    )
    sentence = models.CharField(max_length=400, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    decided_by = models.ForeignKey("trustcore_accounts.User", on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "consent_identity_decision"

    def __str__(self) -> str:
        return self.decision

    @property
    def tenant(self) -> str:
        return self.identity_check.tenant

    @property
    def subject_public_id(self) -> str:
        return self.identity_check.subject_public_id


class SeenMedia(models.Model):
    """Fingerprints of every file ever handed in, so that a copy is known. Erasure drops the fingerprint."""

    public_id = models.CharField(max_length=40)  # of the clip or footage
    subject_public_id = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, db_index=True)
    fingerprint = models.BinaryField()
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "consent_seen_media"

    def __str__(self) -> str:
        return self.public_id
