"""Filters of the lists of facts: each leads to an index, none reads the table to know its own choices."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from datasync.access import Sight
from datasync.admin.sight import sight_of, within
from datasync.facts.filters import Filters, in_ranges, key_ranges
from datasync.models import FACT_MODELS, Fact, Shop

_MOST_SHOPS = 500
_LONGEST_ID = 18


class PeriodFilter(admin.SimpleListFilter):
    """When a row's period begins."""

    title = _("period from")
    parameter_name = "period"
    _DAYS: ClassVar[dict[str, int]] = {"7": 7, "31": 31, "92": 92, "366": 366}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The last so many days."""
        return [
            ("7", _("last 7 days")),
            ("31", _("last 31 days")),
            ("92", _("last 3 months")),
            ("366", _("last year")),
            ("none", _("without a period")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """A range of the index on the period."""
        if self.value() == "none":
            return queryset.filter(period_start=None)
        days = self._DAYS.get(self.value() or "")
        return queryset.filter(period_start__gte=self._today() - timedelta(days=days)) if days else queryset

    @staticmethod
    def _today() -> date:
        return timezone.now().date()


class ShopFilter(admin.SimpleListFilter):
    """Whose row it is; the rows of a shop lie together in the primary key."""

    title = _("shop")
    parameter_name = "shop"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All shops in sight."""
        shops = within(Shop.objects.all(), sight_of(request)).order_by("platform_id", "name", "shop_id")[:_MOST_SHOPS]
        return [(str(shop.pk), f"{shop.platform_id}: {shop}") for shop in shops]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The ranges of keys of the shop."""
        value, sight = self.value() or "", sight_of(request)
        known = value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID
        shop = Shop.objects.filter(pk=int(value)).first() if known else None
        if shop is None:
            return queryset.none() if value else queryset
        asked = Filters(platform=shop.platform_id, shop=shop.shop_id)
        ranges = key_ranges(_domain(queryset.model), asked, sight=sight) or []
        return queryset.filter(in_ranges(ranges), shop=shop)


def _domain(model: type[Fact]) -> str:
    """The domain whose table this is."""
    return next(name for name, table in FACT_MODELS.items() if table is model)


def by_shops(facts: QuerySet[Any], sight: Sight) -> QuerySet[Any]:
    """The facts, found by the keys of the shops that somebody is limited to, whose rows lie together."""
    ranges = key_ranges(_domain(facts.model), Filters(), sight=sight)
    return facts if ranges is None else facts.filter(in_ranges(ranges))
