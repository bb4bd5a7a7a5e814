"""Bodies that say more than they may, are nested too deeply, or hold what no field takes."""

from __future__ import annotations

import json

import pytest
from rest_framework.test import APIClient

from tests.api import error_of
from tests.bad_requests import (
    HOSTILE_VALUES,
    SOME_VALUES,
    TOO_BIG,
    assert_documented,
    example_body,
    parameters,
    root,
    send,
    takers_of_json,
)
from tests.document import Operation

__all__ = ["root"]
pytestmark = pytest.mark.django_db(transaction=True)
JSON = "application/json"
NOT_ASKED = (
    "owner", "owner_id", "state", "status", "tier", "user", "user_id", "is_staff", "is_superuser", "task_id", "id",
    "pk", "created_at", "uploaded_by", "balance", "_state", "__class__", "__proto__",
)  # fmt: skip
DEEP = 10_000
NO_REQUESTS = {
    "objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "lists": "[" * DEEP + "]" * DEEP,
    "unclosed": "[" * DEEP,
    "a list": "[]",
    "a number": "5",
    "nothing": "null",
    "half": '{"a": ',
    "not UTF-8": b'{"a": "\xff"}',
    "infinite": '{"a": Infinity}',
    "endless number": '{"a": ' + "9" * 10_000 + "}",
}


def test_nobody_says_whose_something_is_or_how_it_stands(root: APIClient) -> None:
    """Of a call about something that is not there, that may be said first."""
    for operation, fields in takers_of_json():
        for name in NOT_ASKED:
            if name in fields:
                continue
            body = json.dumps(example_body(operation) | {name: "1"})
            response = send(root, operation, data=body, content_type=JSON)
            if parameters(operation, "path") and response.status_code == 404:
                continue
            assert name in error_of(response, 400)["fields"], (operation.name, name)


@pytest.mark.parametrize("body", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_is_refused(root: APIClient, body: str | bytes) -> None:
    for operation, _fields in takers_of_json():
        response = send(root, operation, data=body, content_type=JSON)
        if parameters(operation, "path") and response.status_code == 404:
            continue
        error = error_of(response, 400)
        assert error["type"] == "validation_error", operation.name


@pytest.mark.parametrize("priority", [0, 11, "5", 5.5, True, TOO_BIG, [5], None])
def test_a_priority_is_a_whole_number_from_1_to_10_wherever_it_is_asked_for(root: APIClient, priority: object) -> None:
    for operation in takers_of("priority"):
        body = json.dumps(example_body(operation) | {"priority": priority})
        error = error_of(send(root, operation, data=body, content_type=JSON), 400)
        assert list(error["fields"]) == ["priority"], operation.name


@pytest.mark.parametrize(
    "file_ids",
    [[], list(range(1, 1_002)), [1, 1], [-1], [0], [TOO_BIG], [[1]], ["1"], [1.5], [True], [None], {}, 1, "1"],
)
def test_file_ids_are_1_to_1000_different_numbers_wherever_they_are_asked_for(
    root: APIClient, file_ids: object
) -> None:
    for operation in takers_of("file_ids"):
        body = json.dumps(example_body(operation) | {"file_ids": file_ids})
        error = error_of(send(root, operation, data=body, content_type=JSON), 400)
        assert all(name.startswith("file_ids") for name in error["fields"]), operation.name


def takers_of(field: str) -> list[Operation]:
    """Calls with such a field in their body."""
    found = [operation for operation, fields in takers_of_json() if field in fields]
    assert len(found) > 2
    return found


@pytest.mark.slow
@pytest.mark.parametrize("value", SOME_VALUES, ids=range(len(SOME_VALUES)))
def test_hostile_values_get_a_documented_answer(root: APIClient, value: object) -> None:
    for operation, fields in takers_of_json():
        for name in fields:
            body = json.dumps(example_body(operation) | {name: value})
            assert_documented(operation, send(root, operation, data=body, content_type=JSON), name)


@pytest.mark.slow
def test_every_field_hostile_at_once_gets_a_documented_answer(root: APIClient) -> None:
    for operation, fields in takers_of_json():
        for value in HOSTILE_VALUES:
            response = send(root, operation, data=json.dumps(dict.fromkeys(fields, value)), content_type=JSON)
            assert_documented(operation, response, str(value)[:60])
