"""Deep pages: the last of many rows is read as the first is, and what a page costs does not grow with its rows."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.models import OrderLine
from erp.api.keyset import Keyset
from tests.api import client_of, owner
from tests.facts_support import file_of, header_set, make_shop, store, unsaved
from tests.plans import rows_visited, sqlite_plan

__all__ = ["owner"]
ROWS = 20_000
NO_PERIOD = {"period_start": None}
SHOP = "shop=shop1"
SCOPE = "shop=shop1&granularity=daily&platform=shopee"
ADDRESS = "/api/data-sync/facts/orders"
ORDERINGS = {"key": ("record_key",), "-period_start": ("-period_start", "-record_key")}


@pytest.fixture
def many(db: None) -> None:
    """Rows of two shops, a tenth of them without a period."""
    header = header_set()
    for number in range(2):
        file = file_of(make_shop(f"shop{number}"))
        store(
            unsaved(OrderLine, file, header_set=header, order_id=f"{number}-{at}", **({} if at % 10 else NO_PERIOD))
            for at in range(ROWS // 2)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # all of it: other tests leave statistics of shops that are gone


def statements(client: APIClient, query: str, *, size: int = 50) -> list[str]:
    """The statements on facts of one page."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(f"{ADDRESS}?page_size={size}&{query}")
    assert response.status_code == 200, response.json()
    assert response.json()["data"]
    return [str(query["sql"]) for query in captured if "datasync_orderline" in str(query["sql"])]


def last_cursor(ordering: str, filters: str) -> str:
    """The cursor of the page that holds the last 50 rows; the scopes of shops lie in any order."""
    keyset = Keyset.of(OrderLine, ORDERINGS[ordering])
    of_shop = OrderLine.objects.filter(shop__shop_id="shop1") if filters else OrderLine.objects.all()
    ordered = [row for segment in keyset.segments(of_shop, None) for row in segment]
    return keyset.cursor(ordered[-51])


def visits_few_rows(sql: str) -> None:
    """PostgreSQL is counted; of SQLite the plan must not walk or sort the table."""
    if connection.vendor == "postgresql":
        assert rows_visited(sql, "datasync_orderline") <= 51 * 5, sql
    else:
        plan = sqlite_plan(sql)
        assert not re.search(r"SCAN datasync_orderline$", plan, re.MULTILINE), plan
        assert "TEMP B-TREE FOR ORDER BY" not in plan, plan


def test_the_last_page_visits_as_few_rows_as_the_first(many: None, owner: User) -> None:
    """A shop by period is left to the planner: a small one is sorted, a large one read along the index."""
    client = client_of(owner)
    for ordering, filters in (("key", ""), ("key", SHOP), ("key", SCOPE), ("-period_start", "")):
        for query in (filters, f"{filters}&cursor={last_cursor(ordering, filters)}"):
            for sql in statements(client, f"ordering={ordering}&{query}"):
                assert "COUNT(" not in sql
                visits_few_rows(sql)
    for query in (f"ordering=key&{SHOP}", f"ordering=-period_start&{SCOPE}", "ordering=period_start"):
        assert len(statements(client, query, size=10)) == len(statements(client, f"{query}&raw=true", size=200))
    (sql,) = statements(client, "order_id=1-77")
    if connection.vendor == "postgresql":
        assert rows_visited(sql, "datasync_orderline") == 1
    else:
        assert "orderline_order" in sqlite_plan(sql)
