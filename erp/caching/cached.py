"""``cache_result``: the answer of a function is kept until what it was computed from changes.

A cached thing lies under ``erp:{kind}:{hash}`` and holds the versions of its tags. One question reads both: versions
that differ are a miss. So whoever reads after a change was committed gets what holds since, and a computation that
began before it keeps something that nobody takes.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

from django.core.serializers.json import DjangoJSONEncoder

from erp.caching import store
from erp.caching import tags as versions_of
from erp.caching.breaker import CacheAway
from erp.caching.changes import pending
from erp.caching.flights import flights
from erp.caching.statistics import Outcome, statistics

P = ParamSpec("P")
R = TypeVar("R")
Key = str | Callable[..., object]
Arguments = Mapping[str, Any]

USUAL_SECONDS = 300
SHAPE = 1
"""Goes into every key: another number where an answer looks otherwise than before, so that no old one is taken."""
WAIT_SECONDS = 5.0
"""So long somebody waits in all for those who compute the same, before they compute it themselves."""
LOCK_SECONDS = 15.0
"""So long a process that is lost keeps the others from computing without waiting."""
_LOOKED_EVERY = 0.02
_VERSIONS, _DATA = "versions", "data"
registry: dict[str, Cached[Any, Any]] = {}
"""What is cached in this installation, by kind; ``selectors.everything_cached`` fills it."""


class Cached(Generic[P, R]):
    """A function whose answers are kept. Each caller has a copy of its own; what lies in the cache is JSON."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        kind: str,
        ttl: int,
        key: Key,
        tags: Sequence[str],
        warm: Callable[[], Iterable[Arguments]] | None,
    ) -> None:
        self.function, self.kind, self.ttl = function, kind, ttl
        self.tags = (*tags, versions_of.EVERYTHING)
        self._key = key
        self._warm = warm
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The answer, from the cache where it is there and nothing has changed since."""
        compute = partial(self.function, *args, **kwargs)
        name = self._name(*args, **kwargs)
        if name is None:
            statistics.asked(self.kind, Outcome.BYPASSED)
            return self._as_kept(compute)
        try:
            outcome, answer = self._ask(name, compute)
        except CacheAway:
            outcome, answer = Outcome.ERROR, self._as_kept(compute)
        statistics.asked(self.kind, outcome)
        return answer

    @staticmethod
    def _as_kept(compute: Callable[[], R]) -> R:
        """What is computed as it would come out of the cache, so that nobody sees a difference."""
        answer: R = _plain(_written(compute()))
        return answer

    def warm(self) -> int:
        """Compute those of the answers that are asked for most, where they are not there; how many."""
        computed = 0
        for arguments in self._warm() if self._warm else ():
            name = self._name(**arguments)
            if name is not None:
                outcome, _answer = self._ask(name, partial(self.function, **arguments))
                computed += outcome is Outcome.MISS
        return computed

    @property
    def can_be_warmed(self) -> bool:
        """Whether it says which of its answers are asked for most."""
        return self._warm is not None

    def _name(self, *args: Any, **kwargs: Any) -> str | None:
        """Where the answer to these arguments lies; None: it is not to be kept, or not yet, before a commit."""
        if pending(self.tags):
            return None
        key = self._key(*args, **kwargs) if callable(self._key) else self._key
        if key is None:
            return None
        text = json.dumps([SHAPE, key], cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"))
        return f"{self.kind}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def _ask(self, name: str, compute: Callable[[], R]) -> tuple[Outcome, R]:
        """The answer and where it came from. Raises ``CacheAway`` before anything was computed, never after."""
        versions, kept = self._look(name)
        if kept is not None:
            return Outcome.HIT, kept[_DATA]
        outcome = Outcome.SHARED
        until = time.monotonic() + WAIT_SECONDS

        def compute_once() -> str:
            nonlocal outcome
            text, outcome = self._compute_or_wait(name, versions, compute, until=until)
            return text

        text = flights.share((name, versions), compute_once, until=until)
        return outcome, _plain(text)

    def _look(self, name: str) -> tuple[versions_of.Versions, dict[str, Any] | None]:
        """The versions at this moment, and what is kept where it was computed from them; one question."""
        versions_of.settle()
        found = store.read([name, *map(versions_of.name_of, self.tags)])
        versions = versions_of.versions(self.tags, found)
        return versions, _valid(found.get(name), versions)

    def _compute_or_wait(
        self, name: str, versions: versions_of.Versions, compute: Callable[[], R], *, until: float
    ) -> tuple[str, Outcome]:
        """Compute, unless another process is at it and brings it in time; where that one fails, somebody else does."""
        text: str | None = None
        try:
            while True:
                with store.held(f"lock:{name}:{_digest(versions)}", seconds=LOCK_SECONDS) as mine:
                    kept = _valid(store.read([name]).get(name), versions)
                    if kept is not None:  # whoever had the lock before has just finished
                        return json.dumps(kept[_DATA]), Outcome.SHARED
                    if mine or time.monotonic() >= until:
                        text = _written(compute())
                        store.write(name, {_VERSIONS: list(versions), _DATA: json.loads(text)}, seconds=self.ttl)
                        return text, Outcome.MISS
                time.sleep(_LOOKED_EVERY)
        except CacheAway:  # before it was computed, or after
            return (_written(compute()) if text is None else text), Outcome.ERROR


def cache_result(
    *,
    tags: Sequence[str],
    ttl: int = USUAL_SECONDS,
    key: Key = "",
    kind: str = "",
    warm: Callable[[], Iterable[Arguments]] | None = None,
) -> Callable[[Callable[P, R]], Cached[P, R]]:
    """Keep the answers of a function, which are JSON and the same for everybody who gives the same key.

    ``tags`` name what they are computed from; a change of any makes them outdated, as ``ttl`` seconds do. ``key`` is
    called with the function's arguments and gives what tells its answers apart, plain values, or None where an answer
    is not to be kept. ``kind`` is the function's name unless it is said. ``warm`` gives the arguments, by name, of the
    answers that are asked for most.
    """

    def decorate(function: Callable[P, R]) -> Cached[P, R]:
        if not callable(key) and inspect.signature(function).parameters:
            raise TypeError(f"{function.__name__} takes arguments: say by key which of them tell its answers apart.")
        cached = Cached(function, kind=kind or function.__name__, ttl=ttl, key=key, tags=tags, warm=warm)
        if registry.setdefault(cached.kind, cached) is not cached:
            raise ValueError(f"Two things that are cached are called {cached.kind}.")
        return cached

    return decorate


def _written(answer: object) -> str:
    """The answer as JSON; what is none, such as a date or a translated text, must not be kept."""
    return json.dumps(answer, allow_nan=False)


def _plain(text: str) -> Any:
    return json.loads(text)


def _valid(found: Any, versions: versions_of.Versions) -> dict[str, Any] | None:
    """What was found under a name, where it is an answer of ours and was computed from these versions."""
    if isinstance(found, dict) and _DATA in found and found.get(_VERSIONS) == list(versions):
        return found
    return None


def _digest(versions: versions_of.Versions) -> str:
    return hashlib.sha256("".join(versions).encode()).hexdigest()[:16]
