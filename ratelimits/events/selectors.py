"""What was refused: the log, the figures of a day, and who is refused unusually often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Max, Min, QuerySet, Sum
from django.db.models.functions import Now, TruncHour

from ratelimits.events.choices import Level
from ratelimits.events.clock import database_now, today
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.refusals import person_of

USUAL_THRESHOLD = 100
LEAST_THRESHOLD = 10
MOST_THRESHOLD = 1_000_000
WATCHED = timedelta(hours=1)
MOST_NAMED = 100
"""How many callers and paths of a day are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a limit counts, and how often it was refused; the person where it is one who is still there."""

    key: str
    user_id: int | None
    username: str | None
    refused: int


@dataclass(frozen=True, slots=True)
class PathCount:
    """How often a path was refused."""

    path: str
    refused: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """How often anything was refused on a day."""

    date: date
    refused: int


@dataclass(frozen=True, slots=True)
class DayStats:
    """The figures of a day; callers and paths that were refused most come first, as many as are named.

    ``days`` are all days of which anything is kept, the oldest first.
    """

    date: date
    refused: int
    callers: int
    paths: int
    by_key: Sequence[Caller]
    by_path: Sequence[PathCount]
    days: Sequence[DayCount]

    def as_dict(self) -> dict[str, Any]:
        """By name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A caller who was refused more often than the threshold within the last hour."""

    key: str
    user_id: int | None
    username: str | None
    refused: int
    level: Level
    paths: int
    first_at: datetime
    last_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """By name; the level as its code."""
        return asdict(self) | {"level": self.level.value}


def events(*, key: str = "", scope: str = "") -> QuerySet[RateLimitEvent]:
    """The log, the newest first; of one caller or one scope where that is said."""
    wanted = {name: value for name, value in (("key", key), ("scope", scope)) if value}
    return RateLimitEvent.objects.filter(**wanted).select_related("user")


def stats_of(day: date) -> DayStats:
    """The figures of a day, in five statements, however many they are of."""
    counts = RateLimitDay.objects.filter(day=day)
    whole = counts.aggregate(
        refused=Sum("refused", default=0), callers=Count("key", distinct=True), paths=Count("path", distinct=True)
    )
    return DayStats(date=day, by_key=_callers(counts), by_path=_paths(counts), days=_days(), **whole)


def unusual_callers(*, threshold: int = USUAL_THRESHOLD) -> QuerySet[Any, Any]:
    """Callers who were refused more often than ``threshold`` within the last hour, the most refused first."""
    return (
        RateLimitEvent.objects.filter(last_at__gt=Now() - WATCHED)
        .order_by()
        .values("key")
        .annotate(
            refused=Sum("times"),
            paths=Count("path", distinct=True),
            first_at=Min("at"),
            latest_at=Max("last_at"),
            person_id=Max("user_id"),
            person=Max("user__username"),
        )
        .filter(refused__gt=threshold)
        .order_by("-refused", "key")
    )


def anomalies(rows: Iterable[Mapping[str, Any]], *, threshold: int) -> list[Anomaly]:
    """Rows of ``unusual_callers``, judged: critical from twice the threshold on."""
    return [
        Anomaly(
            key=row["key"],
            user_id=row["person_id"],
            username=row["person"],
            refused=row["refused"],
            level=Level.CRITICAL if row["refused"] >= 2 * threshold else Level.WARNING,
            paths=row["paths"],
            first_at=row["first_at"],
            last_at=row["latest_at"],
        )
        for row in rows
    ]


def refused_by_hour(*, hours: int = 24) -> list[tuple[datetime, int]]:
    """How much was refused in each of the last hours, the present one last; an hour without anything is 0."""
    present = database_now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = present - timedelta(hours=hours - 1)
    found = dict(
        RateLimitEvent.objects.filter(at__gte=first)
        .order_by()
        .annotate(hour=TruncHour("at", tzinfo=UTC))
        .values("hour")
        .annotate(refused=Sum("times"))
        .values_list("hour", "refused")
    )
    each = (first + timedelta(hours=number) for number in range(hours))
    return [(hour, found.get(hour, 0)) for hour in each]


def _callers(counts: QuerySet[RateLimitDay]) -> list[Caller]:
    rows = _most(counts, "key")
    people = {pk for key, _refused in rows if (pk := person_of(key)) is not None}
    names: dict[int | None, str] = dict(User.objects.filter(pk__in=people).values_list("pk", "username"))
    found = ((key, person_of(key), refused) for key, refused in rows)
    return [Caller(key, pk if pk in names else None, names.get(pk), refused) for key, pk, refused in found]


def _paths(counts: QuerySet[RateLimitDay]) -> list[PathCount]:
    return [PathCount(path, refused) for path, refused in _most(counts, "path")]


def _most(counts: QuerySet[RateLimitDay], name: str) -> list[tuple[str, int]]:
    summed = counts.order_by().values(name).annotate(sum=Sum("refused")).order_by("-sum", name)
    return list(summed.values_list(name, "sum")[:MOST_NAMED])


def refused_by_day(*, days: int = 30) -> list[tuple[date, int]]:
    """How much was refused on each of the last days, today last; a day without anything is 0."""
    found = {count.date: count.refused for count in _days()}
    first = today() - timedelta(days=days - 1)
    each = (first + timedelta(days=number) for number in range(days))
    return [(day, found.get(day, 0)) for day in each]


def _days() -> list[DayCount]:
    summed = RateLimitDay.objects.order_by().values("day").annotate(sum=Sum("refused"))
    return [DayCount(day, refused) for day, refused in summed.order_by("day").values_list("day", "sum")]
