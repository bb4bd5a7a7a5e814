"""Every address that the web process answers, as the router has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

_METHODS = ("get", "post", "put", "patch", "delete")


class Route(NamedTuple):
    """One method of one address; of the admin and of plain pages all methods together."""

    method: str
    path: str  # as /api/data-sync/files/{file_id}

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes() -> list[Route]:
    """All of them."""
    return [
        Route(method, "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address))
        for address, pattern in _patterns(get_resolver().url_patterns, before="")
        for method in _methods_of(pattern.callback)
    ]


def _patterns(patterns: Iterable[Any], *, before: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, before=address)
        else:
            yield address, pattern


def _methods_of(view: Any) -> list[str]:
    cls = getattr(view, "cls", None)  # of a view of the API
    return ["ANY"] if cls is None else [method.upper() for method in _METHODS if hasattr(cls, method)]
