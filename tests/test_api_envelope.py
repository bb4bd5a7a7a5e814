"""One envelope for every answer, true status codes, and no internals, whatever goes wrong."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime
from typing import Any

import pytest
from celery.exceptions import OperationalError as CeleryError
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from kombu.exceptions import OperationalError as BrokerError
from rest_framework.test import APIClient

from datasync.exceptions import SyncError, error_classes
from datasync.runs import selectors, services
from erp.api.errors import error_of as told
from erp.api.errors import problem_of
from tests.api import client_of, data_of, error_of, owner

__all__ = ["owner"]
TASKS = "/api/data-sync/tasks"
SINGLE = "/api/data-sync/single"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def test_success(client: APIClient) -> None:
    response = client.get("/api/auth/me", HTTP_X_REQUEST_ID="abc-12345678")
    assert data_of(response)["username"] == "owner"
    body = response.json()
    assert body["request_id"] == response["X-Request-Id"] == "abc-12345678"
    assert datetime.fromisoformat(body["timestamp"]).utcoffset() is not None


def test_a_list_has_its_pagination_beside_the_data(client: APIClient) -> None:
    body = client.get(TASKS).json()
    assert body["data"] == []
    assert body["pagination"] == {
        "page": 1, "page_size": 20, "total": 0, "total_pages": 0, "has_previous": False, "has_next": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (RuntimeError("password=hunter2 /srv/secret"), 500, "INTERNAL_ERROR"),
        (OperationalError("server at 10.0.0.5 closed"), 503, "SERVICE_UNAVAILABLE"),
        (BrokerError("redis://:hunter2@10.0.0.5"), 503, "SERVICE_UNAVAILABLE"),
        (CeleryError("redis://:hunter2@10.0.0.5"), 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_what_goes_wrong_tells_no_internals(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int, code: str
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise raised

    monkeypatch.setattr(selectors, "tasks_visible_to", fail)
    response = client.get(TASKS)
    assert error_of(response, status)["code"] == code
    for secret in ("hunter2", "10.0.0.5", "/srv", "Traceback"):
        assert secret not in response.content.decode()


def test_every_expected_error_has_a_status_and_complete_texts() -> None:
    for code, cls in error_classes().items():
        error = told(_example(cls))
        assert 400 <= problem_of(cls).status <= 507
        assert error["code"] == code
        assert error["type"]
        assert error["detail"]
        assert "%(" not in error["detail"]
        assert error["recovery_suggestion"]
        json.dumps(error)


def _example(cls: type[SyncError]) -> SyncError:
    exc = cls.__new__(cls)
    exc.params = {name: name for name in re.findall(r"%\((\w+)\)", exc.template)}
    exc.params["what"] = ["lists", "are", "text"]
    return exc


def test_unknown_addresses_under_api_get_the_envelope(db: None) -> None:
    assert error_of(APIClient().get("/api/nothing/here"), 404)["code"] == "NOT_FOUND"
    assert Client().get("/elsewhere")["Content-Type"].startswith("text/html")


def test_a_foreign_host_is_refused(db: None) -> None:
    assert error_of(APIClient().get("/api/auth/me", HTTP_HOST="evil.example"), 400)["code"] == "MALFORMED_REQUEST"


def test_methods_and_types_that_do_not_exist(client: APIClient) -> None:
    assert error_of(client.delete(TASKS), 405)["code"] == "METHOD_NOT_ALLOWED"
    assert error_of(client.get(TASKS, HTTP_ACCEPT="application/xml"), 406)["code"] == "NOT_ACCEPTABLE"
    wrong = client.post(SINGLE, "<file_id>1</file_id>", content_type="application/xml")
    assert error_of(wrong, 415)["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert error_of(client.post(SINGLE, {"file_id": "1"}, format="multipart"), 415)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"5",
        b'"text"',
        b"\xff\xfe",
        b'{"file_id": NaN}',
        b'{"file_id": 1e400}',
        b'{"file_id": ' + b"9" * 5000 + b"}",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"file_id":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 500_000,
    ],
)
def test_bodies_that_are_no_request_are_refused(client: APIClient, body: bytes) -> None:
    response = client.post(SINGLE, body, content_type="application/json")
    assert error_of(response, 400)["type"] == "validation_error"


@pytest.mark.parametrize("charset", ["rot13", "hex", "utf-16", "nonsense"])
def test_a_charset_does_not_change_how_json_is_read(client: APIClient, charset: str) -> None:
    response = client.post(SINGLE, b'{"file_id": 999}', content_type=f"application/json; charset={charset}")
    assert error_of(response, 404)["code"] == "FILE_NOT_FOUND"


def test_a_body_of_50_megabytes_is_not_read(client: APIClient) -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            part = super().read(size)
            Counting.taken += len(part)
            return part

    size = 50 * 1024 * 1024
    stream = Counting(b" " * size)
    environment: dict[str, Any] = {"CONTENT_LENGTH": str(size), "wsgi.input": stream}
    response = client.generic("POST", SINGLE, content_type="application/json", **environment)
    assert error_of(response, 413)["code"] == "PAYLOAD_TOO_LARGE"
    assert Counting.taken < 3 * 1024 * 1024


def test_a_running_task_is_named_when_the_file_is_busy(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasync.exceptions import FileBusy  # noqa: PLC0415

    def busy(**_kwargs: Any) -> None:
        raise FileBusy(task_id="single_file_1_0a1b2c3d")

    monkeypatch.setattr(services, "submit_single", busy)
    error = error_of(client.post(SINGLE, {"file_id": 1}), 409)
    assert (error["code"], error["type"]) == ("FILE_BUSY", "conflict")
    assert error["params"] == {"task_id": "single_file_1_0a1b2c3d"}
