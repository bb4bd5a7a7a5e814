"""Tokens that are none, at every call: nobody is let in, and nothing of the request is looked at before that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from erp.models import ApiToken
from tests.api import client_of, error_of, owner
from tests.bad_requests import send
from tests.document import Operation, operations

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
MALFORMED = (
    "Bearer", "Bearer ", "Bearer x y", "Bearer \xe9", "Bearer " + "x" * 5_000, "Bearer null", "Bearer ' OR 1=1 --",
    "Bearer a\x00b", "bearer undefined",
)  # fmt: skip


def guarded() -> list[Operation]:
    """Every call that needs a sign-in."""
    found = [operation for operation in operations() if "AUTHENTICATION_FAILED" in operation.codes().get(401, ())]
    assert len(found) > 30
    return [operation for operation in found if operation.path != "/api/auth/login"]


def refused_everywhere(client: APIClient) -> None:
    for operation in guarded():
        response = send(client, operation, data="{", content_type="application/json")
        assert error_of(response, 401)["code"] == "AUTHENTICATION_FAILED", operation.name
        assert response["WWW-Authenticate"] == "Bearer", operation.name


def expire(token: ApiToken) -> None:
    token.expires_at = timezone.now() - timedelta(seconds=1)
    token.save()


def dismiss(token: ApiToken) -> None:
    User.objects.filter(pk=token.user_id).update(is_active=False)


def change_password(token: ApiToken) -> None:
    token.user.set_password("another horse")
    token.user.save()


def alter_digest(token: ApiToken) -> None:
    token.digest = "0" * 64
    token.save()


@pytest.mark.parametrize("end", [expire, ApiToken.revoke, dismiss, change_password, alter_digest, ApiToken.delete])
def test_tokens_that_have_ended(owner: User, end: Callable[[ApiToken], object]) -> None:
    client = client_of(owner)
    assert client.get("/api/auth/me").status_code == 200
    end(ApiToken.objects.select_related("user").get())
    refused_everywhere(client)


@pytest.mark.parametrize("header", MALFORMED)
def test_tokens_that_are_malformed(db: None, header: str) -> None:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=header)
    refused_everywhere(client)


def test_a_token_of_another_scheme_signs_nobody_in(owner: User) -> None:
    _token, secret = ApiToken.issue(user=owner)
    for scheme in ("Token", "Basic", "Bearer:", ""):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"{scheme} {secret}")
        assert error_of(client.get("/api/auth/me"), 401)["code"] == "NOT_AUTHENTICATED"
