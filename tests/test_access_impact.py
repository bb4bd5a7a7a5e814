"""What hangs on a file of somebody limited: of rows and exports that are kept from them no more than how many rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from datasync.models import ConfirmedRows, OrderLine, Shop
from tests.access_support import API, Belongings, client, limited, mine, other, own
from tests.api import client_of, data_of, person
from tests.facts_support import COLLECTED, file_of, make

__all__ = ["client", "limited", "mine", "other", "own"]
pytestmark = pytest.mark.django_db


def impact(client: APIClient, at: Belongings) -> dict[str, Any]:
    told: dict[str, Any] = data_of(client.get(f"{API}/files/{at.file.pk}/delete-impact"))
    return told


def test_rows_of_other_shops_are_counted_together(client: APIClient, own: Belongings, other: Shop) -> None:
    for granularity, day in (("daily", 1), ("monthly", 2)):
        make(OrderLine, own.file, shop_id=other.pk, granularity=granularity, period_start=date(2026, 1, day))
    told = impact(client, own)
    assert told["rows"] == 3
    first, rest = told["by_scope"]
    assert (first["in_sight"], first["shop_id"], first["rows"]) == (True, "mine", 1)
    assert rest == {
        "in_sight": False, "domain": "", "platform": "", "shop_id": "", "shop_name": "", "granularity": "",
        "period_start": None, "period_end": None, "rows": 2, "rows_of_older_exports": 0,
    }  # fmt: skip
    free = impact(client_of(person("free")), own)["by_scope"]
    assert [(part["in_sight"], part["shop_id"]) for part in free] == [(True, "mine"), *[(True, "other")] * 2]


def test_an_export_that_is_kept_from_them_is_not_named(client: APIClient, own: Belongings, other: Shop) -> None:
    later = COLLECTED + timedelta(days=1)
    heir = file_of(other, state="ingested", collected_at=later)
    ConfirmedRows.objects.create(
        file=heir,
        platform_id="shopee",
        domain="orders",
        granularity="daily",
        collected_at=later,
        keys=own.fact.pk.bytes,
    )
    assert impact(client, own)["handed_over_to"] == [{"file_id": None, "file_name": "", "rows": 1}]
    free = impact(client_of(person("free")), own)["handed_over_to"]
    assert free == [{"file_id": heir.pk, "file_name": heir.original_name, "rows": 1}]
