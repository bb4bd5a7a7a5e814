"""Where the data comes from: platforms, shops, and who collects."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasync.currencies import ISO_CODES


def validate_currency(code: str) -> None:
    """Refuse what is no ISO 4217 code."""
    if code not in ISO_CODES:
        raise ValidationError(_("%(code)s is no ISO 4217 code, such as SGD."), params={"code": code})


def validate_timezone(name: str) -> None:
    """Refuse what is no IANA name of a local time."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        message = _("%(name)s is no IANA name of a local time, such as Asia/Singapore.")
        raise ValidationError(message, params={"name": name}) from None


class Platform(models.Model):
    """A marketplace or ERP. Operators add more; the code is what file names and templates say."""

    code = models.SlugField(_("code"), primary_key=True, max_length=32)
    name = models.CharField(_("name"), max_length=100)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("code",)
        verbose_name = _("platform")
        verbose_name_plural = _("platforms")

    def __str__(self) -> str:
        return self.name


class Shop(models.Model):
    """A shop of a platform. Its currency and local time give meaning to amounts and dates that do not say their own."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="shops", verbose_name=_("platform"))
    shop_id = models.CharField(_("shop id"), max_length=100)
    name = models.CharField(_("name"), max_length=200, blank=True)
    region = models.CharField(_("region"), max_length=8, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, validators=[validate_currency])
    timezone = models.CharField(_("timezone"), max_length=64, default="Asia/Shanghai", validators=[validate_timezone])
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("platform_id", "shop_id")
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        constraints = (models.UniqueConstraint(fields=("platform", "shop_id"), name="shop_identity"),)

    def __str__(self) -> str:
        return self.name or self.shop_id


class ShopAlias(models.Model):
    """A label text under which exports name a shop, such as ``Shopee菲律宾2店``."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+", verbose_name=_("platform"))
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="aliases", verbose_name=_("shop"))
    label = models.CharField(_("label"), max_length=200)

    class Meta:
        ordering = ("label",)
        verbose_name = _("shop alias")
        verbose_name_plural = _("shop aliases")
        constraints = (models.UniqueConstraint(fields=("platform", "label"), name="shop_alias_identity"),)

    def __str__(self) -> str:
        return self.label


class CollectionAccount(models.Model):
    """An account with which exports are collected. Its secrets are never stored here."""

    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="accounts", verbose_name=_("platform")
    )
    account = models.CharField(_("account"), max_length=200)
    shops = models.ManyToManyField(Shop, blank=True, related_name="accounts", verbose_name=_("shops"))
    active = models.BooleanField(_("active"), default=True)
    last_collected_at = models.DateTimeField(_("last collected"), null=True, blank=True)

    class Meta:
        ordering = ("platform_id", "account")
        verbose_name = _("collection account")
        verbose_name_plural = _("collection accounts")
        constraints = (models.UniqueConstraint(fields=("platform", "account"), name="account_identity"),)

    def __str__(self) -> str:
        return self.account


class ComponentVersion(models.Model):
    """A released version of a collecting component."""

    component = models.CharField(_("component"), max_length=100)
    version = models.CharField(_("version"), max_length=50)
    platform = models.ForeignKey(
        Platform, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("platform")
    )
    active = models.BooleanField(_("active"), default=True)
    checksum = models.CharField(_("checksum"), max_length=64, blank=True)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)

    class Meta:
        ordering = ("component", "-released_at")
        verbose_name = _("component version")
        verbose_name_plural = _("component versions")
        constraints = (models.UniqueConstraint(fields=("component", "version"), name="component_version_identity"),)

    def __str__(self) -> str:
        return f"{self.component} {self.version}"
