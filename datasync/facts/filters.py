"""Which facts are asked for.

A row's key begins with a hash of its scope (platform, domain, sub-domain, granularity, shop), so that a known shop is
a few short ranges of the primary key: one for each granularity that is not excluded. The shops that somebody is limited
to are known too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from datasync.access import Sight
from datasync.choices import DomainChoice, Granularity, SubDomain
from datasync.exceptions import InvalidRequest
from datasync.facts.columns import all_facts, model_of
from datasync.ingest.prepare.identity import scope_beginning
from datasync.models import Fact, Shop

_LOOKUPS = {
    "platform": "platform_id",
    "shop": "shop__shop_id",
    "sub_domain": "sub_domain",
    "granularity": "granularity",
    "period_from": "period_start__gte",
    "period_to": "period_start__lte",
    "collected_since": "collected_at__gte",
    "updated_since": "updated_at__gte",
    "file_id": "file_last_id",
    "order_id": "order_id",
    "sku": "sku",
    "product_id": "product_id",
}
OF_SOME_DOMAINS = ("order_id", "sku", "product_id")
"""Filters that only domains with such a column have."""

KeyRange = tuple[UUID, UUID]
_MOST_RANGES = 50
"""Of somebody's shops: whoever sees more of them finds rows anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a row has to be; ``None`` asks for nothing. ``shop`` is the platform's own id of it.

    ``period_from`` and ``period_to`` bound the first day of a row's period, both days included; rows without a period
    are in neither. ``file_id`` is the file that last wrote the row.
    """

    platform: str | None = None
    shop: str | None = None
    sub_domain: str | None = None
    granularity: str | None = None
    period_from: date | None = None
    period_to: date | None = None
    collected_since: datetime | None = None
    updated_since: datetime | None = None
    file_id: int | None = None
    order_id: str | None = None
    sku: str | None = None
    product_id: str | None = None


def has_filter(domain: str, name: str) -> bool:
    """Whether rows of the domain can be chosen by this."""
    if name not in OF_SOME_DOMAINS:
        return True
    try:
        model_of(domain)._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def conditions(domain: str, filters: Filters) -> dict[str, Any]:
    """The filters as lookups. Raises ``InvalidRequest`` for one that the domain does not have."""
    asked = {name: getattr(filters, name) for name in _LOOKUPS if getattr(filters, name) is not None}
    for name in asked:
        if not has_filter(domain, name):
            raise InvalidRequest(detail=_("%(name)s: the domain has no such filter.") % {"name": name})
    return {_LOOKUPS[name]: value for name, value in asked.items()}


def key_ranges(domain: str, filters: Filters, *, sight: Sight) -> list[KeyRange] | None:
    """The ranges of keys in which the rows of the shops asked for lie, in order; None where these are no few shops."""
    shops = _shops(filters, sight)
    if shops is None:
        return None
    granularities = [filters.granularity] if filters.granularity else list(Granularity.values)
    subs = ["", *SubDomain.values] if domain == DomainChoice.SERVICES else [""]
    if filters.sub_domain is not None:
        subs = [filters.sub_domain]
    if filters.shop is None and len(shops) * len(subs) * len(granularities) > _MOST_RANGES:
        return None
    scopes = product(shops, subs, granularities)
    return sorted(
        _range(scope_beginning(platform=platform, domain=domain, sub_domain=sub, granularity=granularity, shop_id=shop))
        for (platform, shop), sub, granularity in scopes
    )


def _shops(filters: Filters, sight: Sight) -> list[tuple[str, int]] | None:
    """The shop that the filters name, else those in sight, with their platforms; None where neither is said."""
    if filters.shop is None:
        return [one for one in sight.scopes if filters.platform in {None, one[0]}] if sight.scopes else None
    shops = Shop.objects.filter(sight.shops(), shop_id=filters.shop)
    if filters.platform is not None:
        shops = shops.filter(platform_id=filters.platform)
    return list(shops.values_list("platform_id", "pk"))


def _range(beginning: str) -> KeyRange:
    return UUID(beginning + "0" * 24), UUID(beginning + "f" * 24)


def in_ranges(ranges: Iterable[KeyRange]) -> Q:
    """Rows whose key is in any of the ranges."""
    found = Q(pk__in=())
    for first, last in ranges:
        found |= Q(pk__range=(first, last))
    return found


def matching(domain: str, filters: Filters, *, sight: Sight) -> QuerySet[Fact]:
    """The rows that match, in no order."""
    rows = all_facts(domain).filter(sight.facts(), **conditions(domain, filters))
    ranges = None if _found_by_index(filters) else key_ranges(domain, filters, sight=sight)
    return rows if ranges is None else rows.filter(in_ranges(ranges))


def matching_by_key(domain: str, filters: Filters, *, sight: Sight) -> list[QuerySet[Fact]]:
    """The rows that match, as querysets whose rows follow each other in the order of their keys."""
    rows = all_facts(domain).filter(sight.facts(), **conditions(domain, filters))
    ranges = None if _found_by_index(filters) else key_ranges(domain, filters, sight=sight)
    if ranges is None:
        return [rows]
    return [rows.filter(pk__range=bounds) for bounds in ranges] or [rows.none()]


def _found_by_index(filters: Filters) -> bool:
    """Whether an index leads to few rows anyway."""
    return filters.order_id is not None or filters.file_id is not None
