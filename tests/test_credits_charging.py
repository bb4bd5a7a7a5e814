"""What a sync costs, and who may sync: charged once for the rows that it wrote, whatever is lost or comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskKind, TaskState
from datasync.exceptions import CorruptFile, CreditsExhausted
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import services as runs
from datasync.runs.again import retry_task
from datasync.runs.turns import take_turn
from datasync.signals import before_submit, sync_finished
from ratelimits.credits import charging, services
from ratelimits.credits.charging import charge_missed, charge_task
from ratelimits.models import CreditAccount, CreditEntry
from tests.credits_support import balance, ended_task, give, ledger, let_pass, use
from tests.quotas import make_task
from tests.runs_support import Bell, Ingest, bell, ingest, make_file, make_template, make_user

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana(db: None) -> User:
    """A person with credits."""
    ana = make_user()
    give(ana, 1000)
    return ana


@pytest.fixture
def deaf() -> Iterator[None]:
    """Nobody hears that a task has ended."""
    receivers, sync_finished.receivers = sync_finished.receivers, []
    sync_finished.sender_receivers_cache.clear()
    yield
    sync_finished.receivers = receivers
    sync_finished.sender_receivers_cache.clear()


def sync(owner: User | None, *counts: Counts | Exception, ingest: Ingest) -> SyncProgressTask:
    """A task over as many files, worked off."""
    files = [make_file() for _ in counts]
    ingest.ends |= {file.pk: end for file, end in zip(files, counts, strict=True)}
    task = runs.submit_by_ids(file_ids=[file.pk for file in files], owner=owner, sight=EVERYTHING).task
    take_turn()
    task.refresh_from_db()
    return task


def test_rows_that_were_written_are_charged(ana: User, bell: Bell, ingest: Ingest) -> None:
    counts = Counts(read=100, inserted=40, updated=20, unchanged=10, stale=10, quarantined=10, totals=5, duplicates=5)
    task = sync(ana, counts, Counts(read=3, inserted=3), ingest=ingest)
    assert ledger(ana) == [("grant", 1000, 1000), ("consume", -63, 937)]
    entry = CreditEntry.objects.get(kind="consume")
    assert (entry.key, entry.task, entry.uncovered) == (f"task:{task.task_id}", task.task_id, 0)


def test_a_sync_that_wrote_nothing_costs_nothing(ana: User, bell: Bell, ingest: Ingest) -> None:
    sync(ana, Counts(read=10, unchanged=10), ingest=ingest)
    assert balance(ana) == 1000
    assert CreditEntry.objects.count() == 1


def test_a_sync_beyond_the_balance_is_finished_and_the_rest_noted(ana: User, bell: Bell, ingest: Ingest) -> None:
    task = sync(ana, Counts(read=1500, inserted=1500), ingest=ingest)
    assert task.state == TaskState.COMPLETED
    assert (balance(ana), CreditEntry.objects.get(kind="consume").uncovered) == (0, 500)


def test_whoever_has_no_account_is_not_charged(bell: Bell, ingest: Ingest) -> None:
    for owner in (make_user("bo"), None):
        assert sync(owner, Counts(read=10, inserted=10), ingest=ingest).state == TaskState.COMPLETED
    assert not CreditEntry.objects.exists()
    assert not CreditAccount.objects.exists()


def test_a_retry_is_charged_for_what_it_wrote_and_nothing_twice(ana: User, bell: Bell, ingest: Ingest) -> None:
    task = sync(ana, Counts(read=10, inserted=10), CorruptFile(found="a test"), ingest=ingest)
    assert (task.state, balance(ana)) == (TaskState.PARTIAL, 990)
    (failed,) = task.items.filter(state=ItemState.FAILED).values_list("file_id", flat=True)
    ingest.ends[failed] = Counts(read=7, inserted=7)
    retried = retry_task(task, sight=EVERYTHING).task
    assert retry_task(task, sight=EVERYTHING).task == retried
    take_turn()
    for one in (task, retried):
        sync_finished.send(sender=SyncProgressTask, task=one)
        charge_task(one.task_id)
    charge_missed()
    assert ledger(ana)[1:] == [("consume", -10, 990), ("consume", -7, 983)]


def test_a_task_that_failed_costs_nothing_and_what_was_taken_before_is_given_back(
    ana: User, bell: Bell, ingest: Ingest
) -> None:
    file = make_file()
    ingest.ends[file.pk] = CorruptFile(found="a test")
    task = runs.submit_single(file_id=file.pk, owner=ana, sight=EVERYTHING)
    services.consume(ana, amount=50, key="in advance", task=task.task_id)
    take_turn()
    assert SyncProgressTask.objects.get().state == TaskState.FAILED
    assert ledger(ana)[1:] == [("consume", -50, 950), ("refund", 50, 1000)]
    charge_task(task.task_id)
    charge_missed()
    assert balance(ana) == 1000


def test_a_cancelled_task_costs_what_it_had_written(ana: User) -> None:
    charge_task(ended_task(ana, state=TaskState.CANCELLED, inserted=12).task_id)
    assert ledger(ana)[1:] == [("consume", -12, 988)]


def test_a_remap_costs_nothing(ana: User) -> None:
    task = ended_task(ana, updated=500)
    SyncProgressTask.objects.update(kind=TaskKind.REMAP)
    assert charge_task(task.task_id) is None
    assert charge_missed() == 0
    assert balance(ana) == 1000


def test_only_what_has_ended_since_the_account_was_opened_is_charged(ana: User) -> None:
    running, before = make_task(ana, rows_inserted=5), ended_task(ana, inserted=5)
    SyncProgressTask.objects.filter(pk=before.pk).update(finished_at=timezone.now() - timedelta(hours=1))
    for task_id in (running.task_id, before.task_id, "batch_unknown"):
        assert charge_task(task_id) is None
    assert charge_missed() == 0
    assert balance(ana) == 1000


def test_the_clock_charges_what_was_missed(ana: User, bell: Bell, ingest: Ingest, deaf: None) -> None:
    sync(ana, Counts(read=10, inserted=10), ingest=ingest)
    failed = sync(ana, CorruptFile(found="a test"), ingest=ingest)
    services.consume(ana, amount=50, key="in advance", task=failed.task_id)
    assert balance(ana) == 950
    assert charge_missed() == 2
    assert charge_missed() == 0
    assert ledger(ana)[2:] == [("consume", -10, 940), ("refund", 50, 990)]


def test_the_clock_does_not_look_back_for_ever(ana: User) -> None:
    CreditAccount.objects.update(opened_at=F("opened_at") - timedelta(days=30))
    task = ended_task(ana, inserted=5)
    SyncProgressTask.objects.filter(pk=task.pk).update(finished_at=timezone.now() - timedelta(days=3))
    assert charge_missed() == 0
    assert charge_missed(within=None) == 1
    assert balance(ana) == 995


def test_one_that_cannot_be_charged_does_not_keep_the_others_from_it(
    ana: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, free = ended_task(ana, inserted=5), ended_task(ana, inserted=7)

    def consume(owner: User, *, task: str, **told: Any) -> CreditEntry | None:
        if task == stuck.task_id:
            raise OperationalError("canceling statement due to lock timeout")
        return services.consume(owner, task=task, **told)

    monkeypatch.setattr(charging, "consume", consume)
    assert charge_missed() == 1
    assert balance(ana) == 993
    assert stuck.task_id in caplog.text
    assert free.task_id not in caplog.text


@pytest.mark.parametrize("within", [charging.LATELY, None])
def test_however_many_were_missed_all_are_charged(
    ana: User, monkeypatch: pytest.MonkeyPatch, within: timedelta | None
) -> None:
    """Read some at a time, the oldest first, and on behind those that cannot be charged."""
    monkeypatch.setattr(charging, "_AT_ONCE", 2)
    stuck = [ended_task(ana, inserted=5).task_id for _ in range(3)]
    others = [ended_task(ana, inserted=1).task_id for _ in range(3)]
    tried: list[str] = []

    def consume(owner: User, *, task: str, **told: Any) -> CreditEntry | None:
        tried.append(task)
        if task in stuck:
            raise OperationalError("canceling statement due to lock timeout")
        return services.consume(owner, task=task, **told)

    monkeypatch.setattr(charging, "consume", consume)
    assert charge_missed(within=within) == 3
    assert (tried, balance(ana)) == ([*stuck, *others], 997)


def test_credits_are_not_required_unless_the_installation_says_so(bell: Bell) -> None:
    assert runs.submit_single(file_id=make_file().pk, owner=make_user("bo"), sight=EVERYTHING).pk


@pytest.mark.parametrize("call", ["single", "batch", "by_ids", "all", "retry"])
def test_without_credits_nothing_is_submitted(bell: Bell, settings: Any, call: str) -> None:
    bo = make_user("bo")
    file = make_file(template=make_template())
    failed = make_task(bo, state=TaskState.FAILED)
    SyncTaskFile.objects.create(task=failed, file=file, state=ItemState.FAILED, file_sha256="0" * 64)
    acts: dict[str, Any] = {
        "single": lambda: runs.submit_single(file_id=file.pk, owner=bo, sight=EVERYTHING),
        "batch": lambda: runs.submit_batch(owner=bo, sight=EVERYTHING),
        "by_ids": lambda: runs.submit_by_ids(file_ids=[file.pk], owner=bo, sight=EVERYTHING),
        "all": lambda: runs.submit_all(owner=bo, sight=EVERYTHING),
        "retry": lambda: retry_task(failed, sight=EVERYTHING),
    }
    settings.CREDITS_REQUIRED = True
    with pytest.raises(CreditsExhausted) as refused:
        acts[call]()
    assert refused.value.params == {"balance": 0}
    assert list(SyncProgressTask.objects.all()) == [failed]
    assert CatalogFile.objects.get().state == FileState.PENDING
    give(bo, 1)
    assert acts[call]()


def test_credits_that_are_used_up_or_have_ended_are_none(ana: User, bell: Bell, settings: Any) -> None:
    settings.CREDITS_REQUIRED = True
    use(ana, 1000)
    with pytest.raises(CreditsExhausted):
        runs.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING)
    ended = give(ana, 10, days=1)
    assert runs.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING).pk
    let_pass(ended)
    with pytest.raises(CreditsExhausted):
        runs.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING)


def test_the_clock_and_a_remap_need_no_credits(bell: Bell, settings: Any) -> None:
    settings.CREDITS_REQUIRED = True
    assert runs.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING).pk
    bo = make_user("bo")
    remap = make_task(bo)
    remap.kind = TaskKind.REMAP
    before_submit.send(sender=SyncProgressTask, task=remap, owner=bo, files=1, rows=lambda: 1)
    remap.kind = TaskKind.BATCH
    with pytest.raises(CreditsExhausted):
        before_submit.send(sender=SyncProgressTask, task=remap, owner=bo, files=1, rows=lambda: 1)
