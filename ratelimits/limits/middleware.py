"""Counting each request of the API and of sign-in before its view, and telling each caller how much is left."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from erp.api.errors import error_of
from erp.api.renderers import dumps, error_document
from erp.refusals import refusal_page
from ratelimits.limits.choices import Scope
from ratelimits.limits.endpoints import API
from ratelimits.limits.headers import headers_of
from ratelimits.limits.scopes import scope_of
from ratelimits.limits.services import Verdict, count_request, uncounted
from ratelimits.metrics import REFUSED
from ratelimits.signals import refused


class RateHeadersMiddleware:
    """Put the headers on every answer of the API, also on one that was given before anybody was counted.

    It stands outside all that may answer by itself: redirects, requests for other hosts, errors. Those are not counted
    afterwards either, and nobody is asked how their caller stands: they tell of limits of which nothing was taken.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if settings.RATE_LIMITS_ENABLED and request.path_info.startswith(API):
            verdict: Verdict | None = getattr(request, "rate_verdict", None)
            verdict = verdict or uncounted(request, scope_of(request) or Scope.DEFAULT)
            for name, value in headers_of(verdict).items():
                response.headers.setdefault(name, value)
        return response


class RateLimitMiddleware:
    """Count the request, and refuse it where its caller has none left. Stands behind whatever says who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scope = scope_of(request) if settings.RATE_LIMITS_ENABLED else None
        if scope is None:
            return self.get_response(request)
        verdict = count_request(request, scope)
        request.rate_verdict = verdict  # type: ignore[attr-defined]
        return self.get_response(request) if verdict.allowed else self._refuse(request, verdict)

    def _refuse(self, request: HttpRequest, verdict: Verdict) -> HttpResponse:
        REFUSED.labels(verdict.scope, verdict.tier).inc()
        limit = verdict.tightest.taken.limit
        refused.send_robust(
            type(self), request=request, key=verdict.key, scope=verdict.scope.value, tier=verdict.tier,
            path=request.path, limit=limit,
        )  # fmt: skip
        error = error_of(verdict.error)
        if not request.path_info.startswith(API):
            return refusal_page(request, error=error, wait=verdict.error.wait)
        return HttpResponse(
            dumps(error_document(error, request=request)),
            status=HTTPStatus.TOO_MANY_REQUESTS,
            content_type="application/json",
            headers={"Retry-After": str(max(1, ceil(verdict.error.wait)))},
        )
