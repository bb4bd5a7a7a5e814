"""All facts as CSV: exact, harmless in a spreadsheet, an error before the first byte or a broken one after it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.facts import export
from datasync.facts.export import Block, Export, csv_stream
from datasync.models import OrderLine
from datasync.spreadsheets import escape
from tests.api import client_of, error_of, owner
from tests.facts_support import file_of, make, make_shop, store, unsaved

__all__ = ["owner"]
pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = "/api/data-sync/facts/orders"
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "'=1", "''-1", "＝1", "－1", "'quoted'", " =1", "plain",
           'say "x", y', "a\nb", "\\.", "\\N", "%s", "{}", "é漢", ""]  # fmt: skip


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_column_exactly(client: APIClient) -> None:
    moment = datetime(2026, 3, 6, 5, 16, 50, 120000, tzinfo=UTC)
    fact = make(OrderLine, file_of(make_shop("sg-9")), order_id="007", quantity=2, unit_price="9.9",
                sales_margin="0.125", ordered_at=moment, period_end=None)  # fmt: skip
    (row,) = rows_of(client.get(f"{ORDERS}?format=csv"))
    assert row["record_key"] == str(fact.pk)
    assert (row["platform"], row["shop"], row["order_id"], row["quantity"]) == ("shopee", "sg-9", "007", "2")
    assert (row["unit_price"], row["sales_margin"]) == ("9.9000", "0.125000")
    assert (row["ordered_at"], row["collected_at"]) == ("2026-03-06 05:16:50.120000", "2026-03-06 05:16:50") or (
        connection.vendor == "postgresql"
        and (row["ordered_at"], row["collected_at"]) == ("2026-03-06 05:16:50.12", "2026-03-06 05:16:50")
    )
    assert (row["period_start"], row["period_end"], row["paid_at"]) == ("2026-03-05", "", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_the_same_rule_for_formulas_as_everywhere(client: APIClient, text: str) -> None:
    make(OrderLine, product_name=text)
    (row,) = rows_of(client.get(f"{ORDERS}?format=csv&fields=product_name,sku"))
    assert row == {"product_name": escape(text), "sku": ""}


def test_the_original_row_stands_in_a_column_of_its_own(client: APIClient) -> None:
    make(OrderLine, raw='["A1", "12\\"50", "漢", "=1"]')
    (row,) = rows_of(client.get(f"{ORDERS}?format=csv&raw=true&fields=sku"))
    expected = {"Order ID": "A1", "Amount": '12"50', "column 3": "漢", "Amount (2)": "=1"}
    assert list(json.loads(row["raw"]).items()) == list(expected.items())


def test_filters_ordering_and_an_empty_table(client: APIClient) -> None:
    assert rows_of(client.get(f"{ORDERS}?format=csv")) == []
    file = file_of(make_shop("1"))
    store(unsaved(OrderLine, file, period_start=date(2026, 3, day), order_id=str(day)) for day in (2, 3, 1))
    make(OrderLine, file, period_start=None, order_id="none")
    make(OrderLine, file_of(make_shop("2")), order_id="other")
    query = f"{ORDERS}?format=csv&fields=order_id&shop=1"
    assert {row["order_id"] for row in rows_of(client.get(query))} == {"1", "2", "3", "none"}
    in_order = [row["order_id"] for row in rows_of(client.get(f"{query}&ordering=-period_start"))]
    assert in_order == ["none", "3", "2", "1"]
    assert [row["order_id"] for row in rows_of(client.get(f"{query}&order_id=2&file_id={file.pk}"))] == ["2"]


def test_the_answer_is_a_download(client: APIClient) -> None:
    make(OrderLine)
    response = client.get(f"{ORDERS}?format=csv&fields=sku&bom=true")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith('attachment; filename="orders-')
    assert b"".join(response.streaming_content) == b'\xef\xbb\xbfsku\n""\n'  # type: ignore[attr-defined]


def test_a_query_that_fails_is_an_error_and_no_download(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    make(OrderLine)

    def fail(*_: Any, **__: Any) -> Any:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(export, "_blocks", fail)
    assert error_of(client.get(f"{ORDERS}?format=csv"), 503)["code"] == "SERVICE_UNAVAILABLE"


def test_a_break_in_the_middle_is_raised_to_the_server(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sees the iteration fail cuts the connection; one that sees it end would complete the answer."""
    make(OrderLine)

    def break_off(*_: Any, **__: Any) -> Iterator[Block]:
        yield Block(b"sku\n", 0)
        raise OperationalError("terminating connection due to administrator command")

    monkeypatch.setattr(export, "_blocks", break_off)
    response = client.get(f"{ORDERS}?format=csv")
    blocks = iter(response.streaming_content)  # type: ignore[attr-defined]
    assert (response.status_code, next(blocks)) == (200, b"sku\n")
    with pytest.raises(OperationalError):
        next(blocks)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite does not stream by COPY")
def test_a_client_that_leaves_frees_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    store(unsaved(OrderLine, file_of(), product_name="x" * 5000) for _ in range(2_000))
    stream = csv_stream(Export(domain="orders", sight=EVERYTHING))
    next(stream)
    assert copying() == 1
    stream.close()
    assert copying() == 0


def copying() -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%%'")
        return int(cursor.fetchone()[0])
