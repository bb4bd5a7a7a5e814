"""Header templates: how the header of a file becomes standard fields."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasync.choices import DomainChoice, Granularity, SubDomain, TemplateOrigin, TemplateState
from datasync.spreadsheets import unique_names
from erp.caching.changes import WatchedManager


class HeaderTemplate(models.Model):
    """A version (and variant) of how one family of exports is to be read.

    The family is platform, source platform, domain, sub-domain and granularity. A published version never changes.
    ``fingerprint`` changes whenever the same cells would give other values.
    """

    platform = models.ForeignKey("datasync.Platform", on_delete=models.PROTECT, related_name="templates",
                                 verbose_name=_("platform"))  # fmt: skip
    source_platform = models.ForeignKey("datasync.Platform", on_delete=models.PROTECT, related_name="+",
                                        verbose_name=_("source platform"))  # fmt: skip
    domain = models.CharField(_("domain"), max_length=16, choices=DomainChoice)
    sub_domain = models.CharField(_("sub-domain"), max_length=16, choices=SubDomain, blank=True)
    granularity = models.CharField(_("granularity"), max_length=16, choices=Granularity)
    version = models.PositiveIntegerField(_("version"), default=1)
    variant = models.CharField(_("variant"), max_length=64, blank=True)

    state = models.CharField(_("state"), max_length=16, choices=TemplateState, default=TemplateState.DRAFT)
    origin = models.CharField(_("origin"), max_length=16, choices=TemplateOrigin, default=TemplateOrigin.OPERATOR)
    header_row = models.PositiveSmallIntegerField(_("header row, counted from 0"), default=0)
    header_rows = models.PositiveSmallIntegerField(_("rows of the header"), default=1)
    data_row = models.PositiveIntegerField(_("first data row, counted from 0"), null=True, blank=True)
    sheet = models.CharField(_("sheet"), max_length=255, blank=True)
    number_format = models.CharField(_("number format"), max_length=8, default="dot",
                                     choices=(("dot", "1,203.60"), ("comma", "1.203,60")))  # fmt: skip
    identity = models.JSONField(_("identity fields"), default=list)
    ordinal = models.BooleanField(_("number equal lines"), default=False)
    totals_on_every_line = models.BooleanField(_("order totals stand on every line"), default=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    notes = models.TextField(_("notes"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("created by"),
    )  # fmt: skip
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    objects: ClassVar[models.Manager[HeaderTemplate]] = WatchedManager()

    class Meta:
        ordering = ("platform_id", "source_platform_id", "domain", "sub_domain", "granularity", "-version", "variant")
        verbose_name = _("header template")
        verbose_name_plural = _("header templates")
        constraints = (
            models.UniqueConstraint(
                fields=("platform", "source_platform", "domain", "sub_domain", "granularity", "version", "variant"),
                name="template_identity",
            ),
        )

    def __str__(self) -> str:
        parts = [self.platform_id, self.source_platform_id, self.domain, self.sub_domain, self.granularity]
        name = "/".join(part for part in parts if part)
        return f"{name} v{self.version}" + (f" ({self.variant})" if self.variant else "")


class TemplateColumn(models.Model):
    """What a template says of one column. Without ``field`` the cell is kept in the original row only."""

    template = models.ForeignKey(HeaderTemplate, on_delete=models.CASCADE, related_name="columns")
    position = models.PositiveSmallIntegerField(_("position"))
    header = models.CharField(_("header"), max_length=500, blank=True)
    aliases = models.JSONField(_("other wordings"), default=list, blank=True)
    field = models.CharField(_("standard field"), max_length=64, blank=True)
    kind = models.CharField(_("kind"), max_length=16)
    format = models.CharField(_("date format"), max_length=100, blank=True)
    required = models.BooleanField(_("required"), default=False)

    class Meta:
        ordering = ("position",)
        verbose_name = _("template column")
        verbose_name_plural = _("template columns")
        constraints = (models.UniqueConstraint(fields=("template", "position"), name="column_position"),)

    def __str__(self) -> str:
        return self.header


class HeaderSet(models.Model):
    """A header as it stood in files, stored once; the original rows are kept in its order.

    ``names`` are the headers made unique, so that a row can be shown as an object.
    """

    digest = models.CharField(max_length=64, unique=True)
    headers = models.JSONField(_("headers"))
    names = models.JSONField(default=list, editable=False)

    class Meta:
        verbose_name = _("header set")
        verbose_name_plural = _("header sets")

    def __str__(self) -> str:
        return f"{self.pk}: {len(self.headers)}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Name the columns with the header that they are of."""
        self.names = unique_names(self.headers)
        super().save(*args, **kwargs)
