from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    label = "consent"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Consent, identity and approvals"
