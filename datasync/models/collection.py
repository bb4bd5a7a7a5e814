"""Who collects the exports: accounts at the platforms, and the versions of the collecting components."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from datasync.choices import AccountState, VersionState
from erp.caching.changes import WatchedManager

validate_sha256 = RegexValidator(r"\A[0-9a-f]{64}\Z", _("Write the SHA-256 as 64 lower-case hexadecimal digits."))


class CollectionAccount(models.Model):
    """An account at a platform with which exports are collected, and the shops that it reaches.

    What it signs in with is kept where the collecting components run, never here.
    """

    platform = models.ForeignKey(
        "datasync.Platform", on_delete=models.PROTECT, related_name="accounts", verbose_name=_("platform")
    )
    account = models.CharField(_("account"), max_length=200)
    shops = models.ManyToManyField("datasync.Shop", blank=True, related_name="accounts", verbose_name=_("shops"))
    state = models.CharField(_("state"), max_length=16, choices=AccountState, default=AccountState.ACTIVE)
    last_collected_at = models.DateTimeField(_("last collected"), null=True, blank=True)
    note = models.CharField(
        _("note"), max_length=500, blank=True, help_text=_("Everybody who may see the account reads it: no passwords.")
    )

    objects: ClassVar[models.Manager[CollectionAccount]] = WatchedManager()

    class Meta:
        ordering = ("platform_id", "account")
        verbose_name = _("collection account")
        verbose_name_plural = _("collection accounts")
        constraints = (models.UniqueConstraint(fields=("platform", "account"), name="account_identity"),)

    def __str__(self) -> str:
        return self.account


class ComponentVersion(models.Model):
    """A version of a collecting component; one without a platform is for all.

    ``checksum`` is the SHA-256 of what is installed; without one nothing is released.
    """

    component = models.CharField(_("component"), max_length=100)
    version = models.CharField(_("version"), max_length=50)
    platform = models.ForeignKey(
        "datasync.Platform", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("platform"),
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=16, choices=VersionState, default=VersionState.DRAFT)
    checksum = models.CharField(_("checksum (SHA-256)"), max_length=64, blank=True, validators=[validate_sha256])
    released_at = models.DateTimeField(pgettext_lazy("component version", "released"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)

    objects: ClassVar[models.Manager[ComponentVersion]] = WatchedManager()

    class Meta:
        ordering = ("component", "-released_at")
        verbose_name = _("component version")
        verbose_name_plural = _("component versions")
        constraints = (models.UniqueConstraint(fields=("component", "version"), name="component_version_identity"),)

    def __str__(self) -> str:
        return f"{self.component} {self.version}"
