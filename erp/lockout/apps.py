"""The application of django-axes, as this product names it."""

from __future__ import annotations

from importlib import import_module

from axes.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LockOutConfig(AppConfig):  # type: ignore[misc]
    verbose_name = _("sign-in")

    def ready(self) -> None:
        """Tell the log of lock-outs."""
        super().ready()
        import_module("erp.lockout.receivers")
