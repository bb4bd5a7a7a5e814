"""The data-sync application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DatasyncConfig(AppConfig):
    name = "datasync"
    verbose_name = _("data sync")
    default_auto_field = "django.db.models.BigAutoField"
