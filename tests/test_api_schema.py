"""The API's document: valid, complete, with an example for every answer and every error, and readable offline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from tests.api import client_of, owner
from tests.document import Operation, document, examples_of, made_document, operations

__all__ = ["owner"]
SIGN_IN, SIGNED_LINK = "POST /api/auth/login", "GET /api/data-sync/exports/{export_id}/download"
PROMISED = {
    "POST /api/auth/login", "POST /api/auth/logout", "GET /api/auth/me",
    "POST /api/data-sync/single", "POST /api/data-sync/batch", "POST /api/data-sync/batch-by-ids",
    "POST /api/data-sync/batch-all", "GET /api/data-sync/progress/{task_id}",
    "GET /api/data-sync/progress/{task_id}/stream", "GET /api/data-sync/tasks",
    "GET /api/data-sync/task-status/{celery_task_id}", "DELETE /api/data-sync/cancel-task/{celery_task_id}",
    "POST /api/data-sync/retry-task/{celery_task_id}", "GET /api/data-sync/files", "POST /api/data-sync/files",
    "GET /api/data-sync/files/{file_id}", "PATCH /api/data-sync/files/{file_id}",
    "DELETE /api/data-sync/files/{file_id}", "POST /api/data-sync/files/refresh", "POST /api/data-sync/preview",
    "POST /api/data-sync/files/{file_id}/dry-run", "GET /api/data-sync/files/{file_id}/profile",
    "GET /api/data-sync/files/{file_id}/delete-impact", "POST /api/data-sync/files/batch-delete-impact",
    "DELETE /api/data-sync/files/batch", "POST /api/data-sync/exports", "GET /api/data-sync/exports/{export_id}",
    "GET /api/data-sync/exports/{export_id}/download", "GET /api/data-sync/platforms",
    "GET /api/data-sync/governance/stats", "GET /api/data-sync/governance/detailed-coverage",
    "GET /api/data-sync/loss-analysis", "GET /api/data-sync/loss-alert", "GET /api/data-sync/facts/{domain}",
    "GET /api/data-sync/templates", "POST /api/data-sync/templates/suggest", "POST /api/data-sync/templates/compare",
    "POST /api/data-sync/templates/{template_id}/publish", "POST /api/data-sync/templates/{template_id}/archive",
    "POST /api/data-sync/templates/{template_id}/remap", "GET /api/data-sync/quarantine",
    "GET /api/data-sync/quarantine/stats", "GET /api/data-sync/quarantine/files",
    "GET /api/data-sync/quarantine/{row_id}", "PATCH /api/data-sync/quarantine/{row_id}",
    "POST /api/data-sync/quarantine/release", "POST /api/data-sync/quarantine/discard",
    "GET /api/data-sync/quarantine/export", "GET /api/quota/me", "GET /api/rate-limit/config",
    "GET /api/rate-limit/stats", "DELETE /api/rate-limit/stats", "GET /api/rate-limit/events",
    "GET /api/rate-limit/anomalies", "GET /api/rate-limit/my-info", "GET /api/credits/balance",
    "GET /api/credits/entries", "GET /api/collection/accounts", "GET /api/accounts/stats",
    "GET /api/component-versions", "GET /api/cache/status", "POST /api/cache/clear",
}  # fmt: skip
"""What design and issues promise a frontend."""


def answers() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every answer with a body: where, its status and what is told of it."""
    for call in operations():
        for status, told in call.told["responses"].items():
            if status not in {"204", "304"}:
                yield f"{call.name} {status}", int(status), told


def is_public(call: Operation) -> bool:
    return call.name in {SIGN_IN, SIGNED_LINK}


def test_it_is_valid_and_free_of_warnings(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_every_call_is_in_it() -> None:
    assert PROMISED - {call.name for call in operations()} == set()


def test_every_call_has_a_summary_and_a_name_of_its_own() -> None:
    assert all(call.told["summary"] and call.told["tags"] for call in operations())
    names = [call.told["operationId"] for call in operations()]
    assert len(set(names)) == len(names)


def test_every_parameter_is_described_and_those_of_the_address_have_an_example() -> None:
    for call in operations():
        for parameter in call.told.get("parameters", ()):
            assert parameter.get("description"), f"{call.name} {parameter['name']}"
            assert parameter["in"] != "path" or "example" in parameter, f"{call.name} {parameter['name']}"


def test_every_body_has_an_example() -> None:
    for call in operations():
        for kind, told in call.told.get("requestBody", {}).get("content", {}).items():
            assert kind == "multipart/form-data" or told["examples"], call.name


def test_every_answer_has_the_envelope_and_an_example() -> None:
    for name, status, told in answers():
        content = told["content"]["application/json"]
        schema = _resolved(content["schema"])
        assert {"success", "data", "message", "timestamp", "request_id"} <= set(schema["properties"]), name
        assert content["examples"], name
        for example in examples_of(told):
            assert set(example["value"]) <= set(schema["properties"]), name
            assert example["value"]["success"] is (status < 400), name


def test_examples_of_data_have_the_fields_of_the_schema() -> None:
    for name, _status, told in answers():
        envelope = _resolved(told["content"]["application/json"]["schema"])
        for example in examples_of(told):
            _fits(envelope["properties"]["data"], example["value"]["data"], name)


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    parts = [schema, *schema.get("allOf", ()), *schema.get("oneOf", ())]
    for part in parts:
        if "$ref" in part:
            found: dict[str, Any] = document()["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
            return found
    return schema


def _fits(schema: dict[str, Any], value: Any, where: str) -> None:
    resolved = _resolved(schema)
    if isinstance(value, list):
        for part in value:
            assert "items" in resolved, where
            _fits(resolved["items"], part, f"{where}[]")
    elif isinstance(value, dict) and "properties" in resolved:
        assert set(value) == set(resolved["properties"]), where
        for name, part in value.items():
            _fits(resolved["properties"][name], part, f"{where}.{name}")


def test_every_answer_says_what_is_left_of_the_rate_limit_and_how_to_go_on() -> None:
    described = document()["components"]["headers"]
    always = {"X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    always |= {"RateLimit-Policy", "RateLimit"}
    for call in operations():
        for status, told in call.told["responses"].items():
            assert always <= set(told["headers"]) <= set(described) | {"ETag"}, f"{call.name} {status}"
            assert ("Retry-After" in told["headers"]) is (status == "429"), f"{call.name} {status}"
            assert ("WWW-Authenticate" in told["headers"]) is (status == "401"), f"{call.name} {status}"


def test_where_limits_are_off_no_header_of_theirs_is_promised(settings: Any) -> None:
    settings.RATE_LIMITS_ENABLED = False
    headers = made_document()["components"]["headers"]
    assert set(headers) == {"X-Request-Id", "Retry-After", "WWW-Authenticate"}


def test_each_error_answer_is_written_once() -> None:
    written = [
        told for methods in document()["paths"].values() for call in methods.values()
        for told in call["responses"].values()
    ]  # fmt: skip
    shared = document()["components"]["responses"]
    assert all(told["$ref"].rsplit("/", 1)[1] in shared for told in written if "$ref" in told)
    assert sum("$ref" in told for told in written) > 5 * len(shared)


def test_every_call_but_sign_in_and_signed_links_is_protected_and_says_so() -> None:
    for call in operations():
        asked = {"NOT_AUTHENTICATED", "AUTHENTICATION_FAILED"}
        wanted = {"AUTHENTICATION_FAILED"} if call.name == SIGN_IN else set() if call.name == SIGNED_LINK else asked
        assert call.codes().get(401, set()) == wanted, call.name
        assert ({"token": []} in call.told.get("security", [])) is not is_public(call), call.name


def test_each_call_lists_the_refusals_that_it_can_give_and_no_others() -> None:
    for call in operations():
        codes = call.codes()
        assert {406, 429, 500, 503} <= set(codes), call.name
        assert "MALFORMED_REQUEST" in codes[400], call.name
        assert ("NOT_FOUND" in codes.get(404, ())) is ("{" in call.path), call.name
        assert "RATE_LIMITED" in codes[429], call.name
        assert ("CSRF_FAILED" in codes.get(403, ())) is (call.method != "GET" and not is_public(call)), call.name
        reads_a_file = "TOO_LARGE" in codes.get(413, ())
        assert (413 in codes) is ("requestBody" in call.told or reads_a_file), call.name
        by_staff = call.path.startswith(("/api/quota/users", "/api/cache/"))
        assert not by_staff or "PERMISSION_DENIED" in codes[403], call.name


def test_it_is_served_and_its_page_loads_nothing_from_elsewhere(owner: User) -> None:
    client = client_of(owner)
    assert client.get("/api/schema/").status_code == 200
    browser = Client()
    browser.force_login(owner)
    page = browser.get("/api/docs/").content.decode()
    assert "swagger-ui" in page
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    assert all(address.startswith(("/", "data:")) for address in loaded)
    for address in loaded:
        assert not address.startswith("/static/") or finders.find(address.removeprefix("/static/")), address


@pytest.mark.parametrize("wanted", ["application/json", "application/vnd.oai.openapi+json", "*/*"])
def test_it_is_given_as_programs_read_it(owner: User, wanted: str) -> None:
    response = client_of(owner).get("/api/schema/", HTTP_ACCEPT=wanted)
    assert response.status_code == 200
    assert b"/api/data-sync/single" in response.content
