"""Answers for requests that reach no view of the API; those under ``/api/`` get the envelope too."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext
from django.views import defaults

from erp.api.errors import INTERNAL, NOT_FOUND, SUSPICIOUS, Problem
from erp.api.renderers import dumps, error_document


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """No such address."""
    return _answer(request, NOT_FOUND) or defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """A request that Django itself refuses, such as one for a host that is not ours."""
    return _answer(request, SUSPICIOUS) or defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """A bug outside any view of the API."""
    return _answer(request, INTERNAL) or defaults.server_error(request)


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse | None:
    if not request.path.startswith("/api/"):
        return None
    error = {
        "code": problem.code,
        "type": problem.kind,
        "detail": gettext(problem.detail),
        "recovery_suggestion": gettext(problem.recovery),
    }
    status = HTTPStatus(problem.status)
    return HttpResponse(dumps(error_document(error, request=request)), status=status, content_type="application/json")
