"""The windows in which a request needs a place. It takes one in each of them, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ratelimits.limits.callers import Caller
from ratelimits.limits.choices import MOST_PER_MINUTE, WIDER, WINDOW_SECONDS, Scope
from ratelimits.limits.selectors import Allowance
from ratelimits.windows.base import Claim


@dataclass(frozen=True, slots=True)
class Place:
    """A window by the name that callers are told; ``shared`` where others than the caller take from it as well."""

    name: str
    claim: Claim
    shared: bool = False


def places(caller: Caller, allowed: Allowance, *, endpoint: str) -> Iterator[Place]:
    """The caller's own window of the scope, that of the call where it has a limit, and at sign-in the wider ones.

    A call counts apart in each scope: reading it and changing it are two things. ``endpoint`` may be blank.
    """
    scope = allowed.scope
    yield Place(scope.value, _claim(scope, caller.key, allowed.per_minute))
    if rule := allowed.endpoints.get(endpoint):
        yield Place(endpoint, _claim(scope, caller.key, rule.per_minute, endpoint=endpoint))
    if scope is Scope.AUTH:
        yield from _wider(caller, allowed.per_minute)


def _wider(caller: Caller, per_minute: int) -> Iterator[Place]:
    """By address whoever asks, else each account would be worth a window; and by networks that have many addresses."""
    if caller.user is not None:
        yield Place("auth-address", _claim(Scope.AUTH, caller.address_key, per_minute), shared=True)
    for prefix, times in WIDER.items():
        if key := caller.network_key(prefix):
            limit = min(times * per_minute, MOST_PER_MINUTE)
            yield Place(f"auth-network-{prefix}", _claim(Scope.AUTH, key, limit), shared=True)


def _claim(scope: Scope, who: str, limit: int, *, endpoint: str = "") -> Claim:
    """What a cluster of Redis has to keep on one node stands before the bar: the caller, or all that signs in."""
    what = f"{scope}:{endpoint}" if endpoint else str(scope)
    key = f"{Scope.AUTH}|{who}|{what}" if scope is Scope.AUTH else f"{who}|{what}"
    return Claim(key, limit, WINDOW_SECONDS)
