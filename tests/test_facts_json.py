"""Lines of JSON: what the database writes by itself is what the pages of the API say of the same rows."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from datasync.access import EVERYTHING
from datasync.facts.columns import columns_of, document
from datasync.facts.export import Export, json_stream
from datasync.facts.filters import Filters
from datasync.facts.selectors import with_columns
from datasync.models import OrderLine
from tests.facts_support import make

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = '"quoted", \\ back\\slash\r\n\ttab =1+1 %s {} \u2028 订单 \u0085'


def test_lines_are_the_documents_of_the_rows() -> None:
    make(
        OrderLine,
        order_id=HOSTILE,
        product_name="",
        unit_price=Decimal("0.0001"),
        order_amount=Decimal("-99999999999.9999"),
        cost_margin=Decimal("0.000001"),
        quantity=2**53 + 1,
        ordered_at=datetime(2026, 3, 5, 13, 16, 50, tzinfo=UTC),
        paid_at=datetime(2026, 3, 5, 13, 16, 50, 120, tzinfo=UTC),
        period_start=date(2026, 3, 1),
    )
    make(OrderLine, order_id="plain")
    for fields in ((), ("order_id",), ("unit_price", "paid_at", "shop", "record_key")):
        for raw in (False, True):
            export = Export(domain="orders", fields=fields, raw=raw, ordering="key", sight=EVERYTHING)
            rows = with_columns(export.rows, export.columns, raw=raw)
            wanted = [document(row, export.columns, raw=raw) for row in rows]
            stream = json_stream(export)
            lines = b"".join(stream).splitlines(keepends=True)
            assert [list(json.loads(line).items()) for line in lines] == [
                list(json.loads(json.dumps(one)).items()) for one in wanted
            ]
            assert stream.rows == len(lines) == 2
            assert all(line.endswith(b"}\n") for line in lines)


def test_nothing_is_no_line() -> None:
    assert list(json_stream(Export(domain="orders", filters=Filters(order_id="none"), sight=EVERYTHING))) == []
    assert set(columns_of("orders")) >= {"order_id", "unit_price"}
