"""The answers of this application that are kept until what they were computed from changes.

What is kept is what is answered, but for the envelope: plain values, in no language. Where figures depend on whose they
are, the sight is part of the key. Of lists the first page of the usual size is kept, in each state and ordering and
without any other filter: what is typed in freely is computed, so that nobody fills the cache by asking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from datasync.access import EVERYTHING, Sight
from datasync.api.requests.collection import AccountQuery, AccountStatsQuery, ComponentVersionQuery
from datasync.api.serializers import collection as collection_documents
from datasync.api.serializers import governance as governance_documents
from datasync.collection import selectors as collection
from datasync.mapping import governance
from datasync.watched import ACCOUNTS, COMPONENTS, FILES, PLATFORMS, QUARANTINE, SHOPS, TEMPLATES
from erp.api.pagination import Page, paginate
from erp.api.serializers import QuerySerializer, validated
from erp.caching.cached import cache_result

Query = Mapping[str, Any]
Rows = dict[str, Any]
"""A page as it is kept: its ``rows`` as documents, and the ``total`` of the list."""
_CHOICES = ("ordering", "state")
"""What a list may be asked for and still be kept: one of few values each."""


def page_of(kept: Rows, query: Query) -> Page:
    """The page that was asked for."""
    return Page(kept["rows"], number=query["page"], size=query["page_size"], total=kept["total"])


def _key_of_sight(sight: Sight) -> object:
    """What tells apart the figures of one sight from those of another."""
    return None if sight.shop_ids is None else [sight.person_id, *sorted(sight.shop_ids)]


def _key_of_list(asked: type[QuerySerializer]) -> Callable[..., object | None]:
    """What tells apart the answers to such a query that are kept; None: this one is not."""

    def key(query: Query, *, sight: Sight) -> object | None:
        chosen = {name: query[name] for name in _CHOICES if name in query}
        return [_key_of_sight(sight), chosen] if {**_usual(asked), **chosen} == query else None

    return key


@cache
def _usual(asked: type[QuerySerializer]) -> Query:
    """What is asked for by whoever asks for nothing in particular."""
    return validated(asked, {})


def _rows(found: QuerySet[Any], document: type[serializers.BaseSerializer[Any]], query: Query) -> Rows:
    page = paginate(found, page=query["page"], page_size=query["page_size"])
    return {"rows": document(page.rows, many=True).data, "total": page.total}


@cache_result(
    kind="collection_accounts",
    tags=(ACCOUNTS, SHOPS, PLATFORMS),
    key=_key_of_list(AccountQuery),
    warm=lambda: [{"query": validated(AccountQuery, {}), "sight": EVERYTHING}],
)
def accounts(query: Query, *, sight: Sight) -> Rows:
    """A page of the accounts."""
    filters = collection.AccountFilters(
        **{name: query[name] for name in ("platform", "state", "shop", "search") if name in query}
    )
    found = collection.accounts(filters, ordering=query["ordering"], sight=sight)
    return _rows(found, collection_documents.Account, query)


@cache_result(
    kind="account_stats",
    tags=(ACCOUNTS, SHOPS, PLATFORMS),
    key=_key_of_list(AccountStatsQuery),
    warm=lambda: [{"query": validated(AccountStatsQuery, {}), "sight": EVERYTHING}],
)
def account_stats(query: Query, *, sight: Sight) -> dict[str, Any]:
    """The accounts in figures."""
    return dict(collection_documents.AccountStats(collection.account_stats(**query, sight=sight)).data)


@cache_result(
    kind="component_versions",
    tags=(COMPONENTS, PLATFORMS),
    key=partial(_key_of_list(ComponentVersionQuery), sight=EVERYTHING),
    warm=lambda: [{"query": validated(ComponentVersionQuery, {})}],
)
def component_versions(query: Query) -> Rows:
    """A page of the versions, which are of no shop."""
    filters = collection.VersionFilters(
        **{name: query[name] for name in ("component", "platform", "state", "search") if name in query}
    )
    found = collection.component_versions(filters, ordering=query["ordering"])
    return _rows(found, collection_documents.Version, query)


@cache_result(
    kind="platforms",
    tags=(FILES, PLATFORMS),
    key=lambda *, sight: [_key_of_sight(sight)],
    warm=lambda: [{"sight": EVERYTHING}],
)
def platforms(*, sight: Sight) -> list[Any]:
    """Every platform with its files by state."""
    return list(governance_documents.PlatformFiles(governance.platforms(sight=sight), many=True).data)


@cache_result(
    kind="governance_stats",
    tags=(FILES, TEMPLATES, QUARANTINE),
    key=lambda *, sight: [_key_of_sight(sight)],
    warm=lambda: [{"sight": EVERYTHING}],
)
def governance_stats(*, sight: Sight) -> dict[str, Any]:
    """The catalogue in figures."""
    return dict(governance_documents.Stats(governance.stats(sight=sight)).data)
