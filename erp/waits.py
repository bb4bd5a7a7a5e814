"""A request waits once for a server that does not answer, whoever asks it first: the limits, the cache or the broker.

What gave up is remembered for the rest of the request, by its thread. Outside of requests nobody is kept from asking.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_local = threading.local()


@contextmanager
def waiting_once() -> Iterator[None]:
    """Around a request."""
    _local.given_up = set()
    try:
        yield
    finally:
        _local.given_up = None


def give_up(url: str) -> None:
    """Note that the server at the address has cost this request its time, and did not answer."""
    given_up: set[str] | None = getattr(_local, "given_up", None)
    if given_up is not None:
        given_up.add(_server(url))


def was_given_up(url: str) -> bool:
    """Whether this request has waited for the server already; there is none at a blank address."""
    return bool(url) and _server(url) in (getattr(_local, "given_up", None) or ())


def _server(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
