"""G24: however many files a worker has synced, it needs no more memory than after the first few."""

from __future__ import annotations

import math
import os
import re
from functools import partial
from pathlib import Path
from statistics import linear_regression

import pytest

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_least, at_rest, check
from tests.faults.processes import children_of, pool_of
from tests.faults.trials import Trials
from tests.services import wait_until
from tests.workers import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
BATCH = 100
FILES = 25 * int(os.environ.get("FAULT_TRIALS") or 12)
SAMPLES_A_BATCH = 10
MOST_GROWTH = {"quick": 40.0, "long": 3.0}  # KB a file: in a short run a single arena of the allocator is a slope


def test_g24_memory_does_not_creep(start: Start, inbox: Path) -> None:
    trials = Trials("G24", f"{FILES:,} small files go through one process, and nothing is broken", cost=math.inf)
    expected: dict[int, list[str]] = {}
    running = start()
    done = SyncTaskFile.objects.filter(state=ItemState.COMPLETED)
    used: list[tuple[int, float]] = []
    for begun in range(0, FILES, BATCH):
        files = write_exports(inbox, BATCH, rows=20, trial=begun // BATCH)
        expected |= files
        services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING)
        for part in range(1, SAMPLES_A_BATCH + 1):
            share = begun + part * BATCH // SAMPLES_A_BATCH
            wait_until(partial(at_least, done, share), seconds=120, what=f"{share} files; see {running.log}")
            used.append((done.count(), _kilobytes(running)))
        wait_until(at_rest, seconds=60, what="the batch to close")
    warm = [(files, kilobytes) for files, kilobytes in used if files > FILES / 3]
    slope = linear_regression(*zip(*warm, strict=True)).slope
    print(f"{slope:.2f} KB a file after the first {FILES // 3} of {FILES}, at {warm[-1][1] / 1024:.0f} MB")
    assert slope <= MOST_GROWTH["long" if "FAULT_TRIALS" in os.environ else "quick"], used
    check(expected, trials)
    trials.tried += 1


def _kilobytes(worker: Worker) -> int:
    """What the worker, its processes and their readers hold in memory."""
    pool = pool_of(worker)
    family = [worker.process.pid, *pool, *(child for process in pool for child in children_of(process))]
    told = (Path(f"/proc/{process}/status").read_text() for process in family)
    return sum(int(found[1]) for status in told if (found := re.search(r"VmRSS:\s+(\d+) kB", status)))
