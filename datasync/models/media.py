"""Things made from files: product pictures and exported archives."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasync.choices import ExportKind, ExportState


class ProductImage(models.Model):
    """A picture found in an export, under the SKU of its row."""

    file = models.ForeignKey("datasync.CatalogFile", on_delete=models.CASCADE, related_name="images")
    sku = models.CharField(_("SKU"), max_length=200, db_index=True)
    sha256 = models.CharField(max_length=64)
    storage_name = models.CharField(max_length=500)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("product image")
        verbose_name_plural = _("product images")
        constraints = (models.UniqueConstraint(fields=("sku", "sha256"), name="image_identity"),)

    def __str__(self) -> str:
        return self.sku


class ExportArchive(models.Model):
    """A ZIP of files or rows that somebody asked for.

    Who makes it holds it until ``lease_until``; one whose maker died is made again, or has failed when that happened
    too often (``attempt``). ``seen_shops`` are the shops that its owner saw then, and whose rows may be in it; None:
    all. A ready one is removed after ``expires_at``.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(_("what"), max_length=16, choices=ExportKind)
    file_ids = models.JSONField(default=list)
    seen_shops = models.JSONField(null=True)
    state = models.CharField(_("state"), max_length=16, choices=ExportState, default=ExportState.QUEUED)
    done_files = models.PositiveIntegerField(_("files done"), default=0)
    error = models.JSONField(_("error"), default=dict)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    storage_name = models.CharField(max_length=500, blank=True)
    size = models.BigIntegerField(_("size in bytes"), null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("export archive")
        verbose_name_plural = _("export archives")
        indexes = (models.Index(fields=("state", "expires_at"), name="export_state"),)

    def __str__(self) -> str:
        return f"{self.what} {self.pk}"
