"""What viewers' pages measured. Rows of a limited life (`TRUSTCORE_FIGURES_DAYS`), which prove nothing and are no part
of the audit log; what a signed report says of them is.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone


class Visit(models.Model):
    """One load of a viewer's page that connected: the newest totals it reported. No address, no browser, no words."""

    conversation = models.ForeignKey("rendering.Conversation", on_delete=models.PROTECT, related_name="visits")
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    visit = models.CharField(max_length=16)
    number = models.PositiveIntegerField()  # of the newest report
    is_last = models.BooleanField(default=False)
    region = models.CharField(max_length=40, blank=True)  # where the worker stands, as the operator named it
    network = models.CharField(max_length=12)
    path = models.CharField(max_length=12)
    transport = models.CharField(max_length=12)
    connections = models.PositiveIntegerField()
    connect_ms = models.PositiveIntegerField(null=True)
    ttff_ms = models.PositiveIntegerField(null=True)
    rtt_ms = models.PositiveIntegerField(null=True)
    watched_ms = models.BigIntegerField()
    frozen_ms = models.BigIntegerField()
    frames = models.BigIntegerField()
    samples = models.BigIntegerField()
    concealed = models.BigIntegerField()
    packets = models.BigIntegerField()
    lost = models.BigIntegerField()
    received = models.BigIntegerField()
    verified = models.BigIntegerField()
    sound_received = models.BigIntegerField()
    sound_verified = models.BigIntegerField()
    cut_offs = models.BigIntegerField()
    rung_ms = models.JSONField(default=dict)
    began_at = models.DateTimeField(default=timezone.now)  # when its first report came
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "rendering_visit"
        constraints = [models.UniqueConstraint(fields=["conversation", "visit"], name="rendering_visit_once")]
        indexes = [
            models.Index(fields=["organisation", "began_at"], name="rendering_visit_period"),
            # For deleting what is old. Small, and no rival of the index above, which reads one organisation alone.
            BrinIndex(fields=["began_at"], name="rendering_visit_age"),
        ]


class AnswerTime(models.Model):
    """One answer that a viewer heard, and how long they waited for its first sound."""

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="answers")
    organisation = models.ForeignKey("trustcore_accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8)  # voice or typed
    ms = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "rendering_answer_time"
        constraints = [models.UniqueConstraint(fields=["visit", "number"], name="rendering_answer_once")]
        indexes = [models.Index(fields=["organisation", "at"], name="rendering_answer_period")]
