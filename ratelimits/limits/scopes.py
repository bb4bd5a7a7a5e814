"""In which scope a request counts, and in which ones a call can."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from ratelimits.limits.choices import Scope
from ratelimits.limits.endpoints import API, calls

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_DATA_SYNC = "/api/data-sync/"
_LOGIN = "/api/auth/login"


def scope_of(request: HttpRequest) -> Scope | None:
    """None where the request is none of the API's and does not sign in."""
    changes = request.method not in _SAFE
    if changes and request.path == reverse("admin:login"):
        return Scope.AUTH
    return _scope(request.path_info, changes=changes) if request.path_info.startswith(API) else None


def scopes_of(endpoint: str) -> frozenset[Scope]:
    """Where the call of this name can count; nowhere where there is none."""
    return frozenset(_scopes_of(endpoint))


def _scopes_of(endpoint: str) -> Iterator[Scope]:
    for call in calls():
        if call.name == endpoint:
            yield from (_scope(call.path, changes=method not in _SAFE) for method in call.methods)


def _scope(path: str, *, changes: bool) -> Scope:
    if changes and path == _LOGIN:
        return Scope.AUTH
    return Scope.DATA_SYNC if changes and path.startswith(_DATA_SYNC) else Scope.DEFAULT
