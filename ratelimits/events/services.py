"""Writing down what was refused, and forgetting it in time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, Count, QuerySet, When
from django.db.models.functions import Now, TruncDate
from django.utils import timezone

from ratelimits.events.buffer import Noted
from ratelimits.events.clock import database_now, day_of
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.upsert import add_up

KEPT = timedelta(days=30)
MOST_ROWS = 100_000
"""So many events are kept, and so many counts by day; where there are more, those of the fullest days go first, so that
whoever fills a day does not push out the others, and of a day those of addresses before those of persons."""
_PERSONS_FIRST = Case(When(key__startswith="user:", then=0), default=1)
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
    """Delete what is older than ``KEPT``, and what is more than ``MOST_ROWS``: of the fullest days what was rare."""
    old_events = RateLimitEvent.objects.filter(last_at__lt=Now() - KEPT)
    old_days = RateLimitDay.objects.filter(day__lt=day_of(database_now() - KEPT))
    events = RateLimitEvent.objects.annotate(day=TruncDate("last_at", tzinfo=timezone.get_default_timezone()))
    return Purged(
        events=_delete(old_events) + _thin_out(events.order_by(_PERSONS_FIRST, "-times", "-last_at", "-pk")),
        days=_delete(old_days) + _thin_out(RateLimitDay.objects.order_by(_PERSONS_FIRST, "-refused", "pk")),
    )


def _persons(noted: Sequence[Noted]) -> set[int]:
    """The persons among the callers who are still there."""
    named = {user_id for one in noted if (user_id := one.refusal.user_id) is not None}
    return set(User.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()


def _thin_out(rows: QuerySet[Any]) -> int:
    """Of each ``day`` delete what comes after its share of ``MOST_ROWS``; how many rows that were.

    They are looked for once, so that what is deleted at a time is found by its key and locks nobody out for long.
    """
    counts = dict(rows.order_by().values_list("day").annotate(Count("pk")))
    most = share(counts.values(), most=MOST_ROWS)
    deleted = 0
    for day in (day for day, count in counts.items() if count > most):
        surplus = list(rows.filter(day=day).values_list("pk", flat=True)[most:])
        for begin in range(0, len(surplus), _AT_ONCE):
            deleted += rows.model.objects.filter(pk__in=surplus[begin : begin + _AT_ONCE]).delete()[0]
    return deleted


def share(counts: Collection[int], *, most: int) -> int:
    """How many each may have so that all have ``most`` at most; what some do not need the others may have."""
    left = most
    for others, count in zip(range(len(counts), 0, -1), sorted(counts), strict=True):
        if count * others > left:
            return left // others
        left -= count
    return most


def _delete(rows: QuerySet[Any]) -> int:
    """Delete these rows; how many that were."""
    deleted = 0
    while count := rows.filter(pk__in=rows.values("pk")[:_AT_ONCE]).delete()[0]:
        deleted += count
    return deleted
