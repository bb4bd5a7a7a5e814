"""What holds for every call of the API, whatever it does: sign-in, CSRF, and requests that are not understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from ratelimits.models import RateRule
from tests.api import client_of, error_of, staff
from tests.document import operations
from tests.rates import limiter

__all__ = ["limiter", "staff"]
pytestmark = pytest.mark.django_db
VALUES = {"domain": "orders", "record_key": "00000000-0000-0000-0000-000000000000"}


def calls() -> Iterator[tuple[str, str, dict[int, set[str]]]]:
    """Method, path with ids, and the error codes that the document names, by status."""
    for operation in operations():
        address = re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "1"), operation.path)
        yield operation.method.lower(), address, operation.codes()


def calls_with(status: int, code: str) -> Iterator[tuple[str, str]]:
    """The calls whose document names this error; there are some, or the test would prove nothing."""
    named = [(method, path) for method, path, codes in calls() if code in codes.get(status, ())]
    assert named, code
    yield from named


@pytest.fixture
def client(staff: User) -> APIClient:
    User.objects.filter(pk=staff.pk).update(is_superuser=True)  # rights are not what is asked here
    return client_of(staff)


def send(client: Client, method: str, path: str, **options: Any) -> Any:
    return getattr(client, method)(path, **options)


def test_nobody_is_let_in_without_signing_in() -> None:
    for method, path in calls_with(401, "NOT_AUTHENTICATED"):
        error = error_of(send(APIClient(), method, path), 401)
        assert error["code"] == "NOT_AUTHENTICATED", (method, path)


def test_a_token_that_is_none_is_refused() -> None:
    for method, path in calls_with(401, "NOT_AUTHENTICATED"):
        response = send(APIClient(), method, path, HTTP_AUTHORIZATION="Bearer nothing-of-ours")
        assert error_of(response, 401)["code"] == "AUTHENTICATION_FAILED", (method, path)
        assert response["WWW-Authenticate"] == "Bearer", (method, path)


def test_a_session_needs_the_csrf_token_to_change_anything(staff: User) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(staff)
    for method, path in calls_with(403, "CSRF_FAILED"):
        assert error_of(send(browser, method, path), 403)["code"] == "CSRF_FAILED", (method, path)


def test_every_changing_call_is_guarded_against_csrf(staff: User) -> None:
    for method, path, codes in calls():
        guarded = method == "get" or path.startswith(("/api/auth/login", "/api/schema"))
        assert guarded or "CSRF_FAILED" in codes.get(403, ()), (method, path)


@pytest.mark.usefixtures("limiter")
def test_whoever_asks_too_often_is_told_when_to_come_back(client: APIClient) -> None:
    RateRule.objects.update(per_minute=1)
    for method, path in calls_with(429, "RATE_LIMITED"):
        send(client, method, path)
        response = send(client, method, path)
        assert error_of(response, 429)["code"] == "RATE_LIMITED", (method, path)
        assert int(response["Retry-After"]) > 0, (method, path)


def test_an_answer_in_another_format_is_not_given(client: APIClient) -> None:
    for method, path in calls_with(406, "NOT_ACCEPTABLE"):
        response = send(client, method, path, HTTP_ACCEPT="application/x-yaml")
        assert error_of(response, 406)["code"] == "NOT_ACCEPTABLE", (method, path)


def test_an_id_that_can_be_none_makes_an_address_that_is_none(client: APIClient) -> None:
    called = [operation for operation in operations() if "{" in operation.path]
    for operation in called:
        path = re.sub(r"{\w+}", "no.id", operation.path)
        error = error_of(send(client, operation.method.lower(), path), 404)
        assert error["code"] == "NOT_FOUND", operation.name
        assert "NOT_FOUND" in operation.codes()[404], operation.name


def test_a_request_with_a_thousand_parameters_is_refused(client: APIClient) -> None:
    for method, path in calls_with(400, "MALFORMED_REQUEST"):
        error = error_of(send(client, method, f"{path}?{'&'.join(1001 * ['a=1'])}"), 400)
        assert error["code"] == "MALFORMED_REQUEST", (method, path)


def test_a_body_that_is_broken_is_said_to_be(client: APIClient) -> None:
    for method, path in calls_with(415, "UNSUPPORTED_MEDIA_TYPE"):
        kind = "application/json"
        response = send(client, method, path, data="{", content_type=kind)
        if response.status_code == 415:  # an upload
            response = send(client, method, path, data="{", content_type="multipart/form-data")
        assert error_of(response, 400)["code"] == "MALFORMED_REQUEST", (method, path)


def test_a_body_of_another_type_is_refused(client: APIClient) -> None:
    for method, path in calls_with(415, "UNSUPPORTED_MEDIA_TYPE"):
        response = send(client, method, path, data="a;b", content_type="text/csv")
        assert error_of(response, 415)["code"] == "UNSUPPORTED_MEDIA_TYPE", (method, path)


def test_a_body_that_is_too_large_is_refused(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = settings.UPLOAD_LIMIT_BYTES = 1000
    for method, path in calls_with(413, "PAYLOAD_TOO_LARGE"):
        data = '{"note": "' + 2000 * "a" + '"}'
        response = send(client, method, path, data=data, content_type="application/json")
        if response.status_code == 415:  # an upload, which leaves room for what else a form holds
            response = send(client, method, path, data=b"a" * 2_000_000, content_type="multipart/form-data; boundary=x")
        assert error_of(response, 413)["code"] == "PAYLOAD_TOO_LARGE", (method, path)
