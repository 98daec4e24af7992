from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "trustcore.audit"
    label = "trustcore_audit"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Audit log"
