"""The catalogue: one row for each file that was ever seen."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from datasync.choices import DomainChoice, FileState, Granularity, RowsFate, SubDomain
from erp.caching.changes import WatchedManager


class CatalogFile(models.Model):
    """An export file: where it lies, what it holds, and how far it has come.

    ``root`` and ``storage_name`` say where it lies; ``sha256`` is over platform, shop and bytes, so that the same
    bytes of two shops are two files; ``content_sha256`` is over the bytes alone. New content at the same place is the
    same row, pending again. ``description_sources`` says for each described field who said so. ``template_fit`` is the
    outcome in ``match``, kept beside it by the database so that it can be counted. ``removing`` is set
    while not all is gone that goes with a deleted file, and says whether its rows do. ``seen_shops`` are the shops that
    whoever brought the content saw then, and of which its rows may be; None: all, as of what lies in a folder.
    """

    root = models.CharField(_("root"), max_length=100)
    storage_name = models.CharField(_("storage name"), max_length=1000)
    original_name = models.CharField(_("file name"), max_length=500)
    size = models.BigIntegerField(_("size in bytes"))
    modified_at = models.DateTimeField(_("modified"))
    sha256 = models.CharField(max_length=64)
    content_sha256 = models.CharField(max_length=64)

    platform = models.ForeignKey(
        "datasync.Platform", null=True, blank=True, on_delete=models.PROTECT, related_name="files",
        verbose_name=_("platform"), db_index=False,
    )  # fmt: skip
    source_platform = models.ForeignKey(
        "datasync.Platform", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("source platform"), db_index=False,
    )  # fmt: skip
    shop = models.ForeignKey(
        "datasync.Shop", null=True, blank=True, on_delete=models.PROTECT, related_name="files", verbose_name=_("shop")
    )
    domain = models.CharField(_("domain"), max_length=16, choices=DomainChoice, blank=True)
    sub_domain = models.CharField(_("sub-domain"), max_length=16, choices=SubDomain, blank=True)
    granularity = models.CharField(_("granularity"), max_length=16, choices=Granularity, blank=True)
    period_start = models.DateField(_("period from"), null=True, blank=True)
    period_end = models.DateField(_("period to"), null=True, blank=True)
    collected_at = models.DateTimeField(_("collected"), null=True, blank=True)
    account = models.CharField(_("account"), max_length=200, blank=True)
    description_sources = models.JSONField(default=dict, blank=True)

    format = models.CharField(_("format"), max_length=8, blank=True)
    encoding = models.CharField(_("encoding"), max_length=32, blank=True)
    sheet = models.CharField(_("sheet"), max_length=255, blank=True)
    header_row = models.PositiveIntegerField(_("header row"), null=True, blank=True)
    header = models.JSONField(_("header"), default=list, blank=True)
    profile = models.JSONField(_("column profile"), default=list, blank=True)
    profiled_rows = models.PositiveIntegerField(_("rows profiled"), default=0)
    template = models.ForeignKey(
        "datasync.HeaderTemplate", null=True, blank=True, on_delete=models.SET_NULL, related_name="files",
        verbose_name=_("template"),
    )  # fmt: skip
    match = models.JSONField(_("template match"), default=dict, blank=True)
    template_fit = models.GeneratedField(
        expression=Coalesce(KT("match__outcome"), Value(""), output_field=models.CharField()),
        output_field=models.CharField(max_length=16), db_persist=True, verbose_name=_("how the template fits"),
    )  # fmt: skip
    suggestion = models.JSONField(_("suggested mapping"), default=dict, blank=True)

    state = models.CharField(_("state"), max_length=32, choices=FileState, default=FileState.PENDING)
    removing = models.CharField(_("still to be removed"), max_length=8, choices=RowsFate, blank=True, editable=False)
    rows = models.JSONField(_("rows of the last sync"), default=dict, blank=True)
    last_error = models.JSONField(_("last error"), default=dict, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    synced_at = models.DateTimeField(_("last synced"), null=True, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("uploaded by"), db_index=False,
    )  # fmt: skip
    seen_shops = models.JSONField(null=True, editable=False)

    objects: ClassVar[models.Manager[CatalogFile]] = WatchedManager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = (models.UniqueConstraint(fields=("root", "storage_name"), name="file_place"),)
        # Every change of state writes into all of them: each is here for a reader, and no field has one by itself.
        indexes = (
            models.Index(fields=("content_sha256",), name="file_content"),
            models.Index(fields=("uploaded_by",), condition=models.Q(uploaded_by__isnull=False), name="file_uploader"),
            models.Index(fields=("state", "platform", "domain"), name="file_state"),
            models.Index(fields=("platform", "shop", "domain", "granularity"), name="file_scope"),
            models.Index(fields=("state", "first_seen_at", "id"), name="file_waiting"),
            models.Index(  # a narrow copy of the rows, in which lists are counted, searched and ordered
                fields=(
                    "id",
                    "state",
                    "original_name",
                    "size",
                    "first_seen_at",
                    "synced_at",
                    "collected_at",
                    "format",
                    "root",
                ),
                name="file_listed",
            ),
            models.Index(  # all that the figures of the catalogue are counted from
                fields=(
                    "platform",
                    "source_platform",
                    "domain",
                    "sub_domain",
                    "granularity",
                    "state",
                    "template_fit",
                    "template",
                    "id",
                ),
                name="file_figures",
            ),
        )

    def __str__(self) -> str:
        return self.original_name
