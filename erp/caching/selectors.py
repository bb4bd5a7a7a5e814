"""What is cached here, and how often that helped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.module_loading import autodiscover_modules

from erp.caching import store, tags
from erp.caching.breaker import CacheAway
from erp.caching.cached import Cached, registry
from erp.caching.statistics import ASKED_AT, INVALIDATED, Outcome, statistics

SHARED, PROCESS = "redis", "process"
_OURS = "api.cached"
"""The module of an application that says what of it is cached."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is cached: for how long at most, what makes it outdated, and what came of each question."""

    kind: str
    ttl_seconds: int
    tags: tuple[str, ...]
    hits: int
    misses: int
    shared: int
    bypassed: int
    errors: int
    asked_at: datetime | None

    @property
    def hit_percent(self) -> float | None:
        """The share of questions that cost no computation; None while nobody has asked."""
        answered = self.hits + self.shared
        asked = answered + self.misses + self.errors
        return round(100 * answered / asked, 1) if asked else None


@dataclass(frozen=True, slots=True)
class Tag:
    """What can change, and how often it did."""

    tag: str
    invalidations: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The cache at this moment. ``shared`` False: each process has its own, and the numbers are this one's."""

    backend: str
    available: bool
    kinds: tuple[Kind, ...]
    tags: tuple[Tag, ...]

    @property
    def shared(self) -> bool:
        """Whether all processes have one."""
        return self.backend == SHARED


def everything_cached() -> Mapping[str, Cached[Any, Any]]:
    """What is cached in this installation, by kind."""
    autodiscover_modules(_OURS)
    return registry


def known_tags() -> list[str]:
    """What can be made outdated."""
    everything_cached()
    return sorted(tags.known)


def standing() -> Standing:
    """The cache at this moment; where it does not answer, the numbers are those of this process."""
    numbers = statistics.totals()
    cached = everything_cached()
    return Standing(
        backend=SHARED if store.is_shared() else PROCESS,
        available=_answers(),
        kinds=tuple(_kind(cached[kind], numbers) for kind in sorted(cached)),
        tags=tuple(Tag(tag, numbers.get(f"{tag}:{INVALIDATED}", 0)) for tag in known_tags()),
    )


def _kind(cached: Cached[Any, Any], numbers: Mapping[str, int]) -> Kind:
    def number(outcome: Outcome) -> int:
        return numbers.get(f"{cached.kind}:{outcome.value}", 0)

    moment = numbers.get(f"{cached.kind}:{ASKED_AT}")
    return Kind(
        kind=cached.kind,
        ttl_seconds=cached.ttl if store.is_shared() else min(cached.ttl, store.PROCESS_SECONDS),
        tags=tuple(tag for tag in cached.tags if tag != tags.EVERYTHING),
        hits=number(Outcome.HIT),
        misses=number(Outcome.MISS),
        shared=number(Outcome.SHARED),
        bypassed=number(Outcome.BYPASSED),
        errors=number(Outcome.ERROR),
        asked_at=None if moment is None else datetime.fromtimestamp(moment, UTC),
    )


def _answers() -> bool:
    try:
        store.read([tags.name_of(tags.EVERYTHING)])
    except CacheAway:
        return False
    return True
