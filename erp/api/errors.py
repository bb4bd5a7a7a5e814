"""From an exception to the error of the contract: one table, one handler.

``code`` never changes; ``detail`` and ``recovery_suggestion`` follow the language of the request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from kombu.exceptions import OperationalError as BrokerError
from rest_framework import exceptions as rest
from rest_framework.response import Response
from rest_framework.views import set_rollback

from datasync import exceptions as sync
from datasync.exports import exceptions as exports
from datasync.runs.retry import POLICY
from erp.api.authentication import CsrfFailed
from erp.api.renderers import request_id_of
from erp.lockout.exceptions import SignInLocked
from ratelimits.limits.exceptions import RateLimited
from ratelimits.rules.exceptions import RateRuleExists

logger = logging.getLogger(__name__)

_PLAIN = (str, int, float, type(None))


@dataclass(frozen=True, slots=True)
class Problem:
    """How one kind of exception is told to the caller. Blank texts are the exception's own."""

    status: HTTPStatus
    kind: str
    code: str = ""
    detail: str = ""
    recovery: str = ""


INTERNAL = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_error",
    "INTERNAL_ERROR",
    _("Something went wrong on our side."),
    _("Try again; if it happens again, tell the operators the request id."),
)
UNAVAILABLE = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "service_unavailable",
    "SERVICE_UNAVAILABLE",
    _("A service that this needs cannot be reached."),
    _("Try again in a moment."),
)
TOO_LARGE = Problem(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "payload_too_large",
    "PAYLOAD_TOO_LARGE",
    _("The request is larger than allowed."),
    _("Send less at once; files go to the upload."),
)
MALFORMED = Problem(
    HTTPStatus.BAD_REQUEST, "validation_error", "MALFORMED_REQUEST", recovery=_("Send a valid JSON body in UTF-8.")
)
SUSPICIOUS = Problem(
    HTTPStatus.BAD_REQUEST,
    "validation_error",
    "MALFORMED_REQUEST",
    _("The request is not acceptable."),
    _("Correct the request."),
)
INVALID = Problem(
    HTTPStatus.BAD_REQUEST, "validation_error", "VALIDATION_ERROR", recovery=_("Correct the fields named.")
)
SIGNED_OUT = Problem(
    HTTPStatus.UNAUTHORIZED, "authentication", "NOT_AUTHENTICATED", recovery=_("Sign in, and send the token.")
)
NOT_SIGNED_IN = Problem(
    HTTPStatus.UNAUTHORIZED, "authentication", "AUTHENTICATION_FAILED", recovery=_("Sign in again.")
)
FORBIDDEN = Problem(
    HTTPStatus.FORBIDDEN, "permission", "PERMISSION_DENIED", recovery=_("Ask an administrator for the right.")
)
NOT_FOUND = Problem(
    HTTPStatus.NOT_FOUND,
    "not_found",
    "NOT_FOUND",
    _("There is nothing at this address."),
    _("Check the address and the id."),
)

PROBLEMS: dict[type[BaseException], Problem] = {
    sync.NotFound: Problem(HTTPStatus.NOT_FOUND, "not_found"),
    sync.FileBusy: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.TemplateNotDraft: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.TemplateOutdated: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.TemplateNotInUse: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.FileDeleted: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.FileBeingDeleted: Problem(HTTPStatus.CONFLICT, "conflict"),
    exports.LinkExpired: Problem(HTTPStatus.GONE, "gone"),
    sync.FileMissing: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.FileChanged: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.TaskFinished: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.TaskRunning: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.NothingToRetry: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.IdempotencyConflict: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.FencedOut: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.RowDecided: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.LimitedToShops: Problem(HTTPStatus.FORBIDDEN, "permission"),
    RateRuleExists: Problem(HTTPStatus.CONFLICT, "conflict"),
    sync.QuotaExceeded: Problem(HTTPStatus.TOO_MANY_REQUESTS, "quota_exceeded"),
    RateLimited: Problem(HTTPStatus.TOO_MANY_REQUESTS, "throttled"),
    SignInLocked: Problem(HTTPStatus.TOO_MANY_REQUESTS, "throttled"),
    sync.CreditsExhausted: Problem(HTTPStatus.PAYMENT_REQUIRED, "credits_exhausted"),
    sync.InvalidRequest: Problem(HTTPStatus.BAD_REQUEST, "validation_error"),
    sync.TooLarge: Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large"),
    sync.DiskFull: Problem(HTTPStatus.INSUFFICIENT_STORAGE, "insufficient_storage"),
    sync.TransientError: Problem(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable"),
    sync.SyncError: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unprocessable"),
    rest.ValidationError: INVALID,
    rest.ParseError: MALFORMED,
    rest.NotAuthenticated: SIGNED_OUT,
    rest.AuthenticationFailed: NOT_SIGNED_IN,
    CsrfFailed: Problem(
        HTTPStatus.FORBIDDEN,
        "permission",
        "CSRF_FAILED",
        recovery=_("Send the csrftoken cookie's value as X-CSRFToken, or use a token instead of the session."),
    ),
    rest.PermissionDenied: FORBIDDEN,
    PermissionDenied: FORBIDDEN,
    rest.NotFound: NOT_FOUND,
    Http404: NOT_FOUND,
    rest.MethodNotAllowed: Problem(
        HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "METHOD_NOT_ALLOWED", recovery=_("See the API's document.")
    ),
    rest.NotAcceptable: Problem(
        HTTPStatus.NOT_ACCEPTABLE, "not_acceptable", "NOT_ACCEPTABLE", recovery=_("Accept application/json.")
    ),
    rest.UnsupportedMediaType: Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "UNSUPPORTED_MEDIA_TYPE",
        recovery=_("Send the content type that the API's document names."),
    ),
    rest.Throttled: Problem(
        HTTPStatus.TOO_MANY_REQUESTS, "throttled", "RATE_LIMITED", recovery=_("Wait as long as Retry-After says.")
    ),
    RequestDataTooBig: TOO_LARGE,
    SuspiciousOperation: SUSPICIOUS,
    OperationalError: UNAVAILABLE,
    InterfaceError: UNAVAILABLE,
    BrokerError: UNAVAILABLE,
}
"""The one mapping: an exception is told as the nearest of its classes in this table says."""


def problem_of(cls: type[BaseException]) -> Problem:
    """How exceptions of this class are told."""
    return next((PROBLEMS[base] for base in cls.__mro__ if base in PROBLEMS), INTERNAL)


def error_of(exc: Exception) -> dict[str, Any]:
    """The ``error`` object of the envelope, in the active language."""
    problem = problem_of(type(exc))
    error: dict[str, Any] = {"code": problem.code, "type": problem.kind}
    if isinstance(exc, sync.SyncError):
        return error | sync_error(exc) | _named_field(exc)
    if isinstance(exc, rest.ValidationError):
        fields = dict(_field_messages(exc.detail))
        detail = " ".join(f"{name}: {text}" if name else text for name, text in fields.items())
        return error | {"detail": detail, "recovery_suggestion": gettext(problem.recovery), "fields": fields}
    own_text = str(exc.detail) if isinstance(exc, rest.APIException) else ""
    detail = gettext(problem.detail) if problem.detail else own_text
    return error | {"detail": detail, "recovery_suggestion": gettext(problem.recovery)}


def message_of(exc: sync.SyncError) -> str:
    """The message of an expected error in the active language."""
    return exc.say(gettext(exc.template))


def sync_error(exc: sync.SyncError) -> dict[str, Any]:
    """What an expected error says of itself: its code, texts in the active language, and plain parameters."""
    return {
        "code": exc.code,
        "detail": message_of(exc),
        "recovery_suggestion": gettext(exc.recovery),
        "params": {name: _plain(value) for name, value in exc.params.items()},
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it; a list of such values as one, anything else as text."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, _PLAIN) else str(value)


def _named_field(exc: sync.SyncError) -> dict[str, Any]:
    """The field of a request that a service refused, told as those are that a serializer refuses."""
    name = exc.params.get("field") if isinstance(exc, sync.InvalidRequest) else None
    return {"fields": {name: message_of(exc)}} if name else {}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of a view; a bug is logged with its traceback and told without its internals."""
    full = POLICY.is_disk_full(exc)
    problem = problem_of(sync.DiskFull if full else type(exc))
    if full or problem in {INTERNAL, UNAVAILABLE}:
        logger.error("request %s failed", request_id_of(context.get("request")), exc_info=exc)
    if full:
        exc = sync.DiskFull()
    set_rollback()
    if isinstance(exc, sync.QuotaExceeded):
        with suppress(DatabaseError):  # the reason is told all the same
            exc.complete()
    response = Response(error_of(exc), status=problem.status)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = getattr(exc, "auth_header", None) or "Bearer"
    if (wait := getattr(exc, "wait", None)) is not None:
        response["Retry-After"] = str(int(wait) + 1)
    response.exception = True
    return response


def _field_messages(detail: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Flatten DRF's nested details to ``("file_ids.3", "text")``."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            part = "" if key == "non_field_errors" else str(key)
            yield from _field_messages(value, ".".join(filter(None, (name, part))))
    elif isinstance(detail, list) and detail and isinstance(detail[0], dict):
        for index, value in enumerate(detail):
            yield from _field_messages(value, f"{name}.{index}")
    elif isinstance(detail, list):
        yield name, " ".join(str(text) for text in detail)
    else:
        yield name, str(detail)
