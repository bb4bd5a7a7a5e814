"""Tokens: hashed at rest, several a person, expiring, revocable; sessions need the CSRF token."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from erp.models import ApiToken
from erp.roles import ROLES
from tests.api import client_of, data_of, error_of, person

ME = "/api/auth/me"
LOGIN = "/api/auth/login"


@pytest.fixture
def anyone(db: None) -> User:
    return person("li.na")


def test_login_gives_a_token_that_signs_in(anyone: User) -> None:
    client = APIClient()
    given = data_of(client.post(LOGIN, {"username": "li.na", "password": "correct horse", "label": "collector"}))
    assert given["user"]["username"] == "li.na"
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {given['token']}")
    assert data_of(client.get(ME))["id"] == anyone.pk


def test_the_secret_is_stored_nowhere(anyone: User) -> None:
    token, secret = ApiToken.issue(user=anyone)
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert len(secret) >= 43
    assert secret not in json.dumps(row, default=str)
    assert len(row["digest"]) == 64


def test_a_person_has_several_tokens_and_ends_one(anyone: User) -> None:
    first, second = client_of(anyone), client_of(anyone)
    data_of(first.post("/api/auth/logout"))
    assert error_of(first.get(ME), 401)["code"] == "AUTHENTICATION_FAILED"
    data_of(second.get(ME))


@pytest.mark.parametrize(
    "body",
    [
        {"username": "li.na", "password": "wrong"},
        {"username": "nobody", "password": "correct horse"},
        {"username": "li.na", "password": " correct horse"},
    ],
)
def test_wrong_credentials_are_told_alike(anyone: User, body: dict[str, str]) -> None:
    response = APIClient().post(LOGIN, body)
    assert error_of(response, 401)["detail"] == "The name or the password is wrong."
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_person_who_left_cannot_sign_in(anyone: User) -> None:
    client = client_of(anyone)
    User.objects.update(is_active=False)
    error_of(client.get(ME), 401)
    error_of(APIClient().post(LOGIN, {"username": "li.na", "password": "correct horse"}), 401)


@pytest.mark.parametrize("extra", [{"is_staff": True}, {"password": 5}, {"username": "x" * 151}, {"label": None}])
def test_login_takes_only_what_it_asks_for(anyone: User, extra: dict[str, object]) -> None:
    response = APIClient().post(LOGIN, {"username": "li.na", "password": "correct horse"} | extra)
    assert next(iter(extra)) in error_of(response, 400)["fields"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x", "Bearer é", "Bearer a b", "Bearer " + "x" * 5000])
def test_malformed_tokens_are_refused(db: None, header: str) -> None:
    response = APIClient().get(ME, HTTP_AUTHORIZATION=header.encode("latin-1").decode("latin-1"))
    error_of(response, 401)


def test_nobody_is_refused(db: None) -> None:
    response = APIClient().get(ME)
    assert error_of(response, 401)["code"] == "NOT_AUTHENTICATED"
    assert response["WWW-Authenticate"] == "Bearer"


def test_tokens_expire(anyone: User) -> None:
    client = client_of(anyone)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    error_of(client.get(ME), 401)


def test_use_is_recorded_once_an_hour(anyone: User) -> None:
    client = client_of(anyone)
    client.get(ME)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(ME)
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    ApiToken.objects.update(last_used_at=first - timedelta(hours=2))
    client.get(ME)
    recorded = ApiToken.objects.get().last_used_at
    assert recorded is not None
    assert recorded >= first


def test_sessions_need_the_csrf_token(anyone: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.login(username="li.na", password="correct horse")
    data_of(client.get(ME))
    refused = error_of(client.post("/api/auth/logout"), 403)
    assert refused["code"] == "CSRF_FAILED"
    assert "X-CSRFToken" in refused["recovery_suggestion"]
    client.cookies["csrftoken"] = "a" * 32
    data_of(client.post("/api/auth/logout", HTTP_X_CSRFTOKEN="a" * 32))
    error_of(client.get(ME), 401)


def test_roles_are_groups(anyone: User) -> None:
    assert set(ROLES) <= set(Group.objects.values_list("name", flat=True))
    anyone.groups.add(Group.objects.get(name="finance"))
    assert data_of(client_of(anyone).get(ME))["roles"] == ["finance"]
