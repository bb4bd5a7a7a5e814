"""What a task that was submitted has: its files, its time, its ids, and what making it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from datasync.access import EVERYTHING
from datasync.choices import FileState
from datasync.models import SyncProgressTask
from datasync.runs import services
from tests.runs_support import Bell, bell, make_file, make_template

__all__ = ["bell"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seconds", [None, 600])
def test_a_task_has_its_time_from_when_it_was_made(bell: Bell, seconds: int | None) -> None:
    file = make_file()
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING, deadline_seconds=seconds)
    stored = SyncProgressTask.objects.get(pk=task.pk)
    given = timedelta(seconds=seconds or settings.BATCH_DEADLINE_SECONDS)
    assert stored.deadline_at == task.deadline_at == stored.created_at + given


def test_a_task_has_the_files_that_it_got_whatever_was_expected(bell: Bell) -> None:
    """Asked for by ids, with a busy one among them; by a filter, of nobody, where nothing is counted beforehand."""
    busy, free, waiting = make_file(), make_file(), make_file(state=FileState.NEEDS_DESCRIPTION)
    services.submit_single(file_id=busy.pk, owner=None, sight=EVERYTHING)
    wanted = [busy.pk, free.pk, waiting.pk]
    chosen = services.submit_by_ids(file_ids=wanted, owner=None, sight=EVERYTHING)
    assert chosen.busy_file_ids == (busy.pk,)
    assert (chosen.task.total_files, chosen.task.skipped_files) == (2, 1)
    for _ in range(3):
        make_file(template=make_template())
    found = services.submit_all(owner=None, sight=EVERYTHING)
    assert found is not None
    for task in (chosen.task, found):
        assert SyncProgressTask.objects.get(pk=task.pk).total_files == task.total_files == task.items.count()


def test_ids_of_tasks_are_given_once(bell: Bell) -> None:
    kept, other = (services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING) for _ in range(2))
    for name in ("task_id", "celery_task_id"):
        with pytest.raises(IntegrityError), transaction.atomic():
            SyncProgressTask.objects.filter(pk=other.pk).update(**{name: getattr(kept, name)})
