"""The envelope as the OpenAPI document describes it: around one kind of data, around a list, around an error."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers

SerializerClass = type[serializers.Serializer[Any]]
AnswerClass = SerializerClass | type[serializers.JSONField]

TIMESTAMP = "2026-03-06T05:16:50.000Z"
REQUEST_ID = "9f1c3a5e7b2d4c6f8a0e1b3d5f7a9c2e"


class ErrorDocument(serializers.Serializer[Any]):
    """What went wrong. ``code`` never changes; the texts follow Accept-Language."""

    code = serializers.CharField()
    type = serializers.CharField()
    detail = serializers.CharField()
    recovery_suggestion = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), required=False, help_text="By field; with VALIDATION_ERROR only."
    )
    params = serializers.DictField(required=False, help_text="What the detail speaks of, such as task_id.")


@extend_schema_serializer(many=False)
class ErrorEnvelope(serializers.Serializer[Any]):
    """The envelope of every error."""

    success = serializers.BooleanField()
    error = ErrorDocument()
    message = serializers.CharField()
    data = serializers.JSONField(allow_null=True)  # type: ignore[assignment]
    timestamp = serializers.DateTimeField()
    request_id = serializers.CharField()


class Pagination(serializers.Serializer[Any]):
    """Where the rows stand in the whole list."""

    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    total = serializers.IntegerField()
    total_pages = serializers.IntegerField()
    has_previous = serializers.BooleanField()
    has_next = serializers.BooleanField()


class CursorPagination(serializers.Serializer[Any]):
    """Where to read on."""

    page_size = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)
    has_next = serializers.BooleanField()


@extend_schema_field(
    PolymorphicProxySerializer("ChosenPagination", [CursorPagination, Pagination], resource_type_field_name=None)
)
class ChosenPagination(serializers.JSONField):
    """The one or the other, as the caller asked for it."""


PAGES: dict[tuple[bool, bool], AnswerClass | None] = {
    (False, False): None,
    (True, False): Pagination,
    (False, True): CursorPagination,
    (True, True): ChosenPagination,
}
"""By whether there are numbered pages, and cursor pages."""
_EXAMPLE_CURSOR = {"page_size": 50, "next_cursor": None, "has_next": False}
_EXAMPLES: dict[AnswerClass, dict[str, Any]] = {
    Pagination: {
        "page": 1, "page_size": 50, "total": 1, "total_pages": 1, "has_previous": False, "has_next": False,
    },
    CursorPagination: _EXAMPLE_CURSOR,
    ChosenPagination: _EXAMPLE_CURSOR,
}  # fmt: skip


def success_envelope(answer: AnswerClass | None, *, many: bool, pages: AnswerClass | None) -> SerializerClass:
    """The serializer of the envelope around one kind of data; one class for each, as spectacular tells by identity."""
    return _envelope(cast("SerializerClass | None", answer), many=many, pages=cast("SerializerClass | None", pages))


@cache
def _envelope(answer: SerializerClass | None, *, many: bool, pages: SerializerClass | None) -> SerializerClass:
    fields: dict[str, Any] = {
        "success": serializers.BooleanField(),
        "data": _data_field(answer, many=many),
        "message": serializers.CharField(),
        "timestamp": serializers.DateTimeField(),
        "request_id": serializers.CharField(),
    }
    if pages:
        fields["pagination"] = pages()
    name = (answer.__name__.removesuffix("Serializer") if answer else "Empty") + ("List" if many else "")
    cls: SerializerClass = type(f"{name}Envelope", (serializers.Serializer,), fields)
    return extend_schema_serializer(many=False)(cls)


def _data_field(answer: AnswerClass | None, *, many: bool) -> serializers.Field[Any, Any, Any, Any]:
    if answer is None:
        return serializers.JSONField(allow_null=True)
    if issubclass(answer, serializers.JSONField):
        return serializers.ListField(child=answer()) if many else answer()
    return answer(many=True) if many else answer()


def success(envelope: SerializerClass, description: str, example: Any, *, pages: AnswerClass | None) -> OpenApiResponse:
    """One successful answer with its example."""
    value: dict[str, Any] = {
        "success": True,
        "data": example,
        "message": "Done.",
        "timestamp": TIMESTAMP,
        "request_id": REQUEST_ID,
    }
    if pages:
        value["pagination"] = _EXAMPLES[pages]
    return OpenApiResponse(envelope, description, [OpenApiExample(description or "Success", value=value)])
