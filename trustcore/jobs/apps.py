from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "trustcore.jobs"
    label = "trustcore_jobs"
    default_auto_field = "django.db.models.BigAutoField"
