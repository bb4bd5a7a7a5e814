"""Which facts are asked for.

A row's key begins with a hash of its scope (platform, domain, sub-domain, granularity, shop), so that a known shop is
a few short ranges of the primary key: one for each granularity that it has rows of. The shops that somebody is limited
to are known too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
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
_RANGES_AT_ONCE = 300
"""In one statement that looks for rows, and in one chain of ORs: SQLite takes no expression deeper than a thousand,
and before 3.32 no more than 999 parameters."""
_MOST_RANGES = 10_000
"""By which rows are found in one statement, with two parameters each; SQLite takes 32,766."""


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


def key_ranges(domain: str, filters: Filters, *, sight: Sight, after: UUID | None = None) -> list[KeyRange] | None:
    """The ranges of keys in which the shops asked for have rows, in order; None where any shop is.

    ``after`` leaves out those that end before this key. One statement for the shop, and one for each 300 ranges that
    there may be rows in.
    """
    shops = _shops(filters, sight)
    if shops is None:
        return None
    granularities = [filters.granularity] if filters.granularity else list(Granularity.values)
    subs = ["", *SubDomain.values] if domain == DomainChoice.SERVICES else [""]
    if filters.sub_domain is not None:
        subs = [filters.sub_domain]
    scopes = product(shops, subs, granularities)
    ranges = sorted(
        _range(scope_beginning(platform=platform, domain=domain, sub_domain=sub, granularity=granularity, shop_id=shop))
        for (platform, shop), sub, granularity in scopes
    )
    return list(_with_rows(model_of(domain), [one for one in ranges if after is None or one[1] > after]))


def _shops(filters: Filters, sight: Sight) -> list[tuple[str, int]] | None:
    """The shop that the filters name, else those in sight, with their platforms; None where neither is said."""
    if filters.shop is None:
        return [one for one in sight.scopes if filters.platform in {None, one[0]}] if sight.limited else None
    shops = Shop.objects.filter(sight.shops(), shop_id=filters.shop)
    if filters.platform is not None:
        shops = shops.filter(platform_id=filters.platform)
    return list(shops.values_list("platform_id", "pk"))


def _range(beginning: str) -> KeyRange:
    return UUID(beginning + "0" * 24), UUID(beginning + "f" * 24)


def _with_rows(model: type[Fact], ranges: Sequence[KeyRange]) -> Iterator[KeyRange]:
    """Those of the ranges in which there is a row, in their order: a look at the index for each, in one statement.

    Which granularities a shop has is told by its rows alone: the files of many shops name theirs row by row.
    """
    key = model._meta.pk
    table, name = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(key.attname)
    for chunk in _lots(ranges):
        asked = ", ".join(["(%s, %s, %s)"] * len(chunk))
        statement = f"""
            WITH asked (place, low, high) AS (VALUES {asked})
            SELECT place FROM asked
            WHERE (SELECT {name} FROM {table} WHERE {name} >= low ORDER BY {name} LIMIT 1) <= high
        """  # noqa: S608 - names of our own table and column only
        with connection.cursor() as cursor:
            bounds = (
                (place, *(key.get_db_prep_value(bound, connection) for bound in one)) for place, one in enumerate(chunk)
            )
            cursor.execute(statement, [value for one in bounds for value in one])
            yield from (chunk[place] for place in sorted(place for (place,) in cursor.fetchall()))


def in_ranges(ranges: Sequence[KeyRange]) -> Q:
    """Rows whose key is in any of the ranges; with more than a statement takes, all rows.

    So it narrows down what is chosen by its shops, and does not choose it.
    """
    if not ranges:
        return Q(pk__in=())
    if len(ranges) > _MOST_RANGES:
        return Q()
    lots = (Q(*(Q(pk__range=bounds) for bounds in lot), _connector=Q.OR) for lot in _lots(ranges))
    # as expressions, which stay in their brackets: conditions joined by the same operator become one chain
    return Q(*(ExpressionWrapper(lot, output_field=BooleanField()) for lot in lots), _connector=Q.OR)


def _lots(ranges: Sequence[KeyRange]) -> Iterator[Sequence[KeyRange]]:
    return (ranges[at : at + _RANGES_AT_ONCE] for at in range(0, len(ranges), _RANGES_AT_ONCE))


def matching(domain: str, filters: Filters, *, sight: Sight) -> QuerySet[Fact]:
    """The rows that match, in no order."""
    rows = all_facts(domain).filter(sight.facts(), **conditions(domain, filters))
    ranges = None if _found_by_index(filters) else key_ranges(domain, filters, sight=sight)
    return rows if ranges is None else rows.filter(in_ranges(ranges))


def matching_by_key(domain: str, filters: Filters, *, sight: Sight, after: UUID | None = None) -> list[QuerySet[Fact]]:
    """The rows that match, as querysets whose rows follow each other in the order of their keys.

    One for each range: a page asks one after the other until it is full, so that a filter that few rows pass costs a
    statement for each. Querysets of which no row comes ``after`` this key are left out.
    """
    rows = all_facts(domain).filter(sight.facts(), **conditions(domain, filters))
    ranges = None if _found_by_index(filters) else key_ranges(domain, filters, sight=sight, after=after)
    if ranges is None:
        return [rows]
    return [rows.filter(pk__range=bounds) for bounds in ranges] or [rows.none()]


def _found_by_index(filters: Filters) -> bool:
    """Whether an index leads to few rows anyway."""
    return filters.order_id is not None or filters.file_id is not None
