"""Headers with anything in them: a request is answered as without them, or refused, and nothing of them comes back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from erp.sessions import SessionStore
from tests.api import client_of, error_of, owner
from tests.bad_requests import HOSTILE_TEXTS

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
ME = "/api/auth/me"
HARMLESS = (
    "Accept-Language", "X-Request-Id", "User-Agent", "Referer", "Origin", "If-None-Match", "If-Modified-Since", "Range",
    "Cookie", "X-CSRFToken", "X-Forwarded-For", "Last-Event-ID", "Idempotency-Key", "X-HTTP-Method-Override",
    "Content-Type", "Accept-Encoding", "Forwarded",
)  # fmt: skip
VALUES = (
    *(text.encode().decode("latin-1") for text in HOSTILE_TEXTS[1:]),
    "\xe9\xff",
    "q=NaN",
    "zh-hans;q=1e400",
    "*/*;q=",
    "sessionid=%00",
    "=;=;",
    "a" * 60_000,
)
KINDS = (
    "", "json", "application/json;", "application/json; charset=\x01", "text/plain", "*/*", "multipart/form-data",
    "application/x-www-form-urlencoded", "application/json" * 999,
)  # fmt: skip


@pytest.mark.parametrize("header", HARMLESS)
def test_headers_that_say_nothing_change_nothing(owner: User, header: str) -> None:
    client = client_of(owner)
    for value in VALUES:
        response = client.get(ME, headers={header: value})
        assert (response.status_code, response.json()["success"]) == (200, True), (header, value[:40])
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", response["X-Request-Id"])


def test_what_is_to_be_answered_in_has_to_be_ours(owner: User) -> None:
    client = client_of(owner)
    for value in VALUES:
        response = client.get(ME, headers={"Accept": value})
        assert response.status_code in {200, 406}, value[:40]
        assert response["Content-Type"].startswith("application/json")


def test_hosts_that_are_none_are_refused(owner: User) -> None:
    client = client_of(owner)
    for value in ("evil.example", "testserver@evil.example", "a b", "[::1", "x" * 5_000, "\xe9"):
        assert error_of(client.get(ME, HTTP_HOST=value), 400)["code"] == "MALFORMED_REQUEST", value[:40]


@pytest.mark.parametrize("cookie", ['sessionid="\\000abcdefgh"', 'sessionid="abcdefgh\\000"', "sessionid=' OR 1=1 --"])
@pytest.mark.parametrize("limited", [True, False])
def test_a_session_that_is_none_makes_nobody_of_whoever_sends_it(settings: Any, cookie: str, limited: bool) -> None:
    """A quoted cookie may hold any byte, also one that a database takes for no text."""
    settings.RATE_LIMITS_ENABLED = limited
    client = APIClient(raise_request_exception=False)
    response = client.get(ME, headers={"Cookie": cookie})
    assert error_of(response, 401)["code"] == "NOT_AUTHENTICATED"
    assert ("X-RateLimit-Limit" in response.headers) is limited
    page = client.get("/admin/login/", headers={"Cookie": cookie})
    assert page.status_code == 200


@pytest.mark.parametrize("key", ["\0abcdefgh", "abcdefgh\xe9", "abcd efgh"])
def test_nobody_is_asked_for_a_session_by_a_key_that_cannot_be_one(key: str) -> None:
    assert SessionStore(key).session_key is None


@pytest.mark.parametrize("value", ["x", "-1", "1e3", "", "0"])
def test_a_length_that_is_no_length(owner: User, value: str) -> None:
    response = client_of(owner).generic(
        "POST", "/api/data-sync/single", '{"file_id": 404}', "application/json", CONTENT_LENGTH=value
    )
    assert response.status_code in {400, 404, 413}
    assert error_of(response, response.status_code)


@pytest.mark.parametrize("kind", KINDS, ids=range(len(KINDS)))
def test_a_body_of_any_type_is_read_as_json_or_not_at_all(owner: User, kind: str) -> None:
    client = client_of(owner)
    response = client.generic("POST", "/api/data-sync/single", '{"file_id": 404}', kind)
    assert response.status_code in {400, 404, 415}, response.content
    assert APIClient().generic("POST", "/api/data-sync/single", "{}", kind).status_code == 401
