from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "trustcore.policy"
    label = "trustcore_policy"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Policies"
