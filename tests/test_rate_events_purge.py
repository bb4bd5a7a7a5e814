"""The log is bounded in time and in rows, by the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings

from ratelimits.events import services
from ratelimits.events.clock import today
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.services import Purged, purge, share
from ratelimits.events.tasks import purge_rate_limit_events
from tests.rate_events import counted, event

pytestmark = pytest.mark.django_db
OLD = timedelta(days=30, minutes=1)


def test_what_is_old_goes() -> None:
    kept = [event(ago=timedelta(days=29, hours=23)), counted(today() - timedelta(days=30), 1)]
    event(ago=OLD)
    counted(today() - timedelta(days=31), 5)
    assert purge() == Purged(events=1, days=1)
    assert [RateLimitEvent.objects.get(), RateLimitDay.objects.get()] == kept
    assert purge() == Purged(events=0, days=0)


def test_whoever_fills_a_day_pushes_out_no_other_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_ROWS", 6)
    monkeypatch.setattr(services, "_AT_ONCE", 2)
    for days, number in ((1, 2), (2, 1)):
        for key in range(number):
            event(f"user:{key}", ago=timedelta(days=days))
            counted(today() - timedelta(days=days), 1, key=f"user:{key}")
    for number in range(10):
        event(f"ip:{number}", times=1 + number // 9)
        counted(today(), 1 + number // 9, key=f"ip:{number}")
    assert purge() == Purged(events=7, days=7)
    assert list(RateLimitEvent.objects.values_list("key", flat=True)) == [
        "ip:9", "ip:8", "ip:7", "user:1", "user:0", "user:0",
    ]  # fmt: skip
    assert list(RateLimitDay.objects.values_list("key", "refused")) == [
        ("ip:9", 2), ("ip:0", 1), ("ip:1", 1), ("user:0", 1), ("user:1", 1), ("user:0", 1),
    ]  # fmt: skip
    assert purge() == Purged(events=0, days=0)


def test_whoever_fills_a_day_pushes_out_no_person_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_ROWS", 2)
    for key, times in (("user:1", 1), ("ip:1", 8), ("ip:2", 9)):
        event(key, times=times)
        counted(today(), times, key=key)
    assert purge() == Purged(events=1, days=1)
    for rows in (RateLimitEvent, RateLimitDay):
        assert set(rows.objects.values_list("key", flat=True)) == {"user:1", "ip:2"}


@pytest.mark.parametrize(
    ("counts", "most", "each"),
    [([], 6, 6), ([6], 6, 6), ([7], 6, 6), ([1, 2, 10], 6, 3), ([10, 10, 10], 7, 2), ([3, 3], 6, 6), ([0, 9], 6, 6)],
)
def test_shares(counts: list[int], most: int, each: int) -> None:
    assert share(counts, most=most) == each
    assert sum(min(count, each) for count in counts) <= most


def test_the_task_does_it_and_the_clock_starts_it() -> None:
    event(ago=OLD)
    purge_rate_limit_events()
    assert not RateLimitEvent.objects.exists()
    current_app.loader.import_default_modules()
    assert purge_rate_limit_events.name in current_app.tasks
    schedules = {entry["task"]: entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert schedules[purge_rate_limit_events.name] == 600.0
