"""How a call is documented: the envelope around its data, an example, and every error it can give.

``documented`` is the only decorator that views need; the OpenAPI document shows what renderer and handler really send.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import exceptions as rest
from rest_framework import serializers

from datasync.exceptions import DiskFull, IdempotencyConflict, InvalidRequest, SyncError, TooManyActiveTasks
from erp.api.authentication import CsrfFailed
from erp.api.errors import INTERNAL, UNAVAILABLE, Problem, problem_of, sync_error

View = TypeVar("View", bound=Callable[..., Any])
SerializerClass = type[serializers.Serializer[Any]]
AnswerClass = SerializerClass | type[serializers.JSONField]

_TIMESTAMP = "2026-03-06T05:16:50.000Z"
_REQUEST_ID = "9f1c3a5e7b2d4c6f8a0e1b3d5f7a9c2e"
_PARAMS = {"what": "17", "task_id": "single_file_17_0a1b2c3d", "detail": "There is no such platform: shopy."}
_PARAMS_OF: dict[type[SyncError], dict[str, Any]] = {
    TooManyActiveTasks: {
        "active": 2, "limit": 2, "active_task_ids": ["batch_0a1b2c3d", "single_file_17_0a1b2c3d"], "eta_seconds": 3.4,
    },
}  # fmt: skip
"""Parameters beyond those that the message speaks of."""


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

    success = serializers.BooleanField(default=False)
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


_EXAMPLE_PAGES: dict[SerializerClass, dict[str, Any]] = {
    Pagination: {
        "page": 1, "page_size": 50, "total": 1, "total_pages": 1, "has_previous": False, "has_next": False,
    },
    CursorPagination: {"page_size": 50, "next_cursor": None, "has_next": False},
}  # fmt: skip


_ONCE = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="A key of your own choice, kept for 24 hours. The same request with the same key makes one task and is "
    "answered with it; another request with the key is refused with IDEMPOTENCY_CONFLICT.",
)


def documented(  # noqa: PLR0913 - each says another thing about the call
    *,
    name: str,
    summary: str,
    tag: str,
    answer: AnswerClass | None = None,
    status: int = 200,
    example: Any = None,
    many: bool = False,
    paged: bool = False,
    cursors: bool = False,
    notes: str = "",
    downloads: Mapping[str, str] | None = None,
    body: Any = None,
    body_example: Mapping[str, Any] | None = None,
    query: SerializerClass | None = None,
    errors: Sequence[type[Exception]] = (),
    public: bool = False,
    changes: bool = False,
    once: bool = False,
    other: Mapping[int, tuple[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
    bodiless: Mapping[int, str] | None = None,
) -> Callable[[View], View]:
    """Document a call. ``name`` is what generated clients call it.

    ``other`` gives further successful statuses, each with a description and an example. ``changes`` says that a call
    without a body changes something all the same, so that a browser's has to carry the CSRF token.
    ``once`` says that a request sent again with the same Idempotency-Key is done once.
    ``paged`` says that the list comes in numbered pages, ``cursors`` that it comes in cursor pages. ``notes`` follow
    the summary in the description. ``downloads`` are media types without an envelope, each with a description.
    ``headers`` are those of the request that it heeds, ``bodiless`` statuses without content, each with a description.
    """
    pages = CursorPagination if cursors else Pagination if paged else None
    envelope = _success_envelope(cast("SerializerClass | None", answer), many=many, pages=pages)
    responses: dict[int | tuple[int, str], OpenApiResponse] = {status: _success(envelope, "", example, pages=pages)}
    for code, (description, value) in (other or {}).items():
        responses[code] = _success(envelope, description, value, pages=pages)
    known: list[type[Exception]] = [*errors, rest.NotAcceptable]
    if once:
        known += [IdempotencyConflict, InvalidRequest]
    if not public:
        known.append(rest.NotAuthenticated)
    if changes or body is not None:
        known.append(DiskFull)
    if not public and (changes or body is not None):
        known.append(CsrfFailed)
    if body is not None:
        known += [rest.ValidationError, rest.ParseError, rest.UnsupportedMediaType, RequestDataTooBig]
    elif query is not None:
        known.append(rest.ValidationError)
    responses |= dict(_error_responses(known).items())
    responses |= {code: OpenApiResponse(description=text) for code, text in (bodiless or {}).items()}
    for media_type, description in (downloads or {}).items():
        responses[status, media_type] = OpenApiResponse(OpenApiTypes.BINARY, description)
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=f"{summary}. {notes}".strip(),
        tags=[tag],
        request=body,
        parameters=[*([query] if query else []), *([_ONCE] if once else []), *_headers(headers or {})] or None,
        responses=responses,
        examples=[OpenApiExample("Request", value=body_example, request_only=True)] if body_example else None,
        auth=[] if public else None,
    )


def _headers(described: Mapping[str, str]) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=text)
        for name, text in described.items()
    ]


@cache
def _success_envelope(answer: AnswerClass | None, *, many: bool, pages: SerializerClass | None) -> SerializerClass:
    """The serializer of the envelope around one kind of data; one class for each, as spectacular tells by identity."""
    fields: dict[str, Any] = {
        "success": serializers.BooleanField(default=True),
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


def _success(
    envelope: SerializerClass, description: str, example: Any, *, pages: SerializerClass | None
) -> OpenApiResponse:
    value: dict[str, Any] = {
        "success": True,
        "data": example,
        "message": "Done.",
        "timestamp": _TIMESTAMP,
        "request_id": _REQUEST_ID,
    }
    if pages:
        value["pagination"] = _EXAMPLE_PAGES[pages]
    return OpenApiResponse(envelope, description, [OpenApiExample(description or "Success", value=value)])


def _error_responses(known: Sequence[type[Exception]]) -> dict[int, OpenApiResponse]:
    """One response for each status, with an example for each error code."""
    examples: dict[int, dict[str, OpenApiExample]] = defaultdict(dict)
    for cls in known:
        problem = problem_of(cls)
        error = _example_error(cls, problem)
        examples[problem.status].setdefault(error["code"], _error_example(error))
    for problem in (INTERNAL, UNAVAILABLE):
        error = {
            "code": problem.code,
            "type": problem.kind,
            "detail": problem.detail,
            "recovery_suggestion": problem.recovery,
        }
        examples[problem.status].setdefault(error["code"], _error_example(error))
    return {
        int(status): OpenApiResponse(ErrorEnvelope, " · ".join(by_code), list(by_code.values()))
        for status, by_code in sorted(examples.items())
    }


def _error_example(error: Mapping[str, Any]) -> OpenApiExample:
    value = {
        "success": False,
        "error": error,
        "message": error["detail"],
        "data": None,
        "timestamp": _TIMESTAMP,
        "request_id": _REQUEST_ID,
    }
    return OpenApiExample(error["code"], value=value)


def _example_error(cls: type[Exception], problem: Problem) -> dict[str, Any]:
    if issubclass(cls, SyncError):
        names = re.findall(r"%\((\w+)\)", " ".join((cls.__doc__ or "").split()))
        params = {name: _PARAMS.get(name, name) for name in names} | _PARAMS_OF.get(cls, {})
        return {"type": problem.kind, **sync_error(cls(**params))}
    detail = problem.detail or str(getattr(cls, "default_detail", ""))
    error: dict[str, Any] = {
        "code": problem.code,
        "type": problem.kind,
        "detail": detail,
        "recovery_suggestion": problem.recovery,
    }
    if issubclass(cls, rest.ValidationError):
        text = "Ensure this value is less than or equal to 10."
        error |= {"detail": f"priority: {text}", "fields": {"priority": text}}
    return error
