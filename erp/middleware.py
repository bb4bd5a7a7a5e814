"""What comes before everything else: a request's id, and the answers to orchestrators."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

from erp.health.views import live, ready
from erp.waits import waiting_once

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEALTH = {"/health/live": live, "/health/ready": ready}


class RequestIdMiddleware:
    """Every request has an id, in the envelope, in the log and in the answer's ``X-Request-Id``.

    It is the caller's where that is harmless, else a new one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request.request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class OneWaitMiddleware:
    """A request waits once for a server that does not answer, however many rooms would ask it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with waiting_once():
            return self.get_response(request)


class EitherSlashMiddleware:
    """An address under ``/api/`` is the same with a slash at its end and without, for every method."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith("/api/") and not is_valid_path(path):
            other = path[:-1] if path.endswith("/") else f"{path}/"
            if is_valid_path(other):
                request.path = request.path.removesuffix(path) + other
                request.path_info = other
        return self.get_response(request)


class HealthMiddleware:
    """Answer ``/health/live`` and ``/health/ready`` before hosts, encryption or sessions are looked at.

    An orchestrator asks by address and in plain HTTP; it needs no sign-in and is told no internals.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = _HEALTH.get(request.path_info)
        return view(request) if view else self.get_response(request)
