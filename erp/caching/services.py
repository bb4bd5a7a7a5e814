"""Making outdated what is cached, and computing it before somebody asks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from erp.caching import selectors, store, tags
from erp.caching.breaker import CacheAway
from erp.caching.exceptions import CacheUnavailable, TagUnknown

logger = logging.getLogger(__name__)
ASKED_WITHIN = timedelta(minutes=10)
"""What nobody has asked for so long is not computed in advance."""


@dataclass(frozen=True, slots=True)
class Warmed:
    """What was computed in advance: how many answers of each kind."""

    kinds: dict[str, int]

    @property
    def computed(self) -> int:
        """All of them."""
        return sum(self.kinds.values())


def clear(tag: str | None = None) -> str:
    """Make what was computed from a tag outdated, or everything; the tag.

    What other parts of the product keep in Redis, the broker's messages among it, stays. Raises ``TagUnknown``, and
    ``CacheUnavailable`` where the cache does not answer; then it is done as soon as it does.
    """
    known = selectors.known_tags()
    chosen = tag or tags.EVERYTHING
    if chosen not in known:
        raise TagUnknown(field="tag", what=chosen[:60], tags=", ".join(known))
    if not tags.renew({chosen}):
        raise CacheUnavailable
    return chosen


def warm(*, asked_lately: bool = False) -> Warmed:
    """Compute what is asked for most, where it is not there; ``asked_lately``: only what somebody wants these minutes.

    Raises ``CacheUnavailable``.
    """
    wanted = [cached for cached in selectors.everything_cached().values() if cached.can_be_warmed]
    if asked_lately:
        asked = {kind.kind for kind in selectors.standing().kinds if _is_recent(kind)}
        wanted = [cached for cached in wanted if cached.kind in asked]
    try:
        return Warmed({cached.kind: cached.warm() for cached in wanted})
    except CacheAway:
        raise CacheUnavailable from None


def warm_what_is_asked_for() -> Warmed:
    """What the clock does: nothing where each process has a cache of its own, nor while the cache is away."""
    if not store.is_shared():
        return Warmed({})
    try:
        return warm(asked_lately=True)
    except CacheUnavailable:
        logger.info("Nothing was computed in advance: the cache does not answer")
        return Warmed({})


def _is_recent(kind: selectors.Kind) -> bool:
    return kind.asked_at is not None and timezone.now() - kind.asked_at < ASKED_WITHIN
