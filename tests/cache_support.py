"""A cache on a real Redis, and things to keep in it."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from erp.caching import store
from erp.caching.backend import cache_settings
from erp.caching.cached import Cached, cache_result, registry
from erp.caching.tags import EVERYTHING, known, renew
from erp.connections import PUBLISH_SECONDS
from tests import services

Keep = Callable[..., Cached[Any, Any]]


def use_cache(settings: Any, url: str, *, seconds: float = PUBLISH_SECONDS) -> None:
    """Let this process cache there from now on; blank: in its own memory."""
    settings.CACHES = {"default": cache_settings(url, seconds=seconds)}
    store.breaker.close()


@pytest.fixture
def shared_cache(settings: Any, private_redis: str) -> Iterator[str]:
    """The session's Redis as the cache."""
    use_cache(settings, private_redis, seconds=10.0)  # on a busy machine it is slow, not away
    yield private_redis
    store.breaker.close()
    renew({EVERYTHING})


@pytest.fixture
def own_redis(settings: Any) -> Iterator[services.Server]:
    """A Redis as the cache that a test may freeze and stop."""
    server = services.start_redis()
    use_cache(settings, server.url)
    yield server
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGCONT)
    server.stop()
    use_cache(settings, "")


@pytest.fixture
def keep() -> Iterator[Keep]:
    """``cache_result`` for the length of a test, under a kind that nothing else has."""
    made: list[str] = []

    def keep(function: Callable[..., Any], *, tags: tuple[str, ...] = (), **options: Any) -> Cached[Any, Any]:
        made.append(f"test{uuid.uuid4().hex[:8]}")
        known.update(tags)
        return cache_result(kind=made[-1], tags=tags, **options)(function)

    yield keep
    for kind in made:
        del registry[kind]


class Counting:
    """A function that says how often it was computed."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times
