"""Counting a request, and saying how much is left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest

from erp.addresses import client_address
from ratelimits.limits.callers import Caller, caller_of
from ratelimits.limits.choices import Scope
from ratelimits.limits.endpoints import endpoint_of
from ratelimits.limits.exceptions import RateLimited
from ratelimits.limits.places import Place, places
from ratelimits.limits.selectors import Allowance, allowance, rules_of
from ratelimits.windows.base import Taken
from ratelimits.windows.shared import shared_window

_RATE = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)?([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Usage(TypedDict):
    """How far a limit is used; ``time_left`` is in seconds. As django-ratelimit tells it."""

    count: int
    limit: int
    should_limit: bool
    time_left: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands in one window, named after what it counts; others take from it as well where ``shared``."""

    name: str
    taken: Taken
    shared: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of counting a request."""

    key: str
    scope: Scope
    tier: str
    standings: tuple[Standing, ...]

    @property
    def tightest(self) -> Standing:
        """The window that decides: of those that refuse the one to wait for longest, else the one with least left."""
        return min(
            self.standings,
            key=lambda one: (one.taken.allowed, -one.taken.retry_after, one.taken.remaining),
        )

    @property
    def allowed(self) -> bool:
        """Whether the request may go on."""
        return self.tightest.taken.allowed

    @property
    def error(self) -> RateLimited:
        """What a refused caller is told."""
        taken = self.tightest.taken
        return RateLimited(
            scope=self.scope.value, tier=self.tier, limit=taken.limit, key=self.key, retry_after=taken.retry_after
        )


def count_request(request: HttpRequest, scope: Scope) -> Verdict:
    """Count the request, unless it is refused. Where the database fails, however it does, the address is counted."""
    try:
        caller = caller_of(request)
        allowed = _allowance(caller, scope)
    except (DatabaseError, InterfaceError):
        caller = Caller(client_address(request))
        allowed = allowance((), user=None, scope=scope)
    endpoint = endpoint_of(request.path_info) if allowed.endpoints else ""
    return _ask(caller, allowed, endpoint=endpoint, count=True)


def uncounted(request: HttpRequest, scope: Scope) -> Verdict:
    """What is told of a request that nobody counts: the built-in limits of its address, with nothing taken.

    Neither the store nor the database is asked, so that a flood of such requests keeps nobody waiting.
    """
    caller, allowed, now = Caller(client_address(request)), allowance((), user=None, scope=scope), time.time()
    needed = list(places(caller, allowed, endpoint=""))
    full = [
        Taken(allowed=True, limit=one.claim.limit, remaining=one.claim.limit, now=now, reset_at=now) for one in needed
    ]
    return _verdict(caller, allowed, needed, full)


def standings_of(request: HttpRequest) -> list[Verdict]:
    """How whoever asks stands in each scope; nothing is counted by it. One statement, once the request was counted."""
    caller = caller_of(request)
    rules = rules_of(caller.user)
    return [_ask(caller, allowance(rules, user=caller.user, scope=scope), count=False) for scope in Scope]


def get_usage(
    request: HttpRequest,
    *,
    group: str,
    key: str | Callable[[str, HttpRequest], str],
    rate: str,
    increment: bool = False,
) -> Usage:
    """Count or look at a limit of one's own, with the interface of django-ratelimit.

    ``key`` is "user_or_ip", "ip" or a function of group and request; ``rate`` is like "60/m" or "100/2h". Raises
    ``ValueError`` for others.
    """
    limit, seconds = parsed_rate(rate)
    window = shared_window()
    ask = window.take if increment else window.look
    counted = f"{_key(request, group, key)}|usage:{group}:{seconds}"  # whatever the group's name, never a scope's log
    taken = ask(counted, limit=limit, seconds=seconds)
    return Usage(
        count=limit - taken.remaining, limit=limit, should_limit=not taken.allowed, time_left=taken.reset_after
    )


def parsed_rate(rate: str) -> tuple[int, int]:
    """Limit and seconds of a rate such as "60/m". Raises ``ValueError``."""
    found = _RATE.fullmatch(rate)
    if found is None:
        raise ValueError(f"{rate!r} is no rate; write one like 60/m.")
    limit, times, unit = found.groups()
    return int(limit), int(times or 1) * _UNITS[unit]


def _allowance(caller: Caller, scope: Scope) -> Allowance:
    return allowance(rules_of(caller.user), user=caller.user, scope=scope)


def _ask(caller: Caller, allowed: Allowance, *, endpoint: str = "", count: bool) -> Verdict:
    needed = list(places(caller, allowed, endpoint=endpoint))
    return _verdict(caller, allowed, needed, shared_window().ask([place.claim for place in needed], count=count))


def _verdict(caller: Caller, allowed: Allowance, needed: Sequence[Place], answers: Sequence[Taken]) -> Verdict:
    standings = tuple(Standing(place.name, taken, place.shared) for place, taken in zip(needed, answers, strict=True))
    return Verdict(caller.key, allowed.scope, allowed.tier, standings)


def _key(request: HttpRequest, group: str, key: str | Callable[[str, HttpRequest], str]) -> str:
    if callable(key):
        return key(group, request)
    if key == "user_or_ip":
        return caller_of(request).key
    if key == "ip":
        return Caller(client_address(request)).key
    raise ValueError(f"{key!r} is no key; write user_or_ip or ip, or give a function.")
