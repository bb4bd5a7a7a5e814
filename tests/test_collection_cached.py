"""Lists and figures that are kept: no query while nothing changes, and the change at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection
from rest_framework.test import APIClient

from datasync.choices import AccountState, FileState
from datasync.models import CatalogFile, CollectionAccount, ComponentVersion, ShopLimit
from erp.caching.cached import SHAPE
from tests.api import client_of, data_of, owner, person
from tests.cache_support import shared_cache
from tests.collection_support import account, platform, shop, version
from tests.document import document, operations
from tests.quarantine_rows import make_file

__all__ = ["owner", "shared_cache"]
pytestmark = pytest.mark.django_db(transaction=True)


def rename_the_shop() -> None:
    one = shop("sg-2")
    one.name = "Renamed"
    one.save()


KEPT: dict[str, tuple[str, Callable[[], object]]] = {
    "accounts": (
        "/api/collection/accounts",
        lambda: CollectionAccount.objects.update(state=AccountState.BLOCKED),
    ),
    "the name of a shop": ("/api/collection/accounts", rename_the_shop),
    "figures of accounts": ("/api/accounts/stats", lambda: CollectionAccount.objects.get().delete()),
    "versions": ("/api/component-versions", lambda: ComponentVersion.objects.create(component="x", version="9")),
    "platforms": ("/api/data-sync/platforms", lambda: CatalogFile.objects.update(state=FileState.FAILED)),
    "governance": ("/api/data-sync/governance/stats", lambda: CatalogFile.objects.update(state=FileState.FAILED)),
}


@pytest.fixture
def client(shared_cache: str, owner: User) -> APIClient:
    """Somebody's second request: the first use of their token is written down."""
    platform()
    account("main", shop("sg-2"))
    version("1.0")
    make_file()
    client = client_of(owner)
    data_of(client.get("/api/auth/me"))
    return client


@pytest.mark.parametrize("what", KEPT)
def test_kept_until_it_changes(what: str, client: APIClient) -> None:
    address, change = KEPT[what]
    first = data_of(client.get(address))
    with CaptureQueriesContext(connection) as captured:
        assert data_of(client.get(address)) == first
    asked = [query["sql"] for query in captured if "datasync_" in query["sql"] and "shoplimit" not in query["sql"]]
    assert asked == []
    change()
    assert data_of(client.get(address)) != first


ACCOUNTS, STATS, VERSIONS = "collection/accounts", "accounts/stats", "component-versions"
ASKED = [
    (ACCOUNTS, {"page": "2"}),
    (ACCOUNTS, {"page_size": "7"}),
    (ACCOUNTS, {"platform": "shopee"}),
    (ACCOUNTS, {"shop": "sg-2"}),
    (ACCOUNTS, {"search": "main"}),
    (STATS, {"platform": "shopee"}),
    (STATS, {"stale_hours": "25"}),
    (VERSIONS, {"page": "1000000"}),
    (VERSIONS, {"platform": "shopee"}),
    (VERSIONS, {"component": "collector"}),
]


@pytest.mark.parametrize(("address", "query"), ASKED)
def test_nobody_fills_the_cache_by_asking(address: str, query: dict[str, str], client: APIClient) -> None:
    assert kept_by(client, address, query) == set()


@pytest.mark.parametrize(
    ("address", "query"),
    [(ACCOUNTS, {"state": "active", "ordering": "-account"}), (ACCOUNTS, {"page": "1", "page_size": "50"}), (STATS, {}),
     (VERSIONS, {"state": "released"}), (VERSIONS, {"ordering": "-released_at"})],
)  # fmt: skip
def test_the_first_page_is_kept_in_each_state_and_ordering(
    address: str, query: dict[str, str], client: APIClient
) -> None:
    assert len(kept_by(client, address, query)) == 1


def kept_by(client: APIClient, address: str, query: dict[str, str]) -> set[bytes]:
    """What is kept once this was asked for, beyond tags and numbers."""
    redis = get_redis_connection("default")
    kinds = ("collection_accounts", "account_stats", "component_versions")
    for kind in kinds:
        for key in redis.keys(f"erp:{kind}:*"):
            redis.delete(key)
    data_of(client.get(f"/api/{address}", query))
    return {key for kind in kinds for key in redis.keys(f"erp:{kind}:*")}


def shape_of(schema: dict[str, Any]) -> Any:
    """The names and types of what is answered, without its words."""
    for part in (schema, *schema.get("allOf", ())):
        if "$ref" in part:
            return shape_of(document()["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]])
    if "items" in schema:
        return [shape_of(schema["items"])]
    if "properties" in schema:
        return {name: shape_of(part) for name, part in sorted(schema["properties"].items())}
    return schema.get("type")


def test_an_answer_that_looks_otherwise_has_another_shape() -> None:
    kept = {f"GET {address}" for address, _change in KEPT.values()}
    answers = {
        call.name: shape_of(call.told["responses"]["200"]["content"]["application/json"]["schema"])
        for call in operations()
        if call.name in kept
    }
    assert set(answers) == kept
    found = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()[:12]
    assert (SHAPE, found) == (1, "5394d62bbcb8"), (
        "what is kept looks otherwise than before: raise SHAPE, and write both down here"
    )


def test_each_sight_has_its_own(client: APIClient) -> None:
    make_file("of another shop.csv", shop=shop("sg-9"))
    assert data_of(client.get("/api/data-sync/governance/stats"))["files"] == 2
    for name, seen in (("a", shop("sg-9")), ("b", None)):
        limited = person(name)
        ShopLimit.objects.create(user=limited).shops.set([seen] if seen else [])
        for _twice in range(2):
            other = client_of(limited)
            assert data_of(other.get("/api/data-sync/governance/stats"))["files"] == (1 if seen else 0)
            assert data_of(other.get("/api/collection/accounts")) == []
    assert len(data_of(client.get("/api/collection/accounts"))) == 1
