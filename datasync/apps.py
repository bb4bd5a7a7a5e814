"""The data-sync application."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from datasync.ingest.read import limit_readers
from erp.asked_along import ask_along


class DatasyncConfig(AppConfig):
    name = "datasync"
    verbose_name = _("data sync")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the reading room, which knows no Django, what one file may cost; hear of changes for the cache.

        What a person may see is asked along with each token.
        """
        limit_readers(memory_limit_bytes=settings.READER_MEMORY_BYTES, seconds=settings.READER_SECONDS)
        import_module("datasync.watched").watch_models()
        access = import_module("datasync.access")
        ask_along(access.ASKED_ALONG, access.shops_for)
