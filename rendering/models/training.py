"""How far a training has come."""

from django.db import models
from django.utils import timezone


class TrainingStep(models.Model):
    """One word of the worker about its training job. Rows make the curve on the progress page; the
    lease is the truth about the job.
    """

    version = models.ForeignKey("rendering.ReplicaVersion", on_delete=models.CASCADE, related_name="steps")
    epoch = models.PositiveIntegerField()
    stage = models.CharField(max_length=16)
    done = models.FloatField()  # 0..1 within the stage
    iteration = models.PositiveIntegerField(default=0)
    psnr_db = models.FloatField(null=True)
    eta_s = models.FloatField(null=True)
    note = models.CharField(max_length=200, blank=True)
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "rendering_training_step"
        indexes = [models.Index(fields=["version", "id"], name="rendering_step_order")]
