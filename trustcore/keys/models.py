"""What the database knows of keys: that they exist, and data keys wrapped under keys it does not hold."""

from typing import ClassVar

from django.db import models

from trustcore.audit.guards import AuditedModel
from trustcore.primitives.ids import new_id


def new_data_key_id() -> str:
    return new_id("data_key")


def new_blob_id() -> str:
    return new_id("blob")


def new_hold_id() -> str:
    return new_id("hold")


class SubjectKey(AuditedModel):
    """The life of a subject's key. The key is a file in the keystore; `public_id` is the subject's own."""

    class State(models.TextChoices):
        LIVE = "live"
        DESTROYING = "destroying"
        DESTROYED = "destroyed"

    audit_type = "subject_key"
    audited_fields = ("state",)

    public_id = models.CharField(max_length=80, unique=True)
    tenant = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=State.choices, default=State.LIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_keys_subject_key"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(state__in=["live", "destroying", "destroyed"]), name="subject_key_state"
            ),
        ]

    @property
    def subject_public_id(self) -> str:
        return self.public_id

    def __str__(self) -> str:
        return f"{self.public_id}: {self.state}"


class DataKey(AuditedModel):
    """A data key, wrapped under its subject's key and bound to its context. Useless without the keystore."""

    audit_type = "data_key"

    public_id = models.CharField(max_length=40, unique=True, default=new_data_key_id, editable=False)
    subject_public_id = models.CharField(max_length=80, db_index=True)
    tenant = models.CharField(max_length=40)
    context = models.CharField(max_length=200)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_keys_data_key"

    def __str__(self) -> str:
        return f"{self.public_id} for {self.context}"


class Blob(AuditedModel):
    """An encrypted file on disk. Its context is part of the encryption: asked for as something else, it does not
    open."""

    audit_type = "blob"
    audited_fields = ("deleted_at",)

    public_id = models.CharField(max_length=40, unique=True, default=new_blob_id, editable=False)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="blobs")
    subject_public_id = models.CharField(max_length=80, db_index=True)
    tenant = models.CharField(max_length=40)
    context = models.CharField(max_length=200)
    ciphertext_sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()  # of the ciphertext
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_keys_blob"

    def __str__(self) -> str:
        return f"{self.public_id} for {self.context}"


class Hold(AuditedModel):
    """A legal hold: while one is in force, nothing of this subject may be destroyed."""

    audit_type = "hold"
    audited_fields = ("reason", "lifted_at")

    public_id = models.CharField(max_length=40, unique=True, default=new_hold_id, editable=False)
    subject_public_id = models.CharField(max_length=80, db_index=True)
    tenant = models.CharField(max_length=40)
    reason = models.CharField(max_length=400)
    placed_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_keys_hold"

    def __str__(self) -> str:
        return f"{self.public_id} on {self.subject_public_id}"
