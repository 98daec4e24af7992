"""What was signed for a session, and the watermark payloads that point back to it."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from trustcore.audit.guards import AuditedModel


class SessionManifest(AuditedModel):
    """A signed session manifest. `public_id` is its C2PA label. Whom and what it is about stands as plain values."""

    audit_type: ClassVar[str] = "manifest"
    audited_fields: ClassVar[tuple[str, ...]] = ("claim_sha256", "recording_claim_sha256")

    public_id = models.CharField(max_length=120, unique=True)
    claim_sha256 = models.CharField(max_length=64)
    tenant = models.CharField(max_length=40)
    conversation_id = models.CharField(max_length=40, db_index=True)
    subject_public_id = models.CharField(max_length=40, db_index=True)
    replica_id = models.CharField(max_length=40)
    replica_version = models.PositiveIntegerField()
    consent_id = models.CharField(max_length=40)
    grant_sha256 = models.CharField(max_length=64)
    lease_id = models.CharField(max_length=40)
    facts = models.JSONField()  # as signed
    init_segment = models.BinaryField()  # what viewers received; public by nature
    created_at = models.DateTimeField(default=timezone.now)
    # Coarse content hashes of the recording, 16 hex digits for each second; empty when nothing was recorded.
    content_hashes = models.JSONField(default=list)
    recording_claim_sha256 = models.CharField(max_length=64, blank=True)

    class Meta(AuditedModel.Meta):
        db_table = "provenance_session_manifest"


class SignedFile(AuditedModel):
    """A file of a session that was signed as a whole: its recording, or one picture of it. Its pictures and sound are
    not here, only what was signed: the manifest store, which the resolution API hands out.
    """

    class Kind(models.TextChoices):
        RECORDING = "recording"
        STILL = "still"

    audit_type: ClassVar[str] = "signed_file"
    audited_fields: ClassVar[tuple[str, ...]] = ("claim_sha256",)

    public_id = models.CharField(max_length=120, unique=True)  # the manifest's C2PA label
    kind = models.CharField(max_length=16, choices=Kind.choices)
    manifest = models.ForeignKey(SessionManifest, on_delete=models.PROTECT, related_name="signed_files")
    claim_sha256 = models.CharField(max_length=64)
    mark_values = models.JSONField()  # payloads in its pictures, 16 hex digits each
    store = models.BinaryField()  # C2PA manifest store
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "provenance_signed_file"

    @property
    def tenant(self) -> str:
        return str(self.manifest.tenant)

    @property
    def subject_public_id(self) -> str:
        return str(self.manifest.subject_public_id)


class MarkSlot(AuditedModel):
    """One watermark payload: a random 64-bit number that points to a session and says nothing by itself."""

    audit_type: ClassVar[str] = "mark_slot"

    public_id = models.CharField(max_length=16, unique=True)  # the payload, 16 hex digits
    manifest = models.ForeignKey(SessionManifest, on_delete=models.PROTECT, related_name="mark_slots")
    epoch = models.CharField(max_length=20)
    start_ms = models.BigIntegerField()  # media time; from here to end_ms it can be in the picture
    end_ms = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "provenance_mark_slot"

    @property
    def tenant(self) -> str:
        return str(self.manifest.tenant)

    @property
    def subject_public_id(self) -> str:
        return str(self.manifest.subject_public_id)
