"""What is counted apart, and what holds where nobody said otherwise."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from erp.roles import ROLES


class Scope(models.TextChoices):
    """Each request counts in exactly one."""

    DEFAULT = "default", _("everything else")
    DATA_SYNC = "data_sync", _("changes in data sync")
    AUTH = "auth", _("sign-in")


SUPERUSER_TIER = "admin"
NORMAL_TIER = "normal"
ANONYMOUS_TIER = "anonymous"
TIERS = (*ROLES, ANONYMOUS_TIER)
"""Those that an installation starts with, most generous first. A group with a rule of its name is one as well."""
WINDOW_SECONDS = 60
MOST_PER_MINUTE = 10_000
"""Each request of the last minute is remembered, so that a limit costs memory."""
WIDER = {56: 10, 48: 100}
"""How often as much as one address may the networks around an IPv6 one at sign-in, by the length of their prefix."""
WITHOUT_RULE = {
    Scope.DEFAULT: {NORMAL_TIER: 60, ANONYMOUS_TIER: 30},
    Scope.DATA_SYNC: {NORMAL_TIER: 30, ANONYMOUS_TIER: 10},
    Scope.AUTH: {NORMAL_TIER: 5, ANONYMOUS_TIER: 3},
}
"""Where the rows say nothing, or the database that has them is away: nobody is without a limit."""
