"""Requests that no honest client sends, made for each call from what the API's document says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.api import client_of, error_of, person
from tests.document import Operation, document, operations

PATH_VALUES = {"domain": "orders", "record_key": "00000000-0000-0000-0000-000000000000"}
TOO_BIG = 2**63
HOSTILE_TEXTS = (
    "a\0b", "a\r\nBcc: eve@example.com", "<script>alert(1)</script>", "' OR 1=1 --", "../../etc/passwd", "__class__",
    "%00%ff%s%n", "\u202e\ufeff\U0001f4a9", "-1", str(TOO_BIG), "9" * 400, "1e400", "NaN", "x" * 5_000,
)  # fmt: skip
HOSTILE_VALUES: tuple[Any, ...] = (
    *HOSTILE_TEXTS, "\ud800", "", 0, -1, TOO_BIG, -TOO_BIG - 1, 10**300, 5.5, 1e308, True, False, None, [], {}, [None],
    [[1]], [TOO_BIG], ["a\0b"], {"$ne": 1}, {"__proto__": {}}, [{}] * 1001,
)  # fmt: skip
SOME_TEXTS = ("a\0b", "' OR 1=1 --", "__class__", "-1", str(TOO_BIG), "1e400")
SOME_VALUES: tuple[Any, ...] = ("a\0b", "\ud800", "x" * 5_000, -1, TOO_BIG, 5.5, True, None, [], [[1]], {"$ne": 1})
"""One of each sort, for where there are very many fields."""


@pytest.fixture
def root(db: None) -> APIClient:
    """A client of somebody who may do everything: rights are not what is asked here."""
    user = person("root", is_staff=True)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return client_of(User.objects.get(pk=user.pk))


def address(operation: Operation, values: Mapping[str, str] | None = None) -> str:
    """The call's path with these values for its parameters, or usual ones."""
    known = PATH_VALUES | dict(values or {})
    return re.sub(r"{(\w+)}", lambda found: known.get(found[1], "1"), operation.path)


def parameters(operation: Operation, place: str) -> list[str]:
    """The names of its parameters in the ``path`` or the ``query``."""
    return [one["name"] for one in operation.told.get("parameters", ()) if one["in"] == place]


def send(client: APIClient, operation: Operation, path: str | None = None, **options: Any) -> Any:
    """The answer to the call; a download is read to its end, which closes its file."""
    response: Any = client.generic(operation.method, path or address(operation), **options)
    if response.streaming:
        list(response.streaming_content)
    return response


def takers_of_json() -> Iterator[tuple[Operation, dict[str, Any]]]:
    """Every call that takes a JSON body, with the schemas of its fields; there are some."""
    found = [
        (operation, _properties(content["application/json"]["schema"]))
        for operation in operations()
        if "application/json" in (content := operation.told.get("requestBody", {}).get("content", {}))
    ]
    assert len(found) > 10
    yield from found


def example_body(operation: Operation) -> dict[str, Any]:
    """The body that the document shows."""
    examples = operation.told["requestBody"]["content"]["application/json"].get("examples", {})
    return next((dict(example["value"]) for example in examples.values()), {})


def assert_documented(operation: Operation, response: Any, told: object) -> None:
    """Neither a bug nor an answer of which nobody was told."""
    about = (operation.name, told, response.status_code)
    assert response.status_code < 500, about
    assert str(response.status_code) in operation.told["responses"], about
    if response.status_code >= 400:
        assert error_of(response, response.status_code)["code"] in operation.codes()[response.status_code], about


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    properties: dict[str, Any] = schema.get("properties", {})
    return properties
