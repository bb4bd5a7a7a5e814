"""The OpenAPI document's view of a call, where it differs from the generator's, and what every answer carries."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework.fields import ChoiceField, empty
from rest_framework.serializers import ModelSerializer

from erp.api.parameters import describe


class CallSchema(AutoSchema):
    """Shows the body of a DELETE that takes one, fields with a default as always there in answers, and blank choices.

    The generator takes it that no DELETE has a body, that what need not be sent may be missing in an answer, and that
    what is only read is never blank.
    """

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        serializer = force_instance(serializer)  # type: ignore[no-untyped-call]
        if direction == "response" and isinstance(serializer, ModelSerializer):
            _allow_blank_choices(serializer)
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "response":
            fields = serializer.fields
            told = [name for name in schema.get("properties", ()) if fields[name].default is not empty]
            for name in told:
                schema["properties"][name].pop("default", None)
            if told:
                schema["required"] = sorted({*schema.get("required", ()), *told})
        return schema

    def _get_request_body(self, direction: Any = "request") -> Any:
        if self.method != "DELETE" or not self.get_request_serializer():
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        self.method = "POST"
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = "DELETE"


def _allow_blank_choices(serializer: ModelSerializer[Any]) -> None:
    model: Any = serializer.Meta.model
    columns = {column.name: column for column in model._meta.fields}
    for name, field in serializer.fields.items():
        column = columns.get(field.source or name)
        if isinstance(field, ChoiceField) and column is not None and column.blank:
            field.allow_blank = True


def _header(description: str, example: Any, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": "string"} | schema, "example": example}


_ALWAYS = {
    "X-Request-Id": _header(
        "The request's id, for questions to the operators; the caller's own where it sent one of 8 to 64 letters, "
        "digits, dots, dashes or underscores.",
        "9f1c3a5e7b2d4c6f8a0e1b3d5f7a9c2e",
    ),
}
_WITH_LIMITS = {
    "X-RateLimit-Limit": _header("Requests allowed in the window of this scope.", 50, type="integer", minimum=0),
    "X-RateLimit-Remaining": _header("How many of them are left.", 49, type="integer", minimum=0),
    "X-RateLimit-Reset": _header(
        "When the oldest counted request leaves the window, so that one place gets free: a Unix timestamp.",
        1772774270,
        type="integer",
        minimum=0,
    ),
    "RateLimit-Policy": _header(
        "The same as the IETF's draft has it: the scope, `q` requests in a window of `w` seconds.",
        '"data_sync";q=50;w=60',
    ),
    "RateLimit": _header(
        "The same as the IETF's draft has it: `r` requests left, a place gets free in `t` seconds.",
        '"data_sync";r=49;t=60',
    ),
}
_OVERLAPPING = {"FactRow"}
"""What may fit several of its kinds: rows of which only some columns were asked for."""
_BY_STATUS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": _header("How to sign in.", "Bearer")},
    HTTPStatus.TOO_MANY_REQUESTS: {
        "Retry-After": _header("Seconds to wait before asking again.", 12, type="integer", minimum=0)
    },
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe what calls have in common: a hook of the generator. Each error answer is written once.

    The headers of the rate limits are there where those are on. Calls share most of their error answers; written out at
    every call they would be most of the document.
    """
    components = result.setdefault("components", {})
    always = _ALWAYS | (_WITH_LIMITS if settings.RATE_LIMITS_ENABLED else {})
    components["headers"] = always | {
        name: header for headers in _BY_STATUS.values() for name, header in headers.items()
    }
    for name, schema in components["schemas"].items():
        if name.endswith("Envelope"):  # one value each, by which typed clients tell successes and errors apart
            schema["properties"]["success"] = {"type": "boolean", "enum": [name != "ErrorEnvelope"]}
        if name in _OVERLAPPING:
            schema["anyOf"] = schema.pop("oneOf")
    shared: dict[str, Any] = components.setdefault("responses", {})
    for methods in result["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                describe(parameter)
            responses = operation["responses"]
            for status, response in responses.items():
                headers = (*always, *_BY_STATUS.get(HTTPStatus(int(status)), ()))
                response["headers"] = _references(headers) | response.get("headers", {})
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    name = ".".join([status, *response["description"].split(" · ")])
                    if shared.setdefault(name, response) == response:
                        responses[status] = {"$ref": f"#/components/responses/{name}"}
    return result


def _references(headers: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
