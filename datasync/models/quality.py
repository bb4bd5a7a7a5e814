"""What could not be trusted, what is missing, and what newer exports have confirmed."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasync.choices import QUARANTINE_UNDECIDED, DomainChoice, Granularity, QuarantineState, SubDomain
from erp.caching.changes import WatchedManager


class QuarantinedRow(models.Model):
    """A row that cannot be trusted, kept whole.

    ``sheet_row`` is the row as the spreadsheet shows it (1-based). ``reasons`` is a list of
    ``{"header", "code", "value"}``; a blank header means the whole row. ``values`` stand in ``header_set`` order;
    ``corrected`` maps positions in that order, as text, to what the cells should have held. ``context`` is what the row
    had from the rows around it (``ingest.prepare.context``). Of a released row ``record_key`` and ``outcome`` say which
    fact it became and how: one of ``ingest.plan.COUNT_NAMES``.
    """

    file = models.ForeignKey(
        "datasync.CatalogFile", on_delete=models.CASCADE, related_name="quarantined", verbose_name=_("file"),
        db_index=False,
    )  # fmt: skip
    item = models.ForeignKey(
        "datasync.SyncTaskFile", null=True, on_delete=models.SET_NULL, related_name="quarantined",
        verbose_name=_("file of a task"),
    )  # fmt: skip
    template = models.ForeignKey(
        "datasync.HeaderTemplate", null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("template")
    )
    header_set = models.ForeignKey("datasync.HeaderSet", on_delete=models.PROTECT, related_name="+")
    domain = models.CharField(_("domain"), max_length=16, choices=DomainChoice)
    sheet_row = models.PositiveIntegerField(_("row"))
    reasons = models.JSONField(_("reasons"))
    values = models.JSONField(_("values"))
    corrected = models.JSONField(_("corrected values"), null=True, blank=True)
    context = models.TextField(null=True, editable=False)
    state = models.CharField(_("state"), max_length=16, choices=QuarantineState, default=QuarantineState.OPEN)
    created_at = models.DateTimeField(_("created"))
    record_key = models.UUIDField(_("fact"), null=True, blank=True, editable=False)
    outcome = models.CharField(_("outcome"), max_length=16, blank=True, editable=False)
    note = models.CharField(_("reason of the decision"), max_length=500, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects: ClassVar[models.Manager[QuarantinedRow]] = WatchedManager()

    class Meta:
        ordering = ("file", "sheet_row")
        verbose_name = _("quarantined row")
        verbose_name_plural = _("quarantined rows")
        indexes = (
            models.Index(fields=("state", "domain"), name="quarantine_state"),
            models.Index(fields=("file", "id"), name="quarantine_of_file"),
            # Not unique: a row of the sheet may wait in two contents of the file.
            models.Index(
                fields=("file", "sheet_row"),
                name="quarantine_undecided",
                condition=models.Q(state__in=QUARANTINE_UNDECIDED),
            ),
            models.Index(fields=("record_key",), name="quarantine_fact", condition=models.Q(record_key__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.file_id}:{self.sheet_row}"


class QualityReport(models.Model):
    """How complete the data of one platform, shop and domain is over the period that a task's files cover."""

    task = models.ForeignKey(
        "datasync.SyncProgressTask", null=True, on_delete=models.SET_NULL, related_name="quality_reports",
        verbose_name=_("task"),
    )  # fmt: skip
    platform = models.ForeignKey("datasync.Platform", on_delete=models.PROTECT, related_name="+")
    shop = models.ForeignKey("datasync.Shop", null=True, on_delete=models.PROTECT, related_name="quality_reports")
    domain = models.CharField(_("domain"), max_length=16, choices=DomainChoice)
    period_start = models.DateField(_("period from"), null=True)
    period_end = models.DateField(_("period to"), null=True)
    score = models.FloatField(_("score"), null=True)
    rows = models.BigIntegerField(_("rows"))
    missing_fields = models.JSONField(_("missing fields"), default=list)
    completeness = models.JSONField(_("completeness"), default=dict)
    duplicates = models.BigIntegerField(_("duplicates"), default=0)
    parse_failures = models.BigIntegerField(_("parse failures"), default=0)
    change = models.JSONField(_("change against the previous period"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("quality report")
        verbose_name_plural = _("quality reports")
        indexes = (models.Index(fields=("platform", "shop", "domain", "-id"), name="quality_of_shop"),)

    def __str__(self) -> str:
        return f"{self.platform_id}/{self.domain}: {self.score}"


class ConfirmedRows(models.Model):
    """Rows that a newer export repeated unchanged.

    Rewriting them only to move ``collected_at`` would make an unchanged sync as dear as a first one. Their keys are
    kept here instead (16 bytes each, sorted), and are asked only when an older export arrives out of order: a row that
    was confirmed later than that export was collected is not overwritten by it.
    """

    file = models.OneToOneField("datasync.CatalogFile", on_delete=models.CASCADE, related_name="confirmed")
    platform = models.ForeignKey("datasync.Platform", on_delete=models.PROTECT, related_name="+")
    shop = models.ForeignKey("datasync.Shop", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    domain = models.CharField(max_length=16, choices=DomainChoice)
    sub_domain = models.CharField(max_length=16, choices=SubDomain, blank=True)
    granularity = models.CharField(max_length=16, choices=Granularity)
    collected_at = models.DateTimeField()
    keys = models.BinaryField()

    class Meta:
        verbose_name = _("confirmed rows")
        verbose_name_plural = _("confirmed rows")
        indexes = (models.Index(fields=("platform", "domain", "granularity", "-collected_at"), name="confirmed_scope"),)

    def __str__(self) -> str:
        return f"{self.file_id}: {len(self.keys) // 16}"
