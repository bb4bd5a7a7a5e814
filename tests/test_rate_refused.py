"""A refused request: what it is told, that it reaches nobody, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from erp.models import ApiToken
from ratelimits.limits.middleware import RateLimitMiddleware
from ratelimits.signals import refused
from ratelimits.windows.shared import SharedWindow
from tests.api import client_of, error_of, owner, staff, stranger
from tests.rates import LOGIN, ME, SINGLE, TASKS, allow, limiter

__all__ = ["limiter", "owner", "staff", "stranger"]
ADMIN_LOGIN = "/admin/login/"


@pytest.fixture
def client(owner: User, limiter: SharedWindow) -> APIClient:
    return client_of(owner)


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What the signal said."""
    said: list[dict[str, Any]] = []

    def hear(**told: Any) -> None:
        said.append(told)

    refused.connect(hear)
    yield said
    refused.disconnect(hear)


def test_the_envelope_says_who_where_and_how_long(client: APIClient, owner: User) -> None:
    allow(1)
    client.get(ME)
    error = error_of(client.get(ME), 429)
    assert (error["code"], error["type"]) == ("RATE_LIMITED", "throttled")
    assert error["detail"] == "Too many requests: the limit is 1 a minute."
    wait = error["params"].pop("retry_after")
    assert 0 < wait <= 60
    assert error["params"] == {"scope": "default", "tier": "normal", "limit": 1, "key": f"user:{owner.pk}"}


def test_people_do_not_take_each_others(client: APIClient, stranger: User) -> None:
    allow(1)
    client.get(ME)
    assert client.get(ME).status_code == 429
    assert client_of(stranger).get(ME).status_code == 200


def test_scopes_do_not_take_from_each_other(client: APIClient) -> None:
    allow(1)
    allow(1, scope="data_sync")
    assert client.get(TASKS).status_code == 200
    assert client.post(SINGLE, {}).status_code == 400
    assert client.get(TASKS).status_code == client.post(SINGLE, {}).status_code == 429
    assert client.post(LOGIN, {"username": "owner", "password": "correct horse"}).status_code == 200


def test_a_refused_request_does_nothing(client: APIClient, owner: User) -> None:
    allow(1, scope="auth")
    body = {"username": "owner", "password": "correct horse"}
    assert client.post(LOGIN, body).status_code == 200
    issued = ApiToken.objects.count()
    assert error_of(client.post(LOGIN, body), 429)["params"]["scope"] == "auth"
    assert ApiToken.objects.count() == issued


def test_either_slash_and_every_method_count_alike(client: APIClient) -> None:
    allow(3)
    statuses = [client.get(ME), client.get(f"{ME}/"), client.head(ME), client.options(ME)]
    assert [one.status_code for one in statuses][:3] == [200, 200, 200]
    assert statuses[3].status_code == 429


def test_a_slash_is_no_way_around_the_limit_of_sign_in(limiter: SharedWindow) -> None:
    allow(1, tier="anonymous", scope="auth")
    body = {"username": "li.na", "password": "wrong"}
    assert APIClient().post(f"{LOGIN}/", body).status_code == 401
    assert error_of(APIClient().post(LOGIN, body), 429)["params"]["scope"] == "auth"


def test_the_admin_says_it_on_a_page(limiter: SharedWindow, staff: User) -> None:
    allow(1, tier="anonymous", scope="auth")
    body = {"username": "staff", "password": "wrong"}
    assert Client().post(ADMIN_LOGIN, body).status_code == 200
    response = Client().post(ADMIN_LOGIN, body | {"password": "correct horse"})
    assert response.status_code == 429
    assert response["Content-Type"].startswith("text/html")
    assert 0 < int(response["Retry-After"]) <= 60
    page = response.content.decode()
    assert "Too many requests: the limit is 1 a minute." in page
    assert f"Try again in {response['Retry-After']} seconds." in page
    assert Client().get(ADMIN_LOGIN).status_code == 200
    assert Client().post(LOGIN, body).status_code == 429  # both doors count together


def test_others_hear_of_it(client: APIClient, owner: User, heard: list[dict[str, Any]]) -> None:
    allow(1)
    client.get(ME)
    assert heard == []
    client.get(f"{ME}?token=secret")
    (told,) = heard
    assert told.pop("sender") is RateLimitMiddleware
    assert told.pop("request").get_full_path() == f"{ME}?token=secret"
    assert told == {
        "signal": refused, "key": f"user:{owner.pk}", "scope": "default", "tier": "normal", "path": ME, "limit": 1,
    }  # fmt: skip


def test_who_hears_and_fails_costs_nobody_the_answer(client: APIClient) -> None:
    def fail(**_told: Any) -> None:
        raise RuntimeError

    allow(1)
    refused.connect(fail)
    try:
        client.get(ME)
        assert client.get(ME).status_code == 429
    finally:
        refused.disconnect(fail)


def test_refusals_are_counted(client: APIClient) -> None:
    def counted() -> float:
        labels = {"scope": "default", "tier": "normal"}
        return REGISTRY.get_sample_value("erp_rate_limit_refused_total", labels) or 0.0

    allow(1)
    before = counted()
    for _ in range(3):
        client.get(ME)
    assert counted() == before + 2
