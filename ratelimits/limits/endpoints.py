"""The calls that a rule may name: by the names that their addresses have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.exceptions import Resolver404


def endpoint_names() -> frozenset[str]:
    """The names of all calls under ``/api/``."""
    return frozenset(_names(get_resolver().url_patterns, before=""))


def endpoint_of(path: str) -> str:
    """The name of the call at this path; blank where there is none."""
    try:
        return get_resolver().resolve(path).view_name or ""
    except Resolver404:
        return ""


def _names(patterns: Any, *, before: str) -> Iterator[str]:
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns, before=address)
        elif isinstance(pattern, URLPattern) and pattern.name and address.startswith("api/"):
            yield pattern.name
