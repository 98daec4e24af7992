from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "trustcore.web"
    label = "trustcore_web"
    verbose_name = "Web edge"

    def ready(self) -> None:
        """Register the system checks: importing the module is how Django learns of them."""
        from trustcore.web import deploy_checks  # noqa: F401
