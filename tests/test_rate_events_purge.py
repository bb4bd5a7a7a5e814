"""The log is bounded in time and in rows, by the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings

from ratelimits.events import services
from ratelimits.events.clock import today
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.services import Purged, purge
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


def test_what_is_too_much_goes_the_oldest_first_then_what_was_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_ROWS", 3)
    monkeypatch.setattr(services, "_AT_ONCE", 2)
    for number in range(10):
        event(f"user:{number}", ago=timedelta(hours=number))
        counted(today(), number, key=f"user:{number}")
    counted(today() - timedelta(days=1), 1000)
    assert purge() == Purged(events=7, days=8)
    assert list(RateLimitEvent.objects.values_list("key", flat=True)) == ["user:0", "user:1", "user:2"]
    assert list(RateLimitDay.objects.values_list("refused", flat=True)) == [9, 8, 7]


def test_the_task_does_it_and_the_clock_starts_it() -> None:
    event(ago=OLD)
    purge_rate_limit_events()
    assert not RateLimitEvent.objects.exists()
    current_app.loader.import_default_modules()
    assert purge_rate_limit_events.name in current_app.tasks
    schedules = {entry["task"]: entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert schedules[purge_rate_limit_events.name] == 600.0
