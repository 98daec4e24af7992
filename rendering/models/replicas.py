"""A replica, the footage it is made from, and its trained versions."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from rendering.states import FOOTAGE, REPLICA_VERSION
from trustcore.audit.guards import AuditedModel


class Replica(AuditedModel):
    """The digital twin of one subject, in all its versions."""

    audit_type: ClassVar[str] = "replica"
    audited_fields: ClassVar[tuple[str, ...]] = ("name",)

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    subject_public_id = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "rendering_replica"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "subject_public_id"], name="rendering_one_replica_a_subject"
            )
        ]

    @property
    def tenant(self) -> str:
        return str(self.organisation.tenant)


class Footage(AuditedModel):
    """Video of a person for training. The bytes are encrypted under the subject's key before they touch the disk."""

    audit_type: ClassVar[str] = "footage"
    audited_fields: ClassVar[tuple[str, ...]] = ("state", "blob_public_id", "sha256", "size_bytes", "findings")

    public_id = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    subject_public_id = models.CharField(max_length=40)
    state = models.CharField(max_length=16, default=FOOTAGE.initial)
    blob_public_id = models.CharField(max_length=40, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField()
    duration_s = models.FloatField(null=True)
    was_recorded_here = models.BooleanField(default=False)  # in the browser, not uploaded as a file
    # [{"error_type", "verdict", "measure", "need"}]; the words of capture_checks, kept for the page and for the API's
    # error_type
    findings = models.JSONField(default=list)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AuditedModel.Meta):
        db_table = "rendering_footage"
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=FOOTAGE.states), name="rendering_footage_state_known"),
        ]

    @property
    def tenant(self) -> str:
        return str(self.organisation.tenant)


class FootagePiece(models.Model):
    """One encrypted piece of an upload under way. Gone when the upload is complete."""

    footage = models.ForeignKey(Footage, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    blob_public_id = models.CharField(max_length=40)
    size_bytes = models.BigIntegerField()

    class Meta:
        db_table = "rendering_footage_piece"
        constraints = [models.UniqueConstraint(fields=["footage", "number"], name="rendering_piece_number_once")]


class ReplicaVersion(AuditedModel):
    """One training result. Its public id is "<replica id>.<number>"."""

    audit_type: ClassVar[str] = "replica_version"
    audited_fields: ClassVar[tuple[str, ...]] = ("state", "replica_sha256", "checkpoint_blob_id", "failure")

    public_id = models.CharField(max_length=40, unique=True)
    replica = models.ForeignKey(Replica, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    footage = models.ForeignKey(Footage, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, default=REPLICA_VERSION.initial)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    iterations = models.PositiveIntegerField()
    job_public_id = models.CharField(max_length=40, blank=True)
    output_data_key_id = models.CharField(max_length=40, blank=True)  # one key for all files of this version
    checkpoint_blob_id = models.CharField(max_length=40, blank=True)
    # sha256 of manifest.json in the clear, which holds the hash of every other file: what grants and approvals mean by
    # "this replica"
    replica_sha256 = models.CharField(max_length=64, blank=True)
    report = models.JSONField(default=dict)
    failure = models.CharField(max_length=64, blank=True)

    class Meta(AuditedModel.Meta):
        db_table = "rendering_replica_version"
        constraints = [
            models.UniqueConstraint(fields=["replica", "number"], name="rendering_version_number_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=REPLICA_VERSION.states), name="rendering_version_state_known"
            ),
        ]

    @property
    def tenant(self) -> str:
        return str(self.replica.organisation.tenant)

    @property
    def subject_public_id(self) -> str:
        return self.replica.subject_public_id

    @property
    def key_context(self) -> str:
        """What this version's data key is bound to."""
        return f"{self.tenant}/replica/{self.replica.public_id}/{self.number}"

    def file_context(self, name: str) -> str:
        """What one encrypted file of this version is bound to."""
        return f"{self.key_context}/{name}"

    @property
    def wire_name(self) -> str:
        """"<replica id>/<version>", as the worker protocol names it."""
        return f"{self.replica.public_id}/{self.number}"


class Artefact(models.Model):
    """One encrypted file of a version: a model file, the report, a picture. The blob holds what
    only this version's key opens.
    """

    version = models.ForeignKey(ReplicaVersion, on_delete=models.PROTECT, related_name="artefacts")
    name = models.CharField(max_length=80)
    blob_public_id = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)  # of the ciphertext
    size_bytes = models.BigIntegerField()

    class Meta:
        db_table = "rendering_artefact"
        constraints = [models.UniqueConstraint(fields=["version", "name"], name="rendering_artefact_name_once")]
