from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "trustcore.keys"
    label = "trustcore_keys"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Keys and encrypted files"
