"""The figures of a day, of hours and days, and who stands out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ratelimits.events import selectors
from ratelimits.events.choices import Level
from ratelimits.events.clock import today
from ratelimits.events.selectors import Anomaly, DayCount, PathCount
from tests.api import owner
from tests.rate_events import counted, event

__all__ = ["owner"]
pytestmark = pytest.mark.django_db


def unusual(threshold: int) -> list[Anomaly]:
    return selectors.anomalies(selectors.unusual_callers(threshold=threshold), threshold=threshold)


def test_the_figures_of_a_day(owner: User) -> None:
    day, key = today(), f"user:{owner.pk}"
    counted(day, 5, key=key, path="/api/a")
    counted(day, 2, key=key, path="/api/b")
    counted(day, 4, path="/api/b")
    counted(day, 1, key="user:999999999", path="/api/b")
    counted(day - timedelta(days=1), 9)
    stats = selectors.stats_of(day)
    assert (stats.date, stats.refused, stats.callers, stats.paths) == (day, 12, 3, 2)
    assert [(one.key, one.username, one.refused) for one in stats.by_key] == [
        (key, "owner", 7), ("ip:203.0.113.9", None, 4), ("user:999999999", None, 1),
    ]  # fmt: skip
    assert stats.by_path == [PathCount("/api/b", 7), PathCount("/api/a", 5)]
    assert stats.days == [DayCount(day - timedelta(days=1), 9), DayCount(day, 12)]


def test_a_day_without_anything() -> None:
    stats = selectors.stats_of(today())
    assert (stats.refused, stats.callers, stats.paths, stats.by_key, stats.by_path, stats.days) == (0, 0, 0, [], [], [])


def test_the_most_refused_are_named_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MOST_NAMED", 2)
    for number in range(1, 5):
        counted(today(), number, key=f"user:{number}", path=f"/api/{number}")
    stats = selectors.stats_of(today())
    assert (stats.refused, stats.callers, len(stats.by_path)) == (10, 4, 2)
    assert [one.refused for one in stats.by_key] == [4, 3]


def test_figures_cost_the_same_however_many_they_are_of() -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            selectors.stats_of(today())
        return len(captured)

    counted(today(), 1, key="user:1")
    few = cost()
    for number in range(2, 30):
        counted(today() - timedelta(days=number), 1, key=f"user:{number}")
        counted(today(), 1, key=f"user:{number}")
    assert cost() == few


@pytest.mark.parametrize(
    ("times", "level"), [(99, None), (100, None), (101, Level.WARNING), (199, Level.WARNING), (200, Level.CRITICAL)]
)
def test_a_warning_above_the_threshold_critical_at_twice(times: int, level: Level | None) -> None:
    event(times=times)
    assert [one.level for one in unusual(100)] == ([level] if level else [])


def test_who_stands_out(owner: User) -> None:
    event(f"user:{owner.pk}", times=8, user=owner, path="/api/a")
    event(f"user:{owner.pk}", times=7, user=owner, path="/api/b", ago=timedelta(minutes=50))
    event(f"user:{owner.pk}", times=100, user=owner, ago=timedelta(minutes=61))
    event(times=60)
    event("ip:203.0.113.10", times=10)
    address, person = unusual(10)
    assert (address.key, address.user_id, address.username, address.level) == ("ip:203.0.113.9", None, None, "critical")
    assert (person.key, person.user_id, person.username) == (f"user:{owner.pk}", owner.pk, "owner")
    assert (person.refused, person.paths, person.level) == (15, 2, Level.WARNING)
    assert person.last_at - person.first_at >= timedelta(minutes=50)


def test_refused_by_hour() -> None:
    event(times=3)
    event("user:2", times=2, ago=timedelta(hours=5))
    event("user:3", times=50, ago=timedelta(hours=25))
    hours = selectors.refused_by_hour()
    assert [refused for _hour, refused in hours] == [0] * 18 + [2] + [0] * 4 + [3]


def test_refused_by_day() -> None:
    counted(today(), 3)
    counted(today(), 4, key="user:1")
    counted(today() - timedelta(days=2), 1)
    counted(today() - timedelta(days=40), 9)
    assert [refused for _day, refused in selectors.refused_by_day()] == [0] * 27 + [1, 0, 7]


def test_the_log_of_one_caller_or_scope() -> None:
    first = event("user:1", scope="data_sync")
    second = event("user:2", ago=timedelta(minutes=2))
    assert list(selectors.events()) == [first, second]
    assert list(selectors.events(key="user:2")) == [second]
    assert list(selectors.events(scope="data_sync")) == [first]
