"""The API's document as the tests read it: made once, with the answers written out at each call."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from django.test import override_settings
from drf_spectacular.generators import SchemaGenerator


class Operation(NamedTuple):
    """One call of the document."""

    method: str
    path: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        """As it is said: ``GET /api/auth/me``."""
        return f"{self.method} {self.path}"

    def codes(self) -> dict[int, set[str]]:
        """The error codes that it can give, by status."""
        return {
            int(status): {example["value"]["error"]["code"] for example in examples_of(response)}
            for status, response in self.told["responses"].items()
            if int(status) >= 400
        }


@cache
def document() -> dict[str, Any]:
    """The whole document, as it is served where rate limits are on."""
    with override_settings(RATE_LIMITS_ENABLED=True):
        return made_document()


def made_document() -> dict[str, Any]:
    """The whole document, as it is served with the settings of this moment."""
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return made


@cache
def operations() -> tuple[Operation, ...]:
    """Every call."""
    return tuple(
        Operation(method.upper(), path, told | {"responses": _written_out(told["responses"])})
        for path, methods in document()["paths"].items()
        for method, told in methods.items()
    )


def examples_of(response: dict[str, Any]) -> list[dict[str, Any]]:
    """The examples of one answer's JSON."""
    return list(response["content"]["application/json"]["examples"].values())


def _written_out(responses: dict[str, Any]) -> dict[str, Any]:
    shared = document()["components"]["responses"]
    return {
        status: shared[response["$ref"].rsplit("/", 1)[1]] if "$ref" in response else response
        for status, response in responses.items()
    }
