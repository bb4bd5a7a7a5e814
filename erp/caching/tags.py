"""A tag stands for what can change, such as all files; its version is another one after each change.

What is cached holds the versions that it was computed from, and is outdated as soon as one of them is another. A
version is a random token, not a number: one that Redis forgot is given to nothing else and revives nothing older, as
long as Redis itself does not go back in time.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from erp.caching import store
from erp.caching.breaker import CacheAway
from erp.caching.owed import Owed
from erp.caching.statistics import INVALIDATED, statistics
from erp.metrics import CACHE_INVALIDATIONS

EVERYTHING = "everything"
"""Everything that is cached has this tag."""
Versions = tuple[str, ...]
known: set[str] = {EVERYTHING}
"""The tags of this installation."""


def name_of(tag: str) -> str:
    """Where the version of a tag lies."""
    return f"tag:{tag}"


def versions(tags: Sequence[str], found: Mapping[str, Any]) -> Versions:
    """The versions of the tags as they were read; a tag that has none is given one. Raises ``CacheAway``."""
    return tuple(str(found.get(name_of(tag)) or _first(tag)) for tag in tags)


def renew(tags: Iterable[str]) -> bool:
    """Make what was computed from these tags outdated, now; whether the cache has heard of it.

    Where it has not, this process goes on trying.
    """
    tags = set(tags)
    for tag in tags:
        CACHE_INVALIDATIONS.labels(tag).inc()
        statistics.count(tag, INVALIDATED)
    try:
        _write(tags)
    except CacheAway:
        _owed.add(tags)
        return False
    return True


def settle() -> None:
    """Tell the cache of the changes that it missed, before anything is read from it. Raises ``CacheAway``."""
    _owed.settle()


def _first(tag: str) -> str:
    """The version of a tag that seems to have none: another process's, or one that is given it now."""
    name, token = name_of(tag), secrets.token_hex(8)
    if store.add(name, token):
        return token
    if found := store.read([name]).get(name):
        return str(found)
    store.write_many({name: token})  # what lies there is no version
    return token


def _write(tags: Iterable[str]) -> None:
    store.write_many({name_of(tag): secrets.token_hex(8) for tag in tags})


_owed = Owed(_write)
