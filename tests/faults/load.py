"""Files that are submitted as fast as workers take them, until the test has seen enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

from datasync.choices import ItemState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.again import retry_task
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

SHOPS = 6
_BATCH = 5 * SHOPS
_LEAST_WAITING = 2 * SHOPS
_MOST_RETRIES = 5


@dataclass
class Load:
    """What was submitted so far, and the files that were in hand when something was killed, with the moment."""

    inbox: Path
    trials: Trials
    rows: int = 300
    expected: dict[int, list[str]] = field(default_factory=dict)
    struck: dict[int, datetime] = field(default_factory=dict)
    _batches: int = 0

    def feed(self, prepare: Callable[[int, list[str]], None] = lambda _file_id, _orders: None) -> None:
        """See that enough files wait; ``prepare`` is called with each new one and its orders before it is queued."""
        if SyncTaskFile.objects.filter(state=ItemState.QUEUED).count() < _LEAST_WAITING:
            for file_id, orders in (files := self.more()).items():
                prepare(file_id, orders)
            services.submit_by_ids(file_ids=list(files), owner=None)

    def more(self, files: int = _BATCH) -> dict[int, list[str]]:
        """So many new files of all shops, which are not submitted."""
        made = write_exports(self.inbox, files, rows=self.rows, trial=self._batches, shops=SHOPS)
        self._batches += 1
        self.expected |= made
        return made

    def strike(self, *processes: int) -> None:
        """Remember what these processes have in hand, or all where none is named."""
        who = Q()
        for process in processes:
            who |= Q(worker__contains=f":{process}:")
        now = timezone.now()
        for pk in SyncTaskFile.objects.filter(who, state=ItemState.PROCESSING).values_list("pk", flat=True):
            self.struck[pk] = now

    def end(self, *, seconds: float = 240) -> None:
        """Wait until all is done, sync again what was given up, and check the ledger: all is there once."""
        wait_until(at_rest, seconds=seconds, what="the files")
        items = SyncTaskFile.objects.filter(pk__in=self.struck, state=ItemState.COMPLETED)
        for pk, finished in items.values_list("pk", "finished_at"):
            if finished is not None and finished > self.struck[pk]:
                self.trials.recovery.append((finished - self.struck[pk]).total_seconds())
        for _ in range(_MOST_RETRIES):
            if not (failed := _failed_at_last()):
                break
            for task in failed:
                retry_task(task)
            wait_until(at_rest, seconds=seconds, what="the files that were given up")
        check(self.expected, self.trials)
        done = SyncTaskFile.objects.filter(state=ItemState.COMPLETED).values("file").distinct().count()
        submitted = SyncTaskFile.objects.values("file").distinct().count()
        assert done == submitted


def _failed_at_last() -> list[SyncProgressTask]:
    """Tasks with files that were given up because their workers died, and that nobody has retried."""
    failed = SyncTaskFile.objects.filter(state=ItemState.FAILED)
    codes = {error["code"] for error in failed.values_list("error", flat=True)}
    assert codes <= {"READER_CRASHED"}, codes
    return list(SyncProgressTask.objects.filter(items__in=failed, retries=None).distinct())
