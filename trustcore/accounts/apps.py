from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "trustcore.accounts"
    label = "trustcore_accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "People and organisations"
