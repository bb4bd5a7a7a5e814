"""The operators' lists of facts: filtered by what an index has, and each row with the files it comes from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from datasync.choices import QuarantineState
from datasync.models import ConfirmedRows, OrderLine
from tests.facts_support import COLLECTED, file_of, make, make_shop
from tests.quarantine_rows import make_row

pytestmark = pytest.mark.django_db
LIST = "admin:datasync_orderline_changelist"


def listed(client: Client, **query: object) -> set[str | None]:
    page = client.get(reverse(LIST), {name: str(value) for name, value in query.items()})
    assert page.status_code == 200
    return {row.order_id for row in page.context["cl"].result_list}


def test_filters_by_shop_and_period(admin_client: Client) -> None:
    here, there = make_shop("1"), make_shop("2")
    today = timezone.now().date()
    make(OrderLine, file_of(here), order_id="new", period_start=today)
    make(OrderLine, file_of(here), order_id="old", period_start=today - timedelta(days=400))
    make(OrderLine, file_of(there), order_id="none", period_start=None)
    assert listed(admin_client) == {"new", "old", "none"}
    assert listed(admin_client, shop=here.pk) == {"new", "old"}
    assert listed(admin_client, shop=here.pk, period=31) == {"new"}
    assert listed(admin_client, period="none") == {"none"}
    assert listed(admin_client, shop=999_999) == set()
    assert listed(admin_client, shop="x") == set()


def test_the_newest_period_comes_first(admin_client: Client) -> None:
    today = timezone.now().date()
    for days in (3, 1, 2):
        make(OrderLine, order_id=str(days), period_start=today - timedelta(days=days))
    rows = admin_client.get(reverse(LIST)).context["cl"].result_list
    assert [row.order_id for row in rows] == ["1", "2", "3"]


def test_nothing_reads_the_table_to_offer_choices(admin_client: Client) -> None:
    make(OrderLine)
    with CaptureQueriesContext(connection) as captured:
        admin_client.get(reverse(LIST))
    assert not [query for query in captured if "DISTINCT" in query["sql"] and "orderline" in query["sql"]]


def test_an_order_is_looked_for_in_its_index_first(admin_client: Client) -> None:
    make(OrderLine, order_id="A1")
    make(OrderLine, order_id="B", sku="S1")
    assert listed(admin_client, q="A1") == {"A1"}
    assert listed(admin_client, q="S1") == {"B"}
    with CaptureQueriesContext(connection) as captured:
        listed(admin_client, q="A1")
    assert not [query for query in captured if '"tracking_number" = ' in query["sql"]]


def test_a_row_shows_where_it_comes_from(admin_client: Client) -> None:
    shop = make_shop("1")
    first, last, newer = file_of(shop), file_of(shop), file_of(shop)
    fact = make(OrderLine, last, file_first=first, first_sheet_row=7)
    make_row(first, 7, "A", "x", "", state=QuarantineState.RELEASED, record_key=fact.pk, outcome="inserted")
    ConfirmedRows.objects.create(
        file=newer, platform=shop.platform, shop=shop, domain="orders", granularity="daily",
        collected_at=COLLECTED + timedelta(days=1), keys=fact.pk.bytes,
    )  # fmt: skip
    page = admin_client.get(reverse("admin:datasync_orderline_change", args=(fact.pk,))).content.decode()
    for file in (first, last, newer):
        assert file.original_name in page
    assert "released from quarantine" in page
    assert "repeated it unchanged" in page
