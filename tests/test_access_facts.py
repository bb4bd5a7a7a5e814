"""Lists of facts in a limited sight: the rows of a shop are found by their keys, however many shops there are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.facts.filters import in_ranges
from datasync.models import OrderLine, Shop
from tests.access_support import Belongings, client, limit, limited, mine, own
from tests.api import client_of, data_of
from tests.facts_support import file_of, header_set, make_shop, store, unsaved
from tests.test_facts_pages import visits_few_rows

__all__ = ["client", "limited", "mine", "own"]
pytestmark = pytest.mark.django_db
ORDERS = "/api/data-sync/facts/orders"
OTHERS = 3_000


@pytest.fixture
def others(mine: Shop) -> None:
    """Rows of a shop out of sight, so many that reading them shows."""
    file = file_of(make_shop("large"))
    store(unsaved(OrderLine, file, header_set=header_set()) for _ in range(OTHERS))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def statements(client: APIClient, query: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of a page, and its statements on facts."""
    with CaptureQueriesContext(connection) as captured:
        rows = data_of(client.get(f"{ORDERS}?fields=record_key&{query}"))
    return rows, [one["sql"] for one in captured if "datasync_orderline" in one["sql"]]


@pytest.mark.parametrize("query", ["", "ordering=period_start", "page=1", "platform=shopee"])
def test_who_sees_no_shop_costs_no_look_at_the_facts(others: None, limited: User, query: str) -> None:
    rows, asked = statements(client_of(limit(limited)), query)
    assert (rows, asked) == ([], [])


def test_a_page_over_many_small_shops_reads_its_own_rows(others: None, limited: User) -> None:
    shops = [make_shop(f"s{number}") for number in range(30)]
    for shop in shops[::3]:
        store(unsaved(OrderLine, file_of(shop), header_set=header_set()) for _ in range(4))
    client, seen = client_of(limit(limited, *shops)), OrderLine.objects.filter(shop__in=shops)
    expected = sorted(str(key) for key in seen.values_list("pk", flat=True))
    rows, asked = statements(client, "page_size=200")
    assert [row["record_key"] for row in rows] == expected
    assert len(asked) <= 1 + len(shops[::3]), "no look where there are no rows"
    for statement in asked:
        visits_few_rows(statement)
    rows, asked = statements(client, "page_size=4")
    assert [row["record_key"] for row in rows] == expected[:4]
    assert len(asked) <= 3, "a page that is full asks no further"
    cursor = client.get(f"{ORDERS}?page_size=38").json()["pagination"]["next_cursor"]
    rows, asked = statements(client, f"cursor={cursor}")
    assert [row["record_key"] for row in rows] == expected[38:]
    assert len(asked) == 2, "what lies before the cursor is not asked again"


@pytest.mark.parametrize("number", [0, 1, 300, 301, 5_000, 20_000])
def test_however_many_ranges_there_are_they_are_one_statement(own: Belongings, number: int) -> None:
    """SQLite's parser goes a thousand deep, and its statements and those of PostgreSQL take so many parameters."""
    key = own.fact.pk.int
    others = [(UUID(int=key + 2 * at), UUID(int=key + 2 * at)) for at in range(1, number)]
    ranges = [*others, (own.fact.pk, own.fact.pk)] if number else []
    found = OrderLine.objects.filter(in_ranges(ranges), shop=own.shop)
    assert list(found) == ([own.fact] if number else [])
    assert found.count() == len(found)
