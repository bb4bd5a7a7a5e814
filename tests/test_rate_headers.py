"""Every answer of the API says what is left, whatever its status, and says it truly."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from ratelimits.windows.shared import SharedWindow
from tests.api import client_of, error_of, owner
from tests.quotas import make_task
from tests.rates import LOGIN, ME, SINGLE, TASKS, allow, limiter, remaining

__all__ = ["limiter", "owner"]
NAMES = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit"}


@pytest.fixture
def client(owner: User, limiter: SharedWindow) -> APIClient:
    return client_of(owner)


def check(response: Any, *, status: int, limit: int, scope: str = "default") -> None:
    """The headers are there, agree with each other, and promise nothing beyond the window."""
    assert response.status_code == status, response.content
    headers = response.headers
    assert set(headers) >= NAMES
    left = remaining(response)
    assert 0 <= left < limit
    assert int(headers["X-RateLimit-Limit"]) == limit
    assert 0 <= int(headers["X-RateLimit-Reset"]) - time.time() <= 61
    assert headers["RateLimit-Policy"] == f'"{scope}";q={limit};w=60'
    told = re.fullmatch(rf'"{scope}";r={left};t=(\d+)', headers["RateLimit"])
    assert told, headers["RateLimit"]
    assert 0 < int(told[1]) <= 60
    assert ("Retry-After" in headers) is (status == 429)


def test_on_success(client: APIClient) -> None:
    check(client.get(ME), status=200, limit=60)
    assert [remaining(client.get(ME)) for _ in range(3)] == [58, 57, 56]


def test_for_whoever_has_not_signed_in(client: APIClient) -> None:
    check(APIClient().get(ME), status=401, limit=30)
    check(APIClient().get(ME, HTTP_AUTHORIZATION="Bearer nothing-of-ours"), status=401, limit=30)


def test_where_there_is_nothing(client: APIClient) -> None:
    check(client.get("/api/nothing"), status=404, limit=60)
    check(client.get("/api/data-sync/files/9999"), status=404, limit=60)
    check(client.delete("/api/data-sync/nothing"), status=404, limit=30, scope="data_sync")


def test_on_a_method_or_a_body_that_is_refused(client: APIClient) -> None:
    check(client.put(ME), status=405, limit=60)
    check(client.post(SINGLE, {"file_id": "x"}), status=400, limit=30, scope="data_sync")
    check(client.post(SINGLE, "{", content_type="application/json"), status=400, limit=30, scope="data_sync")
    check(client.get(TASKS, HTTP_ACCEPT="application/x-yaml"), status=406, limit=60)


def test_on_a_failed_sign_in(client: APIClient) -> None:
    response = APIClient().post(LOGIN, {"username": "li.na", "password": "wrong"})
    check(response, status=401, limit=3, scope="auth")


@pytest.mark.parametrize(
    "where",
    ["datasync.runs.selectors.tasks_visible_to", "django.core.handlers.base.BaseHandler.resolve_request"],
    ids=["in a view", "before any view"],
)
def test_on_a_bug(client: APIClient, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(where, fail)
    check(client.get(TASKS), status=500, limit=60)


def test_on_a_stream(client: APIClient, owner: User) -> None:
    task = make_task(owner, state="completed")
    response = client.get(f"/api/data-sync/progress/{task.task_id}/stream", HTTP_ACCEPT="text/event-stream")
    try:
        assert response.streaming
        check(response, status=200, limit=60)
    finally:
        response.close()


def test_on_what_is_answered_before_anybody_is_known(
    client: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They tell of the built-in limits; such a request is not counted, and asks neither the store nor the database."""

    def fail() -> None:
        raise AssertionError

    allow(7, tier="anonymous")
    client.get(ME)
    monkeypatch.setattr("ratelimits.limits.services.shared_window", fail)
    settings.ALLOWED_HOSTS = ["testserver"]
    began = int(time.time())
    with CaptureQueriesContext(connection) as queries:
        response = client.get(ME, HTTP_HOST="evil.example")
    assert not queries.captured_queries
    assert (response.status_code, response["X-RateLimit-Limit"], remaining(response)) == (400, "30", 30)
    assert began <= int(response["X-RateLimit-Reset"]) <= time.time() + 1
    assert set(response.headers) >= NAMES
    settings.SECURE_SSL_REDIRECT = True
    moved = APIClient().get(ME)
    assert (moved.status_code, remaining(moved)) == (301, 30)
    assert "Retry-After" not in moved.headers


def test_on_a_refusal(client: APIClient) -> None:
    allow(1)
    client.get(ME)
    response = client.get(ME)
    check(response, status=429, limit=1)
    assert 59 <= int(response["Retry-After"]) <= 60
    assert error_of(response, 429)["params"]["retry_after"] <= int(response["Retry-After"])


def test_the_tightest_of_two_windows_is_told(client: APIClient) -> None:
    allow(2, endpoint="me")
    response = client.get(ME)
    assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("2", "1")
    assert response["RateLimit-Policy"] == '"default";q=60;w=60, "me";q=2;w=60'
    assert re.fullmatch(r'"default";r=59;t=\d+, "me";r=1;t=\d+', response["RateLimit"])
    assert client.get(TASKS)["RateLimit-Policy"] == '"default";q=60;w=60'


def test_a_session_and_a_token_of_one_person_count_together(client: APIClient, owner: User) -> None:
    browser = Client()
    browser.force_login(owner)
    assert [remaining(one.get(ME)) for one in (client, browser, client_of(owner))] == [59, 58, 57]


@pytest.mark.parametrize("path", ["/health/live", "/admin/login/", "/static/datasync/admin.css", "/nowhere"])
def test_other_pages_are_not_counted(client: APIClient, path: str) -> None:
    response = Client().get(path)
    response.close()
    assert not NAMES & set(response.headers)


def test_turned_off_nobody_is_counted(client: APIClient, settings: Any) -> None:
    allow(1)
    settings.RATE_LIMITS_ENABLED = False
    for _ in range(3):
        response = client.get(ME)
        assert response.status_code == 200
        assert not NAMES & set(response.headers)
