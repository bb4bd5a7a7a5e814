"""The cache over HTTP: staff look and clear, nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.models import ShopLimit
from erp.caching import store
from tests.api import client_of, data_of, error_of, owner, staff
from tests.cache_support import Counting, Keep, keep, own_redis, shared_cache
from tests.services import Server

__all__ = ["keep", "own_redis", "owner", "shared_cache", "staff"]
pytestmark = pytest.mark.django_db
STATUS, CLEAR = "/api/cache/status", "/api/cache/clear"


@pytest.fixture
def client(staff: User) -> APIClient:
    return client_of(staff)


def test_status(client: APIClient, shared_cache: str) -> None:
    told = data_of(client.get(STATUS))
    assert (told["backend"], told["available"], told["shared"]) == ("redis", True, True)
    kinds = {kind["kind"]: kind for kind in told["kinds"]}
    assert {"collection_accounts", "account_stats", "component_versions", "platforms", "governance_stats"} <= set(kinds)
    assert kinds["platforms"]["tags"] == ["files", "platforms"]
    assert {"accounts", "components", "everything", "files", "quarantine"} <= {tag["tag"] for tag in told["tags"]}


def test_clear(client: APIClient, shared_cache: str, keep: Keep) -> None:
    one, other = keep(Counting(), tags=("one",)), keep(Counting(), tags=("other",))
    one(), other()
    assert data_of(client.post(CLEAR, {"tag": "one"})) == {"tag": "one"}
    assert (one(), other()) == (2, 1)
    assert data_of(client.post(CLEAR, {})) == {"tag": "everything"}
    assert (one(), other()) == (3, 2)


@pytest.mark.parametrize("body", [{"tag": "nothing"}, {"tag": 5}, {"tag": "a\x00"}, {"tag": "x" * 61}, {"tags": "a"}])
def test_a_wrong_tag_is_named(client: APIClient, body: dict[str, object]) -> None:
    error = error_of(client.post(CLEAR, body), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", list(body))


@pytest.mark.services
def test_a_cache_that_is_away_cannot_be_cleared(client: APIClient, own_redis: Server) -> None:
    own_redis.process.kill()
    own_redis.process.wait()
    assert error_of(client.post(CLEAR, {}), 503)["code"] == "CACHE_UNAVAILABLE"
    store.breaker.close()


def test_staff_who_are_limited_to_shops_may_not(client: APIClient, staff: User) -> None:
    ShopLimit.objects.create(user=staff)
    for response in (client.get(STATUS), client.post(CLEAR, {})):
        assert error_of(response, 403)["code"] == "LIMITED_TO_SHOPS"


def test_nobody_else_may(owner: User) -> None:
    client = client_of(owner)
    assert error_of(client.get(STATUS), 403)["code"] == "PERMISSION_DENIED"
    assert error_of(client.post(CLEAR, {}), 403)["code"] == "PERMISSION_DENIED"
