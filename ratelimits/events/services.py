"""Writing down what was refused, and forgetting it in time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from ratelimits.events.buffer import Noted
from ratelimits.events.clock import database_now, day_of
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.upsert import add_up

KEPT = timedelta(days=30)
MOST_ROWS = 100_000
"""So many events are kept, and so many counts by day."""
_KEPT_FIRST = ("-day", "-refused", "pk")
_AT_ONCE = 5_000
"""So many rows are deleted in one statement, which lets others write in between."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows were old, or too many."""

    events: int
    days: int

    def as_dict(self) -> dict[str, int]:
        """By name."""
        return {"events": self.events, "days": self.days}


def record(noted: Sequence[Noted]) -> None:
    """Write down refusals that this process noted: four statements for up to 200 kinds of them.

    When each was is reckoned back from the database's clock by the process's steady one: their calendars may differ.
    """
    now, steady = database_now(), time.monotonic()
    users = _persons(noted)
    events: dict[tuple[datetime, str, str, str], dict[str, Any]] = {}
    days: Counter[tuple[date, str, str]] = Counter()
    for one in noted:
        refusal = one.refusal
        last_at = now - timedelta(seconds=steady - one.at)
        at = last_at.replace(second=0, microsecond=0)
        events[at, refusal.key, refusal.scope, refusal.path] = {
            "at": at,
            "last_at": last_at,
            "key": refusal.key,
            "user": refusal.user_id if refusal.user_id in users else None,
            "address": refusal.address,
            "path": refusal.path,
            "method": refusal.method,
            "scope": refusal.scope,
            "tier": refusal.tier,
            "detail": refusal.detail,
            "agent": refusal.agent,
            "times": one.times,
        }
        days[day_of(last_at), refusal.path, refusal.key] += one.times
    counts = [{"day": day, "path": path, "key": key, "refused": count} for (day, path, key), count in days.items()]
    with transaction.atomic():
        add_up(RateLimitEvent, list(events.values()), unique=("at", "key", "scope", "path"), adding="times")
        add_up(RateLimitDay, counts, unique=("day", "path", "key"), adding="refused")


def clear_day(day: date) -> int:
    """Forget what was counted on a day; the events of it stay. How many counts there were."""
    cleared, _by_model = RateLimitDay.objects.filter(day=day).delete()
    return cleared


def purge() -> Purged:
    """Delete what is older than ``KEPT``, and what is more than ``MOST_ROWS``: the oldest first, then what was rare."""
    old_events = RateLimitEvent.objects.filter(last_at__lt=Now() - KEPT)
    old_days = RateLimitDay.objects.filter(day__lt=day_of(database_now() - KEPT))
    newest, largest = RateLimitEvent.objects.order_by("-last_at", "-pk"), RateLimitDay.objects.order_by(*_KEPT_FIRST)
    return Purged(
        events=_delete(old_events) + _delete(newest, beyond=MOST_ROWS),
        days=_delete(old_days) + _delete(largest, beyond=MOST_ROWS),
    )


def _persons(noted: Sequence[Noted]) -> set[int]:
    """The persons among the callers who are still there."""
    named = {user_id for one in noted if (user_id := one.refusal.user_id) is not None}
    return set(User.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()


def _delete(rows: QuerySet[Any], *, beyond: int = 0) -> int:
    """Delete these rows but the first ``beyond`` of them; how many that were."""
    deleted = 0
    while count := rows.filter(pk__in=rows.values("pk")[beyond : beyond + _AT_ONCE]).delete()[0]:
        deleted += count
    return deleted
