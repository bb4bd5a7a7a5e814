"""The cache as this room uses it. Whatever goes wrong with it comes out as ``CacheAway``, soon, and as nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.cache import cache, caches
from django_redis.cache import RedisCache
from redis.exceptions import LockError, RedisError

from erp.caching.breaker import Breaker, CacheAway
from erp.waits import give_up, was_given_up

logger = logging.getLogger(__name__)
PROCESS_SECONDS = 5
"""So long things are kept where each process has a cache of its own: it does not hear of what others change."""
_STATISTICS = "statistics"
breaker = Breaker()


def is_shared() -> bool:
    """Whether all processes have one cache."""
    return isinstance(caches["default"], RedisCache)


def read(names: Sequence[str]) -> dict[str, Any]:
    """What lies under these names, in one question; what is missing is left out.

    Where something lies there that this product never wrote, all of it counts as missing, and is written over.
    """
    found: dict[str, Any] = {}
    try:
        with _asking():
            found = cache.get_many(names)
    except ValueError:  # no JSON, or no UTF-8
        logger.warning("Something that is not of this product lies in the cache under one of %s", ", ".join(names))
    return found


def write(name: str, value: Any, *, seconds: float | None) -> None:
    """Keep a JSON value for so long; None: until it is replaced."""
    if seconds is not None and not is_shared():
        seconds = min(seconds, PROCESS_SECONDS)
    with _asking():
        cache.set(name, value, timeout=seconds)


def write_many(values: Mapping[str, Any]) -> None:
    """Keep values until they are replaced, in one question."""
    with _asking():
        cache.set_many(dict(values), timeout=None)


def add(name: str, value: Any, *, seconds: float | None = None) -> bool:
    """Keep a value unless one is there; whether it was this one."""
    with _asking():
        return bool(cache.add(name, value, timeout=seconds))


@contextmanager
def held(name: str, *, seconds: float) -> Iterator[bool]:
    """Whether this process alone holds the name; given back at the end, and by itself after ``seconds``.

    In the memory of one process nobody else could hold it.
    """
    if not is_shared():
        yield True
        return
    with _asking():
        lock = _redis().lock(name, timeout=seconds, blocking=False, thread_local=False)
        mine = bool(lock.acquire())
    try:
        yield mine
    finally:
        if mine:
            _give_back(lock)


def add_up(counts: Mapping[str, int], *, moments: Mapping[str, int]) -> None:
    """Add to the numbers that all processes share, and note the moments."""
    with _asking(), _redis().client.get_client(write=True).pipeline(transaction=False) as together:
        for name, number in counts.items():
            together.hincrby(cache.make_key(_STATISTICS), name, number)
        if moments:
            together.hset(cache.make_key(_STATISTICS), mapping=dict(moments))
        together.execute()


def added_up() -> dict[str, int]:
    """The numbers and moments that all processes share."""
    with _asking():
        found = _redis().client.get_client(write=False).hgetall(cache.make_key(_STATISTICS))
    return {name.decode(): int(number) for name, number in found.items() if number.isdigit()}  # else it is not ours


def _address() -> str:
    """Where a cache lies that all processes share."""
    return str(settings.CACHES["default"].get("LOCATION", [""])[0])


def _redis() -> Any:
    """The cache where it is one that all processes share."""
    return caches["default"]


def _give_back(lock: Any) -> None:
    try:
        with _asking():
            lock.release()
    except LockError:
        logger.info("A computation took longer than its lock is kept")
    except CacheAway:
        logger.info("A lock could not be given back; it ends by itself")


@contextmanager
def _asking() -> Iterator[None]:
    """Around each question."""
    if was_given_up(_address()):
        raise CacheAway
    breaker.enter()
    try:
        yield
    except (LockError, ValueError):  # it answers
        breaker.close()
        raise
    except (RedisError, OSError) as error:
        breaker.failed(error)
        give_up(_address())
        raise CacheAway from error
    breaker.close()
