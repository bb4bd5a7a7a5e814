"""People and clients that the tests of the API share."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from erp.models import ApiToken


def person(username: str, *, is_staff: bool = False) -> User:
    """A person who can sign in with ``correct horse``."""
    return User.objects.create_user(username, password="correct horse", is_staff=is_staff)


def person_for_servers(username: str) -> User:
    """The same for servers that a test starts: those hash passwords as production does."""
    user = person(username)
    user.password = PBKDF2PasswordHasher().encode("correct horse", "salt", iterations=1)
    user.save(update_fields=["password"])
    return user


def client_of(user: User, **headers: str) -> APIClient:
    """A client that sends a token of this person."""
    _token, secret = ApiToken.issue(user=user)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}", **headers)
    return client


def error_of(response: Any, status: int) -> dict[str, Any]:
    """The error of an envelope, which has to be complete and agree with the status."""
    body = response.json()
    assert response.status_code == status, body
    assert set(body) == {"success", "error", "message", "data", "timestamp", "request_id"}
    assert body["success"] is False
    assert body["data"] is None
    assert body["message"] == body["error"]["detail"] != ""
    assert body["request_id"] == response["X-Request-Id"] != ""
    assert {"code", "type", "detail", "recovery_suggestion"} <= set(body["error"])
    error: dict[str, Any] = body["error"]
    return error


def data_of(response: Any, status: int = 200) -> Any:
    """The data of an envelope, which has to be complete and agree with the status."""
    body = response.json()
    assert response.status_code == status, body
    assert set(body) - {"pagination"} == {"success", "data", "message", "timestamp", "request_id"}
    assert body["success"] is True
    assert body["message"] != ""
    return body["data"]


@pytest.fixture
def owner(db: None) -> User:
    """A person with tasks of their own."""
    return person("owner")


@pytest.fixture
def stranger(db: None) -> User:
    """A person to whom these tasks are nothing."""
    return person("stranger")


@pytest.fixture
def staff(db: None) -> User:
    """A person who may see everybody's."""
    return person("staff", is_staff=True)
