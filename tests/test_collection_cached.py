"""Lists and figures that are kept: no query while nothing changes, and the change at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.choices import AccountState, FileState
from datasync.models import CatalogFile, CollectionAccount, ComponentVersion, ShopLimit
from tests.api import client_of, data_of, owner, person
from tests.cache_support import shared_cache
from tests.collection_support import account, platform, shop, version
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
