"""Who did what: entries are added, never changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasync.choices import AuditAction


class AuditEntry(models.Model):
    """One act of a person. ``actor_name`` outlives the account; ``rows`` says how many rows it concerned.

    ``detail`` holds what is needed to follow it up, such as ids and the values before and after.
    """

    at = models.DateTimeField(_("when"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("who")
    )
    actor_name = models.CharField(_("name"), max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=32, choices=AuditAction)
    file = models.ForeignKey(
        "datasync.CatalogFile", null=True, on_delete=models.SET_NULL, related_name="audit", verbose_name=_("file")
    )
    template = models.ForeignKey(
        "datasync.HeaderTemplate", null=True, on_delete=models.SET_NULL, related_name="audit",
        verbose_name=_("template"),
    )  # fmt: skip
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    note = models.CharField(_("reason"), max_length=500, blank=True)
    detail = models.JSONField(_("detail"), default=dict)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name}: {self.action}"
