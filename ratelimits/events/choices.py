"""How bad it is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    """How often a caller was refused within an hour: more often than the threshold, or twice that."""

    WARNING = "warning", _("warning")
    CRITICAL = "critical", _("critical")


LEVEL_COLOURS = {Level.WARNING: "amber", Level.CRITICAL: "red"}
