"""Who said what a limit is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.TextChoices):
    """The first of these that says something of a limit decides it."""

    USER = "user", _("the person's own")
    STAFF = "staff", _("staff are not limited")
    TIER = "tier", _("the tier's")
    DEFAULT = "default", _("the installation's")
