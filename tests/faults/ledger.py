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

Ends = Mapping[int, ItemState | None]
"""How files end that are not to be completed, by their primary keys; None: nobody submitted them."""


def at_rest() -> bool:
    """Whether no task has anything left to do."""
    return not SyncProgressTask.objects.filter(state__in=TASK_ACTIVE).exists()


def at_least(items: QuerySet[SyncTaskFile], number: int) -> bool:
    """Whether there are so many of them by now."""
    return items.count() >= number


def check(expected: Mapping[int, Iterable[str]], trials: Trials, *, ended: Ends | None = None) -> None:
    """Every order of every file is stored once and no other is; all books add up; nothing is held.

    ``expected``: the order ids of each file that was written, by its primary key. A file that ``ended`` does not name
    has to be completed: what is missing of it is lost, however its items say that they ended. What is lost or doubled
    is counted in ``trials``.
    """
    ended = ended or {}
    assert at_rest()
    assert not SyncTaskFile.objects.filter(state__in=ITEM_ACTIVE).exists()
    assert not CatalogFile.objects.filter(state__in=FILE_ACTIVE).exists()
    _rows_of(expected, trials, ended=ended)
    _ends_of(expected, ended=ended)
    for task in SyncProgressTask.objects.all():
        _books_of(task)
    _nothing_held()


def _rows_of(expected: Mapping[int, Iterable[str]], trials: Trials, *, ended: Ends) -> None:
    """A row has a key, so loading it again does not show in the table: that no item says that it inserted it does."""
    stored = Counter(str(order) for order in OrderLine.objects.values_list("order_id", flat=True))
    wanted = Counter(order for file_id, orders in expected.items() if file_id not in ended for order in orders)
    inserted = SyncTaskFile.objects.aggregate(rows=Sum("rows_inserted", default=0))["rows"]
    lost, left_over = (wanted - stored).total(), (stored - wanted).total()
    again = max(0, stored.total() - inserted)
    trials.lost += lost
    trials.doubled += left_over + again
    told = Counter(SyncTaskFile.objects.values_list("state", flat=True))
    assert (lost, left_over) == (0, 0), f"lost: {lost}, left over: {left_over}; items: {told}"
    assert inserted == stored.total(), f"{again} rows loaded again; items say {inserted}, {stored.total()} are stored"


def _ends_of(expected: Iterable[int], *, ended: Ends) -> None:
    items = SyncTaskFile.objects.order_by("pk").values_list("file_id", "state")
    done = {file_id for file_id, state in items if state == ItemState.COMPLETED}
    last = dict(items)
    assert set(last) <= set(expected), "a file that nobody expects was synced"
    for file_id in expected:
        if file_id in ended:
            assert (last.get(file_id), file_id in done) == (ended[file_id], False), file_id
        else:
            assert file_id in done, f"file {file_id} ended {last.get(file_id, 'without any item')}"


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
