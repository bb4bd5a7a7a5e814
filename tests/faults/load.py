"""Files that are submitted as fast as workers take them, until the test has seen enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

from datasync.access import EVERYTHING
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
    """What was submitted so far, and what was in hand when something was killed.

    ``struck``: the moment at which an item was first hit. ``kills``: each process that was to die with an item, and
    the attempt that was to die with it. A kill is a trial where the load was known to wait, or where the database says
    in the end that the attempt died; a load may have ended just before.
    """

    inbox: Path
    trials: Trials
    rows: int = 300
    expected: dict[int, list[str]] = field(default_factory=dict)
    struck: dict[int, datetime] = field(default_factory=dict)
    kills: set[tuple[int, int, int]] = field(default_factory=set)  # process, item, attempt
    shops: int = SHOPS
    _batches: int = 0
    _known: set[tuple[int, int, int]] = field(default_factory=set)
    _counted: set[tuple[int, int, int]] = field(default_factory=set)
    _timed: set[int] = field(default_factory=set)

    def feed(self, prepare: Callable[[int, list[str]], None] = lambda _file_id, _orders: None) -> None:
        """See that enough files wait; ``prepare`` is called with each new one and its orders before it is queued."""
        if SyncTaskFile.objects.filter(state=ItemState.QUEUED).count() < _LEAST_WAITING:
            for file_id, orders in (files := self.more()).items():
                prepare(file_id, orders)
            services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING)

    def more(self, files: int = _BATCH) -> dict[int, list[str]]:
        """So many new files of all shops, which are not submitted."""
        made = write_exports(self.inbox, files, rows=self.rows, trial=self._batches, shops=self.shops)
        self._batches += 1
        self.expected |= made
        return made

    def strike(self, *processes: int, waits: bool = False) -> int:
        """Remember what these processes have in hand, or all where none is named; how many items.

        ``waits``: they are known to wait with it, until they are killed.
        """
        who = Q()
        for process in processes:
            who |= Q(worker__contains=f":{process}:")
        now = timezone.now()
        held = SyncTaskFile.objects.filter(who, state=ItemState.PROCESSING).values_list("pk", "attempt", "worker")
        for pk, attempt, worker in held:
            self.struck.setdefault(pk, now)
            kill = (int(worker.split(":")[1]), pk, attempt)
            if processes:
                self.kills.add(kill)
            if waits:
                self._known.add(kill)
        return len(held)

    def end(self, *, seconds: float = 240) -> None:
        """Wait until all is done, sync again what was given up, and check the ledger: all is there once.

        Only then is what was killed counted.
        """
        wait_until(at_rest, seconds=seconds, what="the files")
        self._time_recoveries()
        for _ in range(_MOST_RETRIES):
            if not (failed := _failed_at_last()):
                break
            for task in failed:
                retry_task(task, sight=EVERYTHING)
            wait_until(at_rest, seconds=seconds, what="the files that were given up")
        check(self.expected, self.trials)
        self._count_kills()

    def _time_recoveries(self) -> None:
        """From the moment at which an item was first hit to its end, also where that is to be given up.

        One that ended with the attempt that was hit had ended before.
        """
        items = SyncTaskFile.objects.filter(pk__in=self.struck.keys() - self._timed)
        for item in items:
            assert item.finished_at is not None
            if item.attempt > 1 or item.state == ItemState.FAILED:
                self.trials.recovery.append((item.finished_at - self.struck[item.pk]).total_seconds())
            self._timed.add(item.pk)

    def _count_kills(self) -> None:
        """An attempt died where another followed it, or where the item was given up with it."""
        items = SyncTaskFile.objects.in_bulk({pk for _process, pk, _attempt in self.kills})
        died = {
            (process, pk, attempt)
            for process, pk, attempt in self.kills - self._known
            if items[pk].attempt > attempt or items[pk].state == ItemState.FAILED
        } | self._known
        self.trials.tried += len(died - self._counted)
        self._counted |= died


def _failed_at_last() -> list[SyncProgressTask]:
    """Tasks with files that were given up because their workers died, and that nobody has retried."""
    failed = SyncTaskFile.objects.filter(state=ItemState.FAILED)
    codes = {error["code"] for error in failed.values_list("error", flat=True)}
    assert codes <= {"READER_CRASHED"}, codes
    return list(SyncProgressTask.objects.filter(items__in=failed, retries=None).distinct())
