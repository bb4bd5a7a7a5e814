"""Refused requests: one by one for a month, and counted by day."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

KEY_LENGTH = 100
PATH_LENGTH = 200
AGENT_LENGTH = 200
OTHERS = "*"
"""The key, or the path, of what came in so many kinds that they are counted together."""


class RateLimitEvent(models.Model):
    """What one caller was refused in one scope, at one path, within one minute; ``times`` says how often.

    The path is the call's, or ``OTHERS``. Method, address and agent are those of the last of these requests, and come
    from the caller: what does not print was replaced, and they are cut.
    """

    at = models.DateTimeField(_("minute"))
    last_at = models.DateTimeField(_("last refused"))
    key = models.CharField(_("caller"), max_length=KEY_LENGTH)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("person"),
    )  # fmt: skip
    address = models.CharField(_("address"), max_length=45, blank=True)
    path = models.CharField(_("path"), max_length=PATH_LENGTH)
    method = models.CharField(_("method"), max_length=10)
    scope = models.CharField(_("scope"), max_length=20)
    tier = models.CharField(_("tier"), max_length=20)
    detail = models.CharField(_("limit"), max_length=100, blank=True)
    agent = models.CharField(_("program"), max_length=AGENT_LENGTH, blank=True)
    times = models.PositiveBigIntegerField(pgettext_lazy("how often", "times"), default=1)

    class Meta:
        ordering = ("-last_at", "-pk")
        verbose_name = _("refused request")
        verbose_name_plural = _("refused requests")
        constraints = (
            models.UniqueConstraint(fields=("at", "key", "scope", "path"), name="one_event_a_minute"),
        )  # fmt: skip
        indexes = (models.Index(fields=("-last_at", "-id"), name="rate_event_newest"),)

    def __str__(self) -> str:
        return f"{self.key} {self.method} {self.path}"


class RateLimitDay(models.Model):
    """How often one caller was refused at one path on one day of the installation's time zone."""

    day = models.DateField(_("day"))
    path = models.CharField(_("path"), max_length=PATH_LENGTH)
    key = models.CharField(_("caller"), max_length=KEY_LENGTH)
    refused = models.PositiveBigIntegerField(_("refused"), default=0)

    class Meta:
        ordering = ("-day", "-refused", "pk")
        verbose_name = _("refusals of a day")
        verbose_name_plural = _("refusals by day")
        constraints = (models.UniqueConstraint(fields=("day", "path", "key"), name="one_count_a_day"),)

    def __str__(self) -> str:
        return f"{self.day} {self.key} {self.path}"
