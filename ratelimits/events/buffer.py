"""Refused requests that wait in this process to be written: added up, and never more than fit."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ratelimits.events.models import OTHERS
from ratelimits.events.refusals import Refusal

MOST_KINDS = 2_000
"""So many kinds of refusals, by caller, scope and path, are told apart within a minute: so many of persons, and so many
of addresses, which cost whoever has a network of IPv6 nothing and must not hide who has signed in."""
MOST_PATHS = 4
"""So many paths of one caller are told apart within a minute. With ``OTHERS`` in each of three scopes those are seven
kinds, so that the 256 networks of one household do not fill it."""
MINUTE_SECONDS = 60.0

Kind = tuple[str, str, str]
"""Key, scope and path."""


@dataclass(slots=True)
class Noted:
    """Refusals of one kind: the last one, how many, and when the last one was, by this process's steady clock."""

    refusal: Refusal
    times: int
    at: float


class Buffer:
    """What waits to be written. Kinds beyond the bounds are counted as ``OTHERS``, so that no refusal is lost."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[Kind, Noted] = {}
        self._begin_minute(clock())

    def note(self, refusal: Refusal) -> None:
        """Remember a refusal."""
        with self._lock:
            self._add(Noted(refusal, 1, self._clock()))

    def take(self) -> list[Noted]:
        """Everything that waits; afterwards nothing does."""
        with self._lock:
            taken, self._waiting = list(self._waiting.values()), {}
        return taken

    def put_back(self, taken: Iterable[Noted]) -> None:
        """Let what could not be written wait on, beside what came meanwhile."""
        with self._lock:
            for noted in taken:
                self._add(noted)

    def _add(self, noted: Noted) -> None:
        now = self._clock()
        if now - self._minute >= MINUTE_SECONDS:
            self._begin_minute(now)
        kind = self._kind_of(noted.refusal)
        before = self._waiting.get(kind)
        times = noted.times + (before.times if before else 0)
        last = before if before and before.at > noted.at else noted
        refusal = replace(last.refusal, key=kind[0], path=kind[2])
        self._waiting[kind] = Noted(refusal, times, last.at)

    def _kind_of(self, refusal: Refusal) -> Kind:
        """The narrowest kind that there is room for; the widest has to be taken."""
        key, scope, path = refusal.key, refusal.scope, refusal.path
        for kind in ((key, scope, path), (key, scope, OTHERS)):
            if kind in self._known:
                return kind
            if self._sorts[_sort(key)] < MOST_KINDS and (kind[2] == OTHERS or self._paths[key] < MOST_PATHS):
                self._known.add(kind)
                self._paths[key] += 1
                self._sorts[_sort(key)] += 1
                return kind
        return (OTHERS, scope, OTHERS)

    def _begin_minute(self, now: float) -> None:
        """Forget which kinds there were, but those that still wait."""
        self._minute = now
        self._known = set(self._waiting)
        self._paths = Counter(key for key, _scope, _path in self._known)
        self._sorts = Counter(_sort(key) for key, _scope, _path in self._known)


def _sort(key: str) -> str:
    """``user`` or ``ip``."""
    return key.partition(":")[0]
