"""Reading facts: in an order that an index has, one by its key, or how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy

from datasync.access import Sight
from datasync.exceptions import FactNotFound
from datasync.facts.columns import Column, all_facts
from datasync.facts.filters import Filters, matching, matching_by_key
from datasync.models import Fact

ORDERINGS: dict[str, tuple[str, ...]] = {
    "key": ("record_key",),
    "period_start": ("period_start", "record_key"),
    "-period_start": ("-period_start", "-record_key"),
}
"""The orders that rows can be read in; each is an index of every fact table."""


def in_order(
    domain: str, filters: Filters, *, ordering: str, sight: Sight, after: Sequence[Any] | None = None
) -> list[QuerySet[Fact]]:
    """The rows that match, as querysets whose rows follow each other in this ordering; not ordered yet.

    ``after`` are the values of the row behind which one goes on: what lies before it need not be there.
    """
    if ordering == "key":
        return matching_by_key(domain, filters, sight=sight, after=after[0] if after else None)
    return [matching(domain, filters, sight=sight)]


def order_of(ordering: str) -> list[OrderBy]:
    """The ordering for ``order_by``: rows without a period last, and first when it is turned round."""
    return [
        F(name[1:]).desc(nulls_first=True) if name.startswith("-") else F(name).asc(nulls_last=True)
        for name in ORDERINGS[ordering]
    ]


def with_columns(rows: QuerySet[Fact], columns: Sequence[Column], *, raw: bool = False) -> QuerySet[Any, Any]:
    """The rows as dictionaries of what ``columns.document`` needs, and what cursors do."""
    names = {"record_key", "period_start", *(column.source for column in columns)}
    if raw:
        names |= {"raw", "header_set__names"}
    found: QuerySet[Any, Any] = rows.values(*sorted(names))
    return found


def count(domain: str, filters: Filters, *, sight: Sight) -> int:
    """How many rows match; reads them all where no index counts them."""
    return matching(domain, filters, sight=sight).count()


def find(domain: str, key: str, *, sight: Sight) -> Fact:
    """The fact with this key, with or without hyphens. Raises ``DomainNotFound``, ``FactNotFound``."""
    facts = all_facts(domain).filter(sight.facts()).select_related("shop", "header_set")
    try:
        return facts.get(pk=UUID(key))
    except (ValueError, ObjectDoesNotExist):
        raise FactNotFound(what=key[:60]) from None
