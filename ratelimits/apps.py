"""The application of limits."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from erp.asked_along import ask_along


class RatelimitsConfig(AppConfig):
    name = "ratelimits"
    verbose_name = _("limits")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Be asked before a task is accepted, and told when one has ended; ask for rules along with each token."""
        import_module("ratelimits.quotas.receivers")
        import_module("ratelimits.credits.receivers")
        import_module("ratelimits.events.receivers")
        limits = import_module("ratelimits.limits.selectors")
        ask_along(limits.ASKED_ALONG, limits.rules_for)
