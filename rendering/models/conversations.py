"""A conversation, what was granted for it, and what became of it."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from rendering.states import CONVERSATION
from trustcore.audit.guards import AuditedModel


class Conversation(AuditedModel):
    """One talk of one viewer with one replica version, inside one signed grant."""

    audit_type: ClassVar[str] = "conversation"
    audited_fields: ClassVar[tuple[str, ...]] = ("state", "grant_sha256", "viewer_bound_at", "end_reason", "lease_id")

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey("rendering.ReplicaVersion", on_delete=models.PROTECT, related_name="+")
    persona = models.ForeignKey("rendering.Persona", null=True, on_delete=models.PROTECT, related_name="+")
    subject_public_id = models.CharField(max_length=40)
    api_key_id = models.CharField(max_length=40, blank=True)  # public id of the key that asked
    state = models.CharField(max_length=16, default=CONVERSATION.initial)
    end_reason = models.CharField(max_length=64, blank=True)
    conversation_name = models.CharField(max_length=200, blank=True)
    conversational_context = models.TextField(blank=True)
    custom_greeting = models.TextField(blank=True)
    callback_url = models.URLField(max_length=500, blank=True)
    properties = models.JSONField(default=dict)
    emotion = models.CharField(max_length=16, default="neutral")
    emotion_milli = models.PositiveIntegerField(default=0)
    max_duration_s = models.PositiveIntegerField(default=3600)
    is_recorded = models.BooleanField(default=True)
    grant = models.JSONField()  # signed
    grant_sha256 = models.CharField(max_length=64)
    decision_id = models.CharField(max_length=40)
    attestation = models.JSONField()  # signed
    # NULL for "none given": the unique constraint below must let many of those stand beside each other.
    idempotency_key = models.CharField(max_length=100, null=True)  # noqa: DJ001
    request_sha256 = models.CharField(max_length=64)
    join_token_sha256 = models.CharField(max_length=64)
    viewer_cookie_sha256 = models.CharField(max_length=64, blank=True)  # set once, by the first viewer
    viewer_bound_at = models.DateTimeField(null=True)
    lease_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    live_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(AuditedModel.Meta):
        db_table = "rendering_conversation"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=CONVERSATION.states), name="rendering_conversation_state_known"
            ),
            models.UniqueConstraint(
                fields=["organisation", "idempotency_key"], name="rendering_conversation_idempotent"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="rendering_conv_newest"),
            models.Index(fields=["subject_public_id", "state"], name="rendering_conv_subject"),
        ]

    @property
    def tenant(self) -> str:
        return str(self.organisation.tenant)


class LiveState(models.Model):
    """What the worker last said about a running session: overwritten twice a second, so it is no audited row."""

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="live_state")
    worker_state = models.CharField(max_length=16, blank=True)  # one of protocol.SESSION_STATES
    counters = models.JSONField(default=dict)
    marks_ms = models.JSONField(default=dict)
    session_facts = models.JSONField(default=dict)
    mark = models.JSONField(default=dict)  # {"slot_id": hex16, "epoch": name, "first_index": 0..63}
    last_segment = models.IntegerField(default=-1)
    clamp_count = models.PositiveIntegerField(default=0)
    emotions = models.JSONField(default=list)  # what the face turned to, the newest last: protocol.EmotionShown
    captions = models.JSONField(default=list)  # the newest [{"seq", "event"}] that was said; gone with the conversation
    viewer_reads_at = models.DateTimeField(null=True)  # the last sign of a viewer who reads without a line
    app_reads_at = models.DateTimeField(null=True)
    viewer_counts = models.JSONField(default=dict)  # what the viewer's own check reports
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "rendering_live_state"


class Recording(AuditedModel):
    """The very fragments that were sent, and the whole file signed from them; both encrypted under
    the subject's key.
    """

    audit_type: ClassVar[str] = "recording"
    audited_fields: ClassVar[tuple[str, ...]] = (
        "fragments_blob_id",
        "fragments_sha256",
        "signed_blob_id",
        "signed_sha256",
    )

    public_id = models.CharField(max_length=40, unique=True)
    conversation = models.OneToOneField(Conversation, on_delete=models.PROTECT, related_name="recording")
    fragments_blob_id = models.CharField(max_length=40)
    fragments_sha256 = models.CharField(max_length=64)
    signed_blob_id = models.CharField(max_length=40, blank=True)
    signed_sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "rendering_recording"

    @property
    def tenant(self) -> str:
        return str(self.conversation.organisation.tenant)

    @property
    def subject_public_id(self) -> str:
        return self.conversation.subject_public_id
