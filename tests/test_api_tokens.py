"""A person's own tokens: listed without what signs in with them, ended one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from erp.models import ApiToken
from tests.api import client_of, data_of, error_of, owner, staff, stranger

__all__ = ["owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db
TOKENS = "/api/auth/tokens"
ME = "/api/auth/me"


def address(token: ApiToken) -> str:
    return f"{TOKENS}/{token.pk}"


def of_program(user: User, label: str) -> tuple[ApiToken, APIClient]:
    """A token with this label, and a client that sends it."""
    client = client_of(user)
    token = ApiToken.objects.filter(user=user).latest("pk")
    token.label = label
    token.save(update_fields=["label"])
    return token, client


def listed(client: APIClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data_of(client.get(TOKENS))
    return rows


def test_tokens_are_listed_newest_first_with_the_one_in_use(owner: User) -> None:
    first, _ = of_program(owner, "collector-01")
    second, client = of_program(owner, "collector-02")
    rows = listed(client)
    assert [(row["id"], row["label"], row["current"]) for row in rows] == [
        (second.pk, "collector-02", True),
        (first.pk, "collector-01", False),
    ]
    assert rows[0].keys() == {"id", "label", "created_at", "last_used_at", "expires_at", "current"}
    assert rows[0]["last_used_at"] is not None
    assert rows[1]["last_used_at"] is None


def test_a_list_tells_no_secret(owner: User) -> None:
    _, secret = ApiToken.issue(user=owner, label="<script>")
    token, client = of_program(owner, "x")
    told = client.get(TOKENS).content.decode()
    for kept in (secret, token.digest, token.password_digest):
        assert kept not in told


def test_tokens_that_cannot_be_used_are_not_listed(owner: User) -> None:
    ApiToken.issue(user=owner)[0].revoke()
    expired = ApiToken.issue(user=owner)[0]
    ApiToken.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    ApiToken.issue(user=owner)
    owner.set_password("another long phrase")
    owner.save()
    kept, client = of_program(owner, "kept")
    assert [row["id"] for row in listed(client)] == [kept.pk]


def test_a_session_lists_tokens_too(owner: User) -> None:
    token = ApiToken.issue(user=owner)[0]
    browser = APIClient()
    browser.force_login(owner)
    (row,) = listed(browser)
    assert (row["id"], row["current"]) == (token.pk, False)


def test_a_list_comes_in_pages_at_the_same_cost(owner: User) -> None:
    client = client_of(owner)
    client.get(ME)
    with CaptureQueriesContext(connection) as few:
        client.get(TOKENS)
    for _ in range(12):
        ApiToken.issue(user=owner)
    with CaptureQueriesContext(connection) as many:
        response = client.get(TOKENS, {"page_size": 10})
    assert len(many) == len(few)
    assert len(data_of(response)) == 10
    assert response.json()["pagination"]["total"] == 13


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"user": 1}, {"user__is_staff": "true"}])
def test_a_wrong_query_is_refused_by_name(owner: User, query: dict[str, Any]) -> None:
    error = error_of(client_of(owner).get(TOKENS, query), 400)
    assert list(error["fields"]) == list(query)


def test_revoking_ends_one_token_at_once(owner: User) -> None:
    token, client = of_program(owner, "lost laptop")
    _, other = of_program(owner, "at hand")
    assert data_of(other.delete(address(token))) is None
    assert error_of(client.get(ME), 401)["code"] == "AUTHENTICATION_FAILED"
    data_of(other.get(ME))


def test_the_token_in_use_can_be_revoked(owner: User) -> None:
    token, client = of_program(owner, "this")
    data_of(client.delete(address(token)))
    error_of(client.get(ME), 401)


def test_a_revoked_token_is_unknown(owner: User) -> None:
    token, _ = of_program(owner, "gone")
    token.revoke()
    error = error_of(client_of(owner).delete(address(token)), 404)
    assert (error["code"], error["params"]) == ("TOKEN_NOT_FOUND", {"what": token.pk})


def test_tokens_of_others_are_unknown_to_staff_as_to_strangers(owner: User, stranger: User, staff: User) -> None:
    token, client = of_program(owner, "mine")
    for person in (stranger, staff):
        other = client_of(person)
        assert token.pk not in {row["id"] for row in listed(other)}
        assert error_of(other.delete(address(token)), 404)["code"] == "TOKEN_NOT_FOUND"
    data_of(client.get(ME))


@pytest.mark.parametrize("token_id", [0, 2**63, 10**30])
def test_ids_that_no_token_has(owner: User, token_id: int) -> None:
    error = error_of(client_of(owner).delete(f"{TOKENS}/{token_id}"), 404)
    assert error["code"] == "TOKEN_NOT_FOUND"


def test_what_is_no_id_is_no_address(owner: User) -> None:
    for token_id in ("-1", "x", "1%00", "1%0d%0aX: y"):
        assert error_of(client_of(owner).delete(f"{TOKENS}/{token_id}"), 404)["code"] == "NOT_FOUND"


def test_nobody_has_tokens() -> None:
    error_of(APIClient().get(TOKENS), 401)
    error_of(APIClient().delete(f"{TOKENS}/1"), 401)
