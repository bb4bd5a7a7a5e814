"""What counting costs, and how others look at it or count things of their own."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from ratelimits.limits.services import get_usage, parsed_rate, standings_of
from ratelimits.windows.shared import SharedWindow
from tests.api import client_of, owner
from tests.rates import ME, TASKS, allow, limiter, remaining

__all__ = ["limiter", "owner"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User, limiter: SharedWindow) -> APIClient:
    return client_of(owner)


def test_with_a_token_it_costs_no_query_of_its_own(client: APIClient, settings: Any) -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(TASKS).status_code == 200
        return [query["sql"] for query in queries]

    asked()
    allow(50, endpoint="me")
    limited = asked()
    settings.RATE_LIMITS_ENABLED = False
    assert len(limited) == len(asked())
    assert sum("erp_apitoken" in sql for sql in limited) == 1
    assert sum("ratelimits_raterule" in sql for sql in limited) == 1


def test_with_a_session_it_costs_one_query(limiter: SharedWindow, owner: User, settings: Any) -> None:
    browser = Client()
    browser.force_login(owner)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(ME).status_code == 200
        return len(queries)

    asked()
    limited = asked()
    settings.RATE_LIMITS_ENABLED = False
    assert limited == asked() + 1


def test_whoever_asks_can_look_without_being_counted(client: APIClient, owner: User) -> None:
    client.get(ME)
    request = client.get(ME).wsgi_request
    for _ in range(2):
        told = {
            one.scope: (one.tier, one.tightest.taken.limit, one.tightest.taken.remaining)
            for one in standings_of(request)
        }
        assert told == {"default": ("normal", 60, 58), "data_sync": ("normal", 30, 30), "auth": ("normal", 5, 5)}


def test_other_rooms_count_with_the_interface_of_django_ratelimit(client: APIClient, owner: User) -> None:
    request = client.get(ME).wsgi_request
    used = [get_usage(request, group="mail", key="user_or_ip", rate="2/h", increment=True) for _ in range(3)]
    assert [one["should_limit"] for one in used] == [False, False, True]
    assert [one["count"] for one in used] == [1, 2, 2]
    assert all(one["limit"] == 2 and 3590 < one["time_left"] <= 3600 for one in used)
    assert get_usage(request, group="mail", key="user_or_ip", rate="3/h")["count"] == 2
    assert get_usage(request, group="mail", key="user_or_ip", rate="9/d")["count"] == 0
    assert get_usage(request, group="mail", key="ip", rate="2/h")["count"] == 0
    assert get_usage(request, group="mail", key=lambda group, _request: f"{group}:7", rate="2/h")["count"] == 0
    with pytest.raises(ValueError, match="no key"):
        get_usage(request, group="mail", key="header:x", rate="2/h")


def test_a_group_named_like_a_scope_counts_apart_from_it(client: APIClient) -> None:
    request = client.get(ME).wsgi_request
    assert [
        get_usage(request, group="default", key="user_or_ip", rate="5/h", increment=True)["count"] for _ in range(2)
    ] == [1, 2]
    assert remaining(client.get(ME)) == 58
    assert get_usage(request, group="default", key="user_or_ip", rate="5/h")["count"] == 2


@pytest.mark.parametrize(("rate", "told"), [("60/m", (60, 60)), ("5/s", (5, 1)), ("100/2h", (100, 7200))])
def test_rates(rate: str, told: tuple[int, int]) -> None:
    assert parsed_rate(rate) == told


@pytest.mark.parametrize("rate", ["", "60", "0/m", "-1/m", "60/x", "6٠/m", "60/0m", "60/m\n"])
def test_what_is_no_rate(rate: str) -> None:
    with pytest.raises(ValueError, match="no rate"):
        parsed_rate(rate)
