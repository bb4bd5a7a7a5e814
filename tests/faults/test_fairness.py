"""G18: priority holds in the order in which work really starts, nothing starves, and users do not block each other."""

from __future__ import annotations

import math
import os
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.choices import FILE_ACTIVE, ItemState
from datasync.models import CatalogFile, SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.runs_support import make_user
from tests.services import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
FILES = 2 * int(os.environ.get("FAULT_TRIALS") or 30)
AT_ONCE = 20


def test_g18_the_highest_priority_starts_first(start: Start, inbox: Path) -> None:
    trials = Trials("G18", "the highest priority starts first", cost=math.inf)
    expected = write_exports(inbox, FILES // 3, rows=5)
    priorities = [1 + 7 * number % 10 for number in range(len(expected))]
    for file_id, priority in zip(expected, priorities, strict=True):
        services.submit_single(file_id=file_id, owner=None, priority=priority, sight=EVERYTHING)
    running = start(AGEING_SECONDS="3600")
    wait_until(at_rest, seconds=120, what=f"the files; the worker's log is {running.log}")
    started = list(SyncTaskFile.objects.order_by("started_at").values_list("task__priority", flat=True))
    assert all(earlier >= later for earlier, later in pairwise(started)), started
    check(expected, trials)
    trials.tried += 1


def test_g18_the_lowest_priority_ends_under_endless_load_of_the_highest(start: Start, inbox: Path) -> None:
    """The others are submitted again and again, whether they bring anything new or not, until the lowest has ended."""
    trials = Trials("G18", "the lowest priority ends under endless load of the highest", cost=math.inf)
    expected = write_exports(inbox, 3 * AT_ONCE, rows=400)
    low, *others = expected
    owner = make_user()
    submit = partial(services.submit_by_ids, owner=owner, priority=10, sight=EVERYTHING)
    running = start(AGEING_SECONDS="1")
    submit(file_ids=others)
    task = services.submit_single(file_id=low, owner=owner, priority=1, sight=EVERYTHING)
    waiting = SyncTaskFile.objects.filter(task__priority=10, state=ItemState.QUEUED)
    ended = task.items.filter(state=ItemState.COMPLETED)
    done_before = 0

    def ends_meanwhile() -> bool:
        nonlocal done_before
        if ended.exists():
            return True
        done_before = SyncTaskFile.objects.filter(task__priority=10, state=ItemState.COMPLETED).count()
        if waiting.count() < AT_ONCE:
            idle = CatalogFile.objects.filter(pk__in=others).exclude(state__in=FILE_ACTIVE)
            submit(file_ids=list(idle.values_list("pk", flat=True)))
        return False

    wait_until(ends_meanwhile, seconds=120, what=f"the file of lowest priority; the worker's log is {running.log}")
    assert waiting.exists(), "there was not always something more urgent"
    assert done_before, "what is more urgent goes first"
    wait_until(at_rest, seconds=120, what=f"the other files; the worker's log is {running.log}")
    check(expected, trials)
    trials.tried += 1


def test_g18_a_single_file_is_not_held_up_by_another_users_batch(start: Start, inbox: Path) -> None:
    trials = Trials("G18", "one user's batch does not hold up another's file", cost=math.inf)
    expected = write_exports(inbox, FILES, rows=1_000)
    single, *others = expected
    services.submit_by_ids(file_ids=others, owner=make_user("busy"), sight=EVERYTHING)
    running = start()
    batch = SyncTaskFile.objects.filter(file__in=others, state=ItemState.COMPLETED)
    wait_until(lambda: batch.count() >= 3, seconds=60, what="the batch to be under way")
    services.submit_single(file_id=single, owner=make_user("other"), sight=EVERYTHING)
    wait_until(at_rest, seconds=120, what=f"the files; the worker's log is {running.log}")
    item = SyncTaskFile.objects.get(file=single)
    assert item.finished_at is not None
    longest = max(SyncTaskFile.objects.values_list("duration_ms", flat=True)) / 1000  # type: ignore[type-var,operator]
    assert (item.finished_at - item.queued_at).total_seconds() <= 2 * longest + 2
    check(expected, trials)
    trials.tried += 1
