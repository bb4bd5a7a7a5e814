"""Celery's own row of a task, as any Celery client reads it."""

from __future__ import annotations

from typing import Any

import pytest
from celery.result import AsyncResult
from django_celery_results.models import TaskResult

from datasync.access import EVERYTHING
from datasync.runs import results, services
from datasync.runs.turns import take_turn
from tests.runs_support import Bell, Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_start_that_is_told_late_does_not_take_back_the_end(bell: Bell, ingest: Ingest) -> None:
    task = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    take_turn()
    ended: Any = TaskResult.objects.get(task_id=task.celery_task_id)
    assert ended.date_started is not None

    results.store_started(task)

    assert AsyncResult(task.celery_task_id).state == "SUCCESS"
    row: Any = TaskResult.objects.get(task_id=task.celery_task_id)
    assert (row.date_started, row.date_done) == (ended.date_started, ended.date_done)
