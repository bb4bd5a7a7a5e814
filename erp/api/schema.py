"""How a call is documented: the envelope around its data, an example, and every error it can give.

``documented`` is the only decorator that views need; the OpenAPI document shows what renderer and handler really send.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions as rest

from datasync.exceptions import DiskFull, IdempotencyConflict, InvalidRequest
from erp.api.authentication import CsrfFailed, TokenRefused
from erp.api.envelopes import PAGES, AnswerClass, SerializerClass, success, success_envelope
from erp.api.error_examples import error_responses

View = TypeVar("View", bound=Callable[..., Any])

_ANY_CALL: tuple[type[Exception], ...] = (rest.NotAcceptable, rest.Throttled, SuspiciousOperation)
"""A request for another host, or with a thousand parameters, is refused whatever it is about."""
_CALL_OF_A_THING: tuple[type[Exception], ...] = (rest.NotFound,)
"""The address of one thing is none where the id can be none, such as a word in the place of a number."""
_SIGNED_IN_CALL: tuple[type[Exception], ...] = (rest.NotAuthenticated, TokenRefused)
_STREAMED: dict[str, Any] = {
    "text/event-stream": {
        "type": "object",
        "properties": {
            "event": {"type": "string"},
            "id": {"type": "string", "description": "Sent as `Last-Event-ID`, the stream goes on behind it."},
            "data": {"type": "string", "description": "JSON."},
        },
        "required": ["event", "data"],
    }
}
"""What a stream is made of, one after the other."""
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
    other_answer: AnswerClass | None = None,
    headers: Mapping[str, str] | None = None,
    bodiless: Mapping[int, str] | None = None,
) -> Callable[[View], View]:
    """Document a call. ``name`` is what generated clients call it.

    ``errors`` are those of its own: what every such call may answer is added here. ``other`` gives further successful
    statuses, each with a description and an example, ``other_answer`` what is answered with them where that is
    something else. ``changes`` says that a call without a body changes something all the same, so that a browser's has
    to carry the CSRF token.
    ``once`` says that a request sent again with the same Idempotency-Key is done once.
    ``paged`` says that the list comes in numbered pages, ``cursors`` that it comes in cursor pages, both that the
    caller chooses. ``notes`` follow the summary in the description. ``downloads`` are media types without an envelope,
    each with a description.
    ``headers`` are those of the request that it heeds, ``bodiless`` statuses without content, each with a description.
    """
    pages = PAGES[paged, cursors]
    envelope = success_envelope(answer, many=many, pages=pages)
    responses: dict[int | tuple[int, str], OpenApiResponse] = {status: success(envelope, "", example, pages=pages)}
    elsewhere = success_envelope(other_answer or answer, many=many, pages=pages)
    for code, (description, value) in (other or {}).items():
        responses[code] = success(elsewhere, description, value, pages=pages)
    responses |= {code: OpenApiResponse(description=text) for code, text in (bodiless or {}).items()}
    for media_type, description in (downloads or {}).items():
        responses[status, media_type] = OpenApiResponse(_STREAMED.get(media_type, OpenApiTypes.BINARY), description)
    known = [*errors, *_refusals(changes=changes, body=body is not None, query=query is not None, once=once)]
    if not public:
        known += [*_SIGNED_IN_CALL, *((CsrfFailed,) if changes or body is not None else ())]

    def decorate(view: View) -> View:
        told = extend_schema(
            operation_id=name,
            summary=summary,
            description=f"{summary}. {notes}".strip(),
            tags=[tag],
            request=body,
            parameters=[*([query] if query else []), *([_ONCE] if once else []), *_headers(headers or {})] or None,
            responses={**responses, **error_responses([*known, *(_CALL_OF_A_THING if _is_of_a_thing(view) else ())])},
            examples=[OpenApiExample("Request", value=body_example, request_only=True)] if body_example else None,
            auth=[] if public else None,
        )
        return told(view)

    return decorate


def _refusals(*, changes: bool, body: bool, query: bool, once: bool) -> list[type[Exception]]:
    """What such a call may answer whatever its view does; of one code the first is shown."""
    known: list[type[Exception]] = []
    if once:
        known += [IdempotencyConflict, InvalidRequest]
    if changes or body:
        known.append(DiskFull)
    if body:
        known += [rest.ValidationError, rest.ParseError, rest.UnsupportedMediaType, RequestDataTooBig]
    elif query:
        known.append(rest.ValidationError)
    return [*known, *_ANY_CALL]


def _is_of_a_thing(view: Callable[..., Any]) -> bool:
    """Whether the call's address holds an id: its view takes more than itself and the request."""
    return len(inspect.signature(view).parameters) > 2


def _headers(described: Mapping[str, str]) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=text)
        for name, text in described.items()
    ]
