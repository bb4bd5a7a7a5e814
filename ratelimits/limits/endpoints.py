"""The calls that a rule may name: by the names that their addresses have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.exceptions import Resolver404

API = "/api/"
_MEANT = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""What a call is there for; the others every call answers."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API: its path as it is written in the routes, and its methods."""

    name: str
    path: str
    methods: frozenset[str]


def calls() -> Iterator[Call]:
    """All that have a name."""
    return _calls(get_resolver().url_patterns, before="/")


def endpoint_names() -> frozenset[str]:
    """The names of all calls under ``/api/``."""
    return frozenset(call.name for call in calls())


def endpoint_of(path: str) -> str:
    """The name of the call at this path; blank where there is none."""
    try:
        return get_resolver().resolve(path).view_name or ""
    except Resolver404:
        return ""


def _calls(patterns: Any, *, before: str) -> Iterator[Call]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _calls(pattern.url_patterns, before=path)
        elif isinstance(pattern, URLPattern) and pattern.name and path.startswith(API):
            yield Call(pattern.name, path, _methods(pattern.callback))


def _methods(view: Any) -> frozenset[str]:
    answered = getattr(view, "cls", None)
    return frozenset(method for method in _MEANT if answered is None or hasattr(answered, method.lower()))
