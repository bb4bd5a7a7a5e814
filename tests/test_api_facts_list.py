"""Facts in pages: chosen by filters, in an order that has an end, with the columns asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.models import FinanceEntry, OrderLine, ProductMetric, ServiceMetric
from tests.api import client_of, data_of, error_of, owner
from tests.facts_support import file_of, make, make_shop, store, unsaved

__all__ = ["owner"]
ORDERS = "/api/data-sync/facts/orders"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def found(client: APIClient, query: str = "", *, domain: str = "orders") -> set[str]:
    rows = data_of(client.get(f"/api/data-sync/facts/{domain}?fields=order_id&{query}"))
    return {row["order_id"] for row in rows}


def walked(client: APIClient, query: str) -> list[dict[str, Any]]:
    """All rows, page by page."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        response = client.get(f"{ORDERS}?{query}&cursor={cursor}" if cursor else f"{ORDERS}?{query}")
        rows += data_of(response)
        pagination = response.json()["pagination"]
        assert set(pagination) == {"page_size", "next_cursor", "has_next"}
        if not pagination["has_next"]:
            assert pagination["next_cursor"] is None
            return rows
        cursor = pagination["next_cursor"]


def test_a_row_is_typed_exactly(client: APIClient) -> None:
    shop = make_shop("sg-9")
    moment = datetime(2026, 3, 6, 5, 16, 50, tzinfo=UTC)
    fact = make(OrderLine, file_of(shop), order_id="=A1", quantity=2, unit_price="9.9", sales_margin="0.125",
                ordered_at=moment)  # fmt: skip
    row = data_of(client.get(ORDERS))[0]
    assert row["record_key"] == str(fact.pk)
    assert (row["platform"], row["shop"], row["shop_name"]) == ("shopee", "sg-9", "Shop sg-9")
    assert (row["order_id"], row["quantity"], row["unit_price"], row["sales_margin"]) == (
        "=A1",
        2,
        "9.9000",
        "0.125000",
    )
    assert (row["ordered_at"], row["period_start"], row["paid_at"]) == ("2026-03-06T05:16:50Z", "2026-03-05", None)
    assert (row["file_last_id"], row["sheet_row"]) == (fact.file_last_id, fact.sheet_row)
    assert not {"content_hash", "context", "raw", "header_set_id"} & set(row)


def test_the_original_row_comes_by_header_when_asked_for(client: APIClient) -> None:
    make(OrderLine, raw='["A1", "12.50", "<b>", "=1"]')
    row = data_of(client.get(f"{ORDERS}?raw=true&fields=sku"))[0]
    assert row == {"sku": None, "raw": {"Order ID": "A1", "Amount": "12.50", "column 3": "<b>", "Amount (2)": "=1"}}


def test_chosen_fields_come_in_their_order(client: APIClient) -> None:
    make(OrderLine, order_id="A")
    assert list(data_of(client.get(f"{ORDERS}?fields=sku,order_id,shop"))[0]) == ["sku", "order_id", "shop"]


def test_filters(client: APIClient) -> None:
    here, there = make_shop("1"), make_shop("1", platform="tiktok")
    first, second = file_of(here), file_of(there)
    make(OrderLine, first, order_id="A", sku="S1", product_id="P1", period_start=date(2026, 3, 1))
    make(OrderLine, first, order_id="B", sku="S2", granularity="monthly", collected_at=datetime(2026, 4, 1, tzinfo=UTC))
    make(OrderLine, second, order_id="C", updated_at=datetime(2026, 5, 1, tzinfo=UTC), period_start=None)
    make(OrderLine, file_of(make_shop("2")), order_id="D", period_start=date(2026, 3, 9))
    assert found(client) == {"A", "B", "C", "D"}
    assert found(client, "platform=tiktok") == {"C"}
    assert found(client, "shop=1") == {"A", "B", "C"}
    assert found(client, "shop=1&platform=shopee") == {"A", "B"}
    assert found(client, "shop=1&platform=shopee&granularity=monthly") == {"B"}
    assert found(client, "shop=unknown") == set()
    assert found(client, "granularity=monthly") == {"B"}
    assert found(client, "period_from=2026-03-02") == {"B", "D"}
    assert found(client, "period_to=2026-03-05") == {"A", "B"}
    assert found(client, "collected_since=2026-04-01T00:00:00Z") == {"B"}
    assert found(client, "updated_since=2026-05-01T00:00:00Z") == {"C"}
    assert found(client, f"file_id={first.pk}") == {"A", "B"}
    assert found(client, "order_id=A") == {"A"}
    assert found(client, "order_id=A&shop=2") == set()
    assert found(client, "sku=S2") == {"B"}
    assert found(client, "product_id=P1") == {"A"}


def test_filters_of_other_domains(client: APIClient) -> None:
    make(FinanceEntry, order_id="A")
    make(FinanceEntry, order_id="B")
    assert found(client, "order_id=B", domain="finance") == {"B"}
    make(ProductMetric, sku="S", product_id="P")
    assert len(data_of(client.get("/api/data-sync/facts/products?sku=S&product_id=P"))) == 1
    shop = make_shop("sg-9")
    make(ServiceMetric, file_of(shop), sub_domain="agent", agent_id="x")
    make(ServiceMetric, file_of(shop), sub_domain="ai_assistant")
    rows = data_of(client.get("/api/data-sync/facts/services?shop=sg-9&sub_domain=agent"))
    assert [row["agent_id"] for row in rows] == ["x"]
    assert len(data_of(client.get("/api/data-sync/facts/services?shop=sg-9"))) == 2


@pytest.mark.parametrize("query", ["page_size=3", "page_size=3&shop=1", "page_size=7&ordering=key&platform=shopee"])
def test_cursor_pages_give_every_row_once_in_the_order_of_keys(client: APIClient, query: str) -> None:
    shop = make_shop("1")
    daily, monthly = file_of(shop), file_of(shop)
    store(unsaved(OrderLine, daily) for _ in range(8))
    store(unsaved(OrderLine, monthly, granularity="monthly") for _ in range(6))
    keys = [row["record_key"] for row in walked(client, query)]
    assert keys == sorted(str(key) for key in OrderLine.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 200])
def test_ordering_by_period_has_rows_without_one_last_and_turns_round(client: APIClient, size: int) -> None:
    file = file_of()
    days = [date(2026, 3, 1), date(2026, 3, 1), None, date(2026, 2, 1), None, date(2026, 3, 1)]
    store(unsaved(OrderLine, file, period_start=day) for day in days)
    query = f"page_size={size}&fields=record_key,period_start&ordering="
    up = walked(client, f"{query}period_start")
    assert [row["period_start"] for row in up] == ["2026-02-01", *["2026-03-01"] * 3, None, None]
    assert walked(client, f"{query}-period_start") == up[::-1]
    numbered = data_of(client.get(f"{ORDERS}?fields=record_key,period_start&ordering=period_start&page=1"))
    assert numbered == up


def test_numbered_pages(client: APIClient) -> None:
    store(unsaved(OrderLine, file_of()) for _ in range(5))
    response = client.get(f"{ORDERS}?page=2&page_size=2")
    assert len(data_of(response)) == 2
    assert response.json()["pagination"] == {
        "page": 2, "page_size": 2, "total": 5, "total_pages": 3, "has_previous": True, "has_next": True,
    }  # fmt: skip
    assert data_of(client.get(f"{ORDERS}?page=50&page_size=200")) == []


def test_numbered_pages_end_where_the_cursor_has_to_take_over(client: APIClient) -> None:
    for query in ("page=51&page_size=200", "page=201"):
        error = error_of(client.get(f"{ORDERS}?{query}"), 400)
        assert "cursor" in error["fields"]["page"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("order_id__gt=1", "order_id__gt"),
        ("nonsense=1", "nonsense"),
        ("ordering=sku", "ordering"),
        ("ordering=record_key", "ordering"),
        ("fields=sku,password", "fields"),
        ("fields=", "fields"),
        ("fields=header_set__digest", "fields"),
        ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=1&page=1", "page"),
        ("page=0", "page"),
        ("page_size=0", "page_size"),
        ("file_id=0", "file_id"),
        ("file_id=99999999999999999999", "file_id"),
        ("file_id=x", "file_id"),
        ("period_from=yesterday", "period_from"),
        ("period_from=2026-03-02&period_to=2026-03-01", "period_to"),
        ("collected_since=2026-13-01", "collected_since"),
        ("granularity=yearly", "granularity"),
        ("sub_domain=x", "sub_domain"),
        ("order_id=%00", "order_id"),
        ("order_id=A&order_id=B", "order_id"),
        ("raw=1", "raw"),
        ("format=xml", "format"),
        ("bom=true", "bom"),
        ("format=csv&page=1", "page"),
        ("format=csv&cursor=x", "cursor"),
        ("format=csv&page_size=5", "page_size"),
    ],
)
def test_what_is_wrong_is_named(client: APIClient, query: str, field: str) -> None:
    error = error_of(client.get(f"{ORDERS}?{query}"), 400)
    assert error["code"] == "VALIDATION_ERROR"
    assert list(error["fields"]) == [field]


def test_a_domain_refuses_filters_that_it_does_not_have(client: APIClient) -> None:
    error = error_of(client.get("/api/data-sync/facts/analytics?sku=x&order_id=y"), 400)
    assert set(error["fields"]) == {"sku", "order_id"}


def test_a_cursor_of_another_ordering_or_made_up_is_refused(client: APIClient) -> None:
    store(unsaved(OrderLine, file_of()) for _ in range(3))
    cursor = client.get(f"{ORDERS}?page_size=1").json()["pagination"]["next_cursor"]
    error_of(client.get(f"{ORDERS}?ordering=period_start&cursor={cursor}"), 400)
    assert len(data_of(client.get(f"{ORDERS}?cursor={cursor}"))) == 2


def test_unknown_domain(client: APIClient) -> None:
    for domain in ("nonsense", "traffic"):
        assert error_of(client.get(f"/api/data-sync/facts/{domain}"), 404)["code"] == "DOMAIN_NOT_FOUND"


def test_signed_out_and_not_acceptable(client: APIClient, db: None) -> None:
    assert error_of(APIClient().get(ORDERS), 401)["code"] == "NOT_AUTHENTICATED"
    assert client.get(ORDERS, headers={"Accept": "image/png"}).status_code == 406
