"""Rows of a day are counted as they are at one moment of one clock: the database's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.exceptions import TooManyRowsToday
from datasync.models import SyncProgressTask
from datasync.runs.usage import rows_since
from ratelimits.quotas.selectors import day_of, standing_of
from ratelimits.quotas.services import require_quota
from tests.quotas import limit, make_item, make_task
from tests.runs_support import make_user

pytestmark = pytest.mark.django_db


def test_a_task_that_closes_meanwhile_counts_once() -> None:
    ana = make_user()
    task = make_task(ana, state=TaskState.PROCESSING)
    make_item(task, state=ItemState.COMPLETED, rows_read=100)
    midnight = day_of(ana).begin
    closed = False

    def close_after(execute: Callable[..., Any], *statement: Any) -> Any:
        nonlocal closed
        result = execute(*statement)
        if not closed:
            closed = True
            ended = {"state": TaskState.COMPLETED, "rows_read": 100, "finished_at": Now()}
            SyncProgressTask.objects.filter(pk=task.pk).update(**ended)
        return result

    with connection.execute_wrapper(close_after):
        assert rows_since(ana, midnight) == 100
    assert closed
    assert rows_since(ana, midnight) == 100


def test_nothing_is_nothing() -> None:
    ana = make_user()
    assert rows_since(ana, day_of(ana).begin) == 0
    make_item(make_task(make_user("bo")), rows_expected=5)
    assert rows_since(ana, day_of(ana).begin) == 0


@pytest.mark.parametrize("wrong", [timedelta(days=-1), timedelta(hours=1), timedelta(days=1)])
def test_the_clock_of_the_web_host_does_not_matter(monkeypatch: pytest.MonkeyPatch, wrong: timedelta) -> None:
    ana = make_user()
    limit(ana, max_rows_per_day=10)
    before = day_of(ana)
    for rows, at in ((7, before.begin), (1000, before.begin - timedelta(seconds=1))):
        make_task(ana, state=TaskState.COMPLETED, rows_read=rows, finished_at=at)
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + wrong)
    assert standing_of(ana, sight=EVERYTHING).rows_today == 7
    with pytest.raises(TooManyRowsToday) as refused:
        require_quota(owner=ana, task_pk=None, files=1, rows=lambda: 4)
    assert refused.value.params["used"] == 7
    assert refused.value.wait == pytest.approx(before.seconds_left, abs=60)
