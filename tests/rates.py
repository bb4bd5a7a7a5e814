"""The rate limiter turned on, with a store of its own, for the tests of limits."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from redis import Redis

from ratelimits.models import RateRule
from ratelimits.windows.shared import SharedWindow, shared_window

TABLE: dict[str, tuple[int, int, int]] = import_module("ratelimits.migrations.0002_rate_rules").RULES
SCOPES = ("default", "data_sync", "auth")
ME, LOGIN, SINGLE, TASKS = "/api/auth/me", "/api/auth/login", "/api/data-sync/single", "/api/data-sync/tasks"


@pytest.fixture
def limiter(db: None, settings: Any, tmp_path: Path) -> Iterator[SharedWindow]:
    """Limits are on, and nobody has asked for anything: on Redis where the session has one, else on a file."""
    settings.RATE_LIMITS_ENABLED = True
    settings.VAR_DIR = tmp_path
    forget(settings.REDIS_URL)
    shared_window.cache_clear()
    make_rules()
    yield shared_window()
    shared_window.cache_clear()
    forget(settings.REDIS_URL)


def forget(url: str) -> None:
    """Begin anew: ids of persons come again in other tests."""
    if url:
        with Redis.from_url(url) as redis:
            for key in redis.scan_iter("erp:rl:*"):
                redis.delete(key)


def make_rules() -> None:
    """The rules and groups that an installation starts with; tests that commit have emptied the tables."""
    for tier, limits in TABLE.items():
        if tier != "anonymous":
            Group.objects.get_or_create(name=tier)
        for scope, per_minute in zip(SCOPES, limits, strict=True):
            RateRule.objects.update_or_create(
                tier=tier, scope=scope, endpoint="", defaults={"per_minute": per_minute, "enabled": True}
            )


def allow(per_minute: int, *, tier: str = "normal", scope: str = "default", endpoint: str = "") -> RateRule:
    """Let the people of a tier ask so often."""
    values = {"per_minute": per_minute, "enabled": True}
    return RateRule.objects.update_or_create(tier=tier, scope=scope, endpoint=endpoint, defaults=values)[0]


def put_into(user: User, *groups: str) -> User:
    """Make the person one of these groups."""
    user.groups.add(*(Group.objects.get_or_create(name=name)[0] for name in groups))
    return user


def remaining(response: Any) -> int:
    """How many requests the answer says are left."""
    return int(response["X-RateLimit-Remaining"])
