"""Accounts, their figures, and component versions over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from datasync.models import CollectionAccount, ShopLimit
from tests.api import client_of, data_of, error_of, owner
from tests.collection_support import CHECKSUM, account, accounts, platform, shop, version

__all__ = ["accounts", "owner"]
pytestmark = pytest.mark.django_db
ACCOUNTS, STATS, VERSIONS = "/api/collection/accounts", "/api/accounts/stats", "/api/component-versions"
HOSTILE = ("\x00", "a\x00b", "x" * 1000)


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def versions(db: None) -> None:
    shopee = platform()
    version("1.0", platform=shopee, state="withdrawn", checksum=CHECKSUM, released_at=timezone.now())
    version("1.1", platform=shopee, state="released", checksum=CHECKSUM, released_at=timezone.now())
    version("2.0", component="uploader", state="draft")


def test_accounts(client: APIClient, accounts: dict[str, CollectionAccount]) -> None:
    listed = data_of(client.get(ACCOUNTS))
    assert [one["account"] for one in listed] == ["main", "second", "locked", "new", "loose"]
    locked = listed[2]
    assert locked.pop("last_collected_at").endswith("Z")
    assert locked == {
        "id": accounts["locked"].pk,
        "platform": "shopee",
        "account": "locked",
        "state": "blocked",
        "shops": [{"shop_id": "sg-1", "name": "Shop sg-1", "region": ""}],
        "note": "captcha",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"platform": "tiktok"}, ["new", "loose"]),
        ({"state": "blocked"}, ["locked"]),
        ({"shop": "sg-2"}, ["main", "second"]),
        ({"search": "LO"}, ["locked", "loose"]),
        ({"ordering": "-account"}, ["second", "new", "main", "loose", "locked"]),
        ({"ordering": "-last_collected_at"}, ["main", "second", "locked", "loose", "new"]),
        ({"ordering": "last_collected_at"}, ["locked", "second", "main", "new", "loose"]),
        ({"platform": "nowhere"}, []),
    ],
)
def test_accounts_by_filter(
    client: APIClient, accounts: dict[str, CollectionAccount], query: dict[str, str], found: list[str]
) -> None:
    assert [one["account"] for one in data_of(client.get(ACCOUNTS, query))] == found


def test_accounts_in_pages(client: APIClient, accounts: dict[str, CollectionAccount]) -> None:
    body = client.get(ACCOUNTS, {"page": 2, "page_size": 2}).json()
    assert [one["account"] for one in body["data"]] == ["locked", "new"]
    assert body["pagination"] == {
        "page": 2, "page_size": 2, "total": 5, "total_pages": 3, "has_previous": True, "has_next": True,
    }  # fmt: skip
    assert data_of(client.get(ACCOUNTS, {"page": 9})) == []


def test_figures(client: APIClient, accounts: dict[str, CollectionAccount]) -> None:
    told = data_of(client.get(STATS))
    assert told["by_state"] == {"active": 3, "paused": 1, "blocked": 1}
    counts = ("accounts", "never_collected", "stale", "without_shops", "stale_hours")
    assert [told[name] for name in counts] == [5, 1, 1, 1, 24]
    shopee, tiktok = told["platforms"]
    assert (shopee["platform"], shopee["accounts"], shopee["stale"]) == ("shopee", 3, 1)
    assert (tiktok["platform"], tiktok["by_state"]["paused"], tiktok["last_collected_at"]) == ("tiktok", 1, None)
    assert told["last_collected_at"] == shopee["last_collected_at"]
    assert data_of(client.get(STATS, {"stale_hours": 72}))["stale"] == 0
    assert data_of(client.get(STATS, {"platform": "tiktok"}))["accounts"] == 2


def test_figures_of_nothing(client: APIClient) -> None:
    told = data_of(client.get(STATS))
    assert (told["accounts"], told["platforms"], told["last_collected_at"]) == (0, [], None)


def test_versions(client: APIClient, versions: None) -> None:
    listed = data_of(client.get(VERSIONS))
    assert [(one["component"], one["version"]) for one in listed] == [
        ("shopee-collector", "1.0"), ("shopee-collector", "1.1"), ("uploader", "2.0"),
    ]  # fmt: skip
    assert set(listed[1]) == {
        "id", "component", "version", "platform", "state", "checksum", "released_at", "note",
    }  # fmt: skip
    assert (listed[2]["platform"], listed[2]["checksum"], listed[2]["released_at"]) == (None, "", None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"component": "uploader"}, ["2.0"]),
        ({"state": "released"}, ["1.1"]),
        ({"platform": "shopee"}, ["1.0", "1.1", "2.0"]),
        ({"platform": "tiktok"}, ["2.0"]),
        ({"search": "1."}, ["1.0", "1.1"]),
        ({"ordering": "-released_at"}, ["1.1", "1.0", "2.0"]),
        ({"page_size": 1, "page": 3}, ["2.0"]),
    ],
)
def test_versions_by_filter(client: APIClient, versions: None, query: dict[str, Any], found: list[str]) -> None:
    assert [one["version"] for one in data_of(client.get(VERSIONS, query))] == found


@pytest.mark.parametrize(
    ("address", "query", "field"),
    [
        (ACCOUNTS, {"state": "released"}, "state"),
        (ACCOUNTS, {"ordering": "password"}, "ordering"),
        (ACCOUNTS, {"shops__name": "x"}, "shops__name"),
        (ACCOUNTS, {"page": str(2**63)}, "page"),
        (STATS, {"stale_hours": "0"}, "stale_hours"),
        (STATS, {"stale_hours": str(2**63)}, "stale_hours"),
        (STATS, {"stale_hours": "1.5"}, "stale_hours"),
        (STATS, {"page": 1}, "page"),
        (VERSIONS, {"state": "active"}, "state"),
        (VERSIONS, {"ordering": "-checksum"}, "ordering"),
        *((address, {"platform": bad}, "platform") for address in (ACCOUNTS, STATS, VERSIONS) for bad in HOSTILE),
        (ACCOUNTS, {"search": HOSTILE[1]}, "search"),
        (VERSIONS, {"search": HOSTILE[2]}, "search"),
    ],
)  # fmt: skip
def test_wrong_filters_are_named(client: APIClient, address: str, query: dict[str, str], field: str) -> None:
    error = error_of(client.get(address, query), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [field])


def test_whoever_is_limited_sees_the_accounts_of_their_shops_alone(
    owner: User, accounts: dict[str, CollectionAccount]
) -> None:
    limit = ShopLimit.objects.create(user=owner)
    assert data_of(client_of(owner).get(ACCOUNTS)) == []
    limit.shops.set([shop("sg-1")])
    client = client_of(User.objects.get(pk=owner.pk))
    assert [one["account"] for one in data_of(client.get(ACCOUNTS))] == ["locked"]  # “main” reaches another too
    assert data_of(client.get(STATS))["by_state"] == {"active": 0, "paused": 0, "blocked": 1}


def test_queries_stay_flat(client: APIClient, accounts: dict[str, CollectionAccount], versions: None) -> None:
    def queries() -> list[int]:
        counts = []
        for address in (ACCOUNTS, STATS, VERSIONS):
            with CaptureQueriesContext(connection) as captured:
                data_of(client.get(address, {} if address == STATS else {"page_size": 200}))
            counts.append(len(captured))
        return counts

    queries()  # the first use of a token is written down
    before = queries()
    for number in range(20):
        account(f"more{number}", shop(f"sg-{number}"))
        version(f"3.{number}")
    assert queries() == before


@pytest.mark.parametrize("address", [ACCOUNTS, STATS, VERSIONS])
def test_nobody_unknown_sees_them(address: str) -> None:
    assert error_of(APIClient().get(address), 401)["code"] == "NOT_AUTHENTICATED"
