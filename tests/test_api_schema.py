"""The API's document: valid, complete, with an example for every answer and every error, and readable offline."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.api import client_of, owner

__all__ = ["owner"]
SELF = {"/api/schema/", "/api/docs/"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return schema


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def with_content(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The answers of a call, but those that have no body by their nature."""
    return [(status, found) for status, found in operation["responses"].items() if status not in {"204", "304"}]


def test_it_is_valid_and_free_of_warnings(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_every_call_is_in_it(document: dict[str, Any]) -> None:
    assert {name for name, _operation in operations(document)} >= {
        "POST /api/auth/login", "POST /api/auth/logout", "GET /api/auth/me",
        "POST /api/data-sync/single", "POST /api/data-sync/batch", "POST /api/data-sync/batch-by-ids",
        "POST /api/data-sync/batch-all", "GET /api/data-sync/progress/{task_id}", "GET /api/data-sync/tasks",
        "GET /api/data-sync/task-status/{celery_task_id}", "GET /api/data-sync/files", "POST /api/data-sync/files",
        "GET /api/data-sync/files/{file_id}", "POST /api/data-sync/files/refresh", "POST /api/data-sync/preview",
        "PATCH /api/data-sync/files/{file_id}", "DELETE /api/data-sync/files/{file_id}",
        "GET /api/data-sync/files/{file_id}/profile", "GET /api/data-sync/files/{file_id}/delete-impact",
        "POST /api/data-sync/files/batch-delete-impact", "DELETE /api/data-sync/files/batch",
        "POST /api/data-sync/exports", "GET /api/data-sync/exports/{export_id}",
        "GET /api/data-sync/exports/{export_id}/download",
    }  # fmt: skip


def test_every_answer_has_the_envelope_and_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert "500" in operation["responses"], name
        for status, response in with_content(operation):
            content = response["content"]["application/json"]
            schema = document["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
            assert {"success", "data", "message", "timestamp", "request_id"} <= set(schema["properties"]), name
            assert content["examples"], f"{name} {status}"
            for example in content["examples"].values():
                assert set(example["value"]) <= set(schema["properties"]), f"{name} {status}"
                assert example["value"]["success"] is (int(status) < 400), f"{name} {status}"


def test_examples_of_data_have_the_fields_of_the_schema(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in with_content(operation):
            content = response["content"]["application/json"]
            envelope = _resolved(document, content["schema"])
            for example in content["examples"].values():
                _fits(document, envelope["properties"]["data"], example["value"]["data"], f"{name} {status}")


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    parts = [schema, *schema.get("allOf", ()), *schema.get("oneOf", ())]
    for part in parts:
        if "$ref" in part:
            found: dict[str, Any] = document["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
            return found
    return schema


def _fits(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> None:
    resolved = _resolved(document, schema)
    if isinstance(value, list):
        for part in value:
            assert "items" in resolved, where
            _fits(document, resolved["items"], part, f"{where}[]")
    elif isinstance(value, dict) and "properties" in resolved:
        assert set(value) == set(resolved["properties"]), where
        for name, part in value.items():
            _fits(document, resolved["properties"][name], part, f"{where}.{name}")


def test_every_call_but_sign_in_and_signed_links_is_protected_and_says_so(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        public = name in {"POST /api/auth/login", "GET /api/data-sync/exports/{export_id}/download"}
        assert ("401" in operation["responses"]) is (name != "GET /api/data-sync/exports/{export_id}/download"), name
        assert ({"token": []} in operation.get("security", [])) is not public, name


def test_each_call_lists_the_refusals_that_it_can_give_and_no_others(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        public, changes = name == "POST /api/auth/login", name.startswith(("POST", "PATCH", "PUT", "DELETE"))
        given = set(operation["responses"])
        assert "406" in given, name
        for_staff = name.startswith("GET /api/quota/users")
        assert ("403" in given) is ((changes and not public) or for_staff), name
        reads_a_file = "TOO_LARGE" in str(operation["responses"].get("413"))
        assert ("413" in given) is ("requestBody" in operation or reads_a_file), name
    assert "CSRF_FAILED" in str(dict(operations(document))["POST /api/auth/logout"]["responses"]["403"])


def test_it_is_served_and_its_page_loads_nothing_from_elsewhere(owner: User) -> None:
    client = client_of(owner)
    assert client.get("/api/schema/").status_code == 200
    browser = Client()
    browser.force_login(owner)
    page = browser.get("/api/docs/").content.decode()
    assert "swagger-ui" in page
    assert not re.findall(r'(?:src|href)="https?://', page)
