"""Limits that differ from the installation's: of a person, or of a tier."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

LIMITS = ("max_active_tasks", "max_files_per_task", "max_rows_per_day")


class UserQuota(models.Model):
    """What a person, or everybody of a tier, may have. A limit that is left blank is decided by who comes next.

    Who comes first: the person, the tier, the installation. Of several tiers the most generous one counts.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="quota",
        verbose_name=_("person"),
    )  # fmt: skip
    tier = models.OneToOneField(
        Group, null=True, blank=True, on_delete=models.CASCADE, related_name="quota", verbose_name=_("tier")
    )
    max_active_tasks = models.PositiveIntegerField(
        _("active tasks"), null=True, blank=True, help_text=_("How many may be active at a time; 0 allows none.")
    )
    max_files_per_task = models.PositiveIntegerField(
        _("files in a task"), null=True, blank=True, help_text=_("How many files one task may have.")
    )
    max_rows_per_day = models.PositiveBigIntegerField(
        _("rows a day"), null=True, blank=True, help_text=_("How many rows may be read between midnight and midnight.")
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("changed by"),
    )  # fmt: skip

    class Meta:
        ordering = ("tier__name", "user__username", "pk")
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        constraints = (
            models.CheckConstraint(
                condition=Q(user=None, tier__isnull=False) | Q(user__isnull=False, tier=None),
                name="quota_of_person_or_tier",
                violation_error_message=_("Choose either a person or a tier."),
            ),
        )

    def __str__(self) -> str:
        return str(self.user or self.tier)

    @property
    def limits(self) -> dict[str, Any]:
        """The limits by name; None where somebody else decides."""
        return {name: getattr(self, name) for name in LIMITS}
