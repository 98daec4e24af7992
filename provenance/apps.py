from django.apps import AppConfig


class ProvenanceConfig(AppConfig):
    name = "provenance"
    label = "provenance"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Marks, manifests and evidence"

    def ready(self) -> None:
        """Register the checks of `manage.py check --deploy`."""
        from provenance import deploy_checks  # noqa: F401
