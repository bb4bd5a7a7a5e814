"""The ledger check: what must be true after any fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import QuerySet, Sum

from datasync.choices import FILE_ACTIVE, ITEM_ACTIVE, TASK_ACTIVE, ItemState
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import CatalogFile, OrderLine, SyncProgressTask, SyncTaskFile
from datasync.runs.claim import SESSION_MARK
from tests.faults.trials import Trials


def at_rest() -> bool:
    """Whether no task has anything left to do."""
    return not SyncProgressTask.objects.filter(state__in=TASK_ACTIVE).exists()


def at_least(items: QuerySet[SyncTaskFile], number: int) -> bool:
    """Whether there are so many of them by now."""
    return items.count() >= number


def check(expected: Mapping[int, Iterable[str]], trials: Trials) -> None:
    """Every order of the files that were imported is stored once and no other is; all books add up; nothing is held.

    ``expected``: the order ids of each file, by its primary key. What is lost or doubled is counted in ``trials``.
    """
    assert at_rest()
    assert not SyncTaskFile.objects.filter(state__in=ITEM_ACTIVE).exists()
    assert not CatalogFile.objects.filter(state__in=FILE_ACTIVE).exists()
    done = set(SyncTaskFile.objects.filter(state=ItemState.COMPLETED).values_list("file_id", flat=True))
    stored = Counter(str(order) for order in OrderLine.objects.values_list("order_id", flat=True))
    wanted = Counter(order for file_id in done for order in expected[file_id])
    trials.lost += (wanted - stored).total()
    trials.doubled += (stored - wanted).total()
    assert stored == wanted, f"lost: {trials.lost}, doubled or left over: {trials.doubled}"
    for task in SyncProgressTask.objects.all():
        _books_of(task)
    _nothing_held()


def _books_of(task: SyncProgressTask) -> None:
    sums = task.items.aggregate(**{name: Sum(f"rows_{name}", default=0) for name in COUNT_NAMES})
    told = {name: getattr(task, f"rows_{name}") for name in COUNT_NAMES}
    assert told == sums, task.task_id
    assert told["read"] == sum(number for name, number in told.items() if name != "read"), task.task_id
    ended = task.succeeded_files + task.failed_files + task.skipped_files
    assert ended == task.total_files == task.items.count(), task.task_id


def _nothing_held() -> None:
    assert not SyncTaskFile.objects.exclude(lease_token=None).exists()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() "
                "UNION ALL SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, %s)",
                [SESSION_MARK],
            )
            assert [count for (count,) in cursor.fetchall()] == [0, 0]
