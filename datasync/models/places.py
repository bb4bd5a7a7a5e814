"""Where the data comes from: platforms and shops."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasync.currencies import ISO_CODES
from erp.caching.changes import WatchedManager


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

    objects: ClassVar[models.Manager[Platform]] = WatchedManager()

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

    objects: ClassVar[models.Manager[Shop]] = WatchedManager()

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
