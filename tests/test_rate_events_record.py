"""Writing refusals down: a row a minute, counts a day, exact whoever writes at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from ratelimits.events import services
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.services import record
from tests.api import owner
from tests.rate_events import noted

__all__ = ["owner"]
NOON = datetime(2026, 3, 6, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock that all processes share."""

    def setting(moment: datetime) -> None:
        monkeypatch.setattr(services, "database_now", lambda: moment)

    setting(NOON)
    return setting


@pytest.mark.django_db
def test_a_row_a_minute_says_how_often(owner: User, at: Callable[[datetime], None]) -> None:
    key = f"user:{owner.pk}"
    record([noted(key, times=3, address="203.0.113.9", agent="one", detail="60/m", tier="normal")])
    at(NOON + timedelta(seconds=20))
    record([noted(key, times=4, address="203.0.113.10", agent="two", method="POST")])
    at(NOON + timedelta(seconds=40))
    record([noted(key)])
    late, early = RateLimitEvent.objects.all()
    assert (early.at, early.times, early.user) == (datetime(2026, 3, 6, 12, 0, tzinfo=UTC), 7, owner)
    assert (early.address, early.agent, early.method) == ("203.0.113.10", "two", "POST")
    assert abs(early.last_at - (NOON + timedelta(seconds=20))) < timedelta(seconds=1)
    assert (late.at, late.times) == (datetime(2026, 3, 6, 12, 1, tzinfo=UTC), 1)
    assert list(RateLimitDay.objects.values_list("key", "path", "refused")) == [(key, "/api/data-sync/files", 8)]


@pytest.mark.django_db
def test_what_waited_is_dated_when_it_was(at: Callable[[datetime], None]) -> None:
    record([noted(ago=3600)])
    assert RateLimitEvent.objects.get().at == datetime(2026, 3, 6, 11, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_days_are_those_of_the_installation(at: Callable[[datetime], None], settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    at(datetime(2026, 3, 6, 15, 59, 59, tzinfo=UTC))
    record([noted()])
    at(datetime(2026, 3, 6, 16, 0, 1, tzinfo=UTC))
    record([noted()])
    assert sorted(str(day) for day in RateLimitDay.objects.values_list("day", flat=True)) == [
        "2026-03-06",
        "2026-03-07",
    ]


@pytest.mark.django_db
def test_persons_who_are_gone_are_kept_by_their_key() -> None:
    record([noted("user:999999999")])
    event = RateLimitEvent.objects.get()
    assert (event.key, event.user) == ("user:999999999", None)


@pytest.mark.django_db
def test_the_log_outlives_the_person(owner: User) -> None:
    record([noted(f"user:{owner.pk}")])
    owner.delete()
    assert RateLimitEvent.objects.get().user is None


@pytest.mark.django_db
def test_many_kinds_are_few_statements() -> None:
    with CaptureQueriesContext(connection) as captured:
        record([noted(f"ip:10.0.{number // 250}.{number % 250}") for number in range(1000)])
    inserts = [query["sql"] for query in captured if query["sql"].startswith("INSERT")]
    assert len(inserts) == 10
    assert RateLimitEvent.objects.count() == RateLimitDay.objects.count() == 1000


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_count_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "database_now", lambda: NOON)
    keys = [f"ip:10.0.0.{number}" for number in range(20)]
    together, failures = Barrier(4), []

    def write(order: int) -> None:
        try:
            together.wait()
            for _ in range(5):
                record([noted(key) for key in (keys if order % 2 else reversed(keys))])
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=write, args=(order,)) for order in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(RateLimitEvent.objects.values_list("times", flat=True)) == [20] * len(keys)
    assert list(RateLimitDay.objects.values_list("refused", flat=True)) == [20] * len(keys)
