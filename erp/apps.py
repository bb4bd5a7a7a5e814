"""The project's own application: conventions, health, sign-in."""

from importlib import import_module

from django.apps import AppConfig


class ErpConfig(AppConfig):
    name = "erp"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        import_module("erp.checks")
