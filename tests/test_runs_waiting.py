"""Why is it waiting? Each state of a task or a file has its own answer: what for, what happened last, what next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.exceptions import EncryptedFile, NeedsDescription, NoTemplate, NotStarted, TransientError
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import selectors, services
from datasync.runs.cancel import cancel_task
from datasync.runs.claim import Claim, claim_next
from datasync.runs.errors import error_document
from datasync.runs.finish import put_back
from datasync.runs.situation import situations
from datasync.runs.sweep import sweep
from datasync.runs.waiting_words import Happened, Next, WaitsFor
from erp.health.heartbeat import record_heartbeat
from erp.models import WorkerHeartbeat
from tests.runs_support import Bell, bell, make_file, make_user

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


@pytest.fixture
def worker_alive() -> None:
    record_heartbeat("worker@here")


def submit(files: int = 1, **fields: Any) -> SyncProgressTask:
    task = services.submit_by_ids(file_ids=[make_file().pk for _ in range(files)], owner=None, sight=EVERYTHING).task
    SyncProgressTask.objects.filter(pk=task.pk).update(**fields)
    return SyncProgressTask.objects.get(pk=task.pk)


def why(task: SyncProgressTask) -> tuple[str, str, str]:
    """The codes that a task is answered with."""
    progress = selectors.progress(SyncProgressTask.objects.get(pk=task.pk), sight=EVERYTHING)
    return codes(progress["waiting"])


def why_files(task: SyncProgressTask) -> list[tuple[str, str, str]]:
    """The codes that its files are answered with."""
    progress = selectors.progress(SyncProgressTask.objects.get(pk=task.pk), sight=EVERYTHING)
    return [codes(result["waiting"]) for result in progress["results"]]


def codes(waiting: dict[str, Any]) -> tuple[str, str, str]:
    assert all(part["message"] for part in waiting.values()), waiting
    return waiting["waits_for"]["code"], waiting["last"]["code"], waiting["next"]["code"]


def claim(task: SyncProgressTask, **fields: Any) -> Claim:
    taken = claim_next(task.pk)
    assert taken is not None
    SyncProgressTask.objects.filter(pk=task.pk).update(state=TaskState.PROCESSING, started_at=Now())
    SyncTaskFile.objects.filter(pk=taken.item_id).update(**fields)
    return taken


def test_a_queued_task_says_its_place_among_those_that_wait(worker_alive: None) -> None:
    first = submit(2)
    second = submit(priority=1, created_at=timezone.now())
    assert why(first) == why_files(first)[0] == (WaitsFor.WORKER, Happened.SUBMITTED, Next.TURN)
    places = [
        selectors.progress(task, sight=EVERYTHING)["waiting"]["waits_for"]["message"][-2:-1] for task in (first, second)
    ]
    assert places == ["1", "2"]


def test_no_worker_is_alive(settings: Any) -> None:
    task = submit()
    assert why(task) == (WaitsFor.NO_WORKER, Happened.SUBMITTED, Next.START_A_WORKER)
    record_heartbeat("worker@here")
    WorkerHeartbeat.objects.update(seen_at=timezone.now() - timedelta(seconds=61))
    assert why(task)[0] == WaitsFor.NO_WORKER
    settings.EXECUTION = "local"
    assert why(task)[0] == WaitsFor.WORKER


def test_the_broker_is_away(bell: Bell, worker_alive: None) -> None:
    bell.heard = False
    task = submit()
    SyncProgressTask.objects.update(fallback=True)
    assert why(task) == (WaitsFor.BROKER, Happened.SUBMITTED, Next.TOLD_AGAIN)
    SyncProgressTask.objects.update(served_at=Now())
    assert why(task)[0] == WaitsFor.WORKER, "somebody has been at it since"


def test_the_window_is_full(worker_alive: None, settings: Any) -> None:
    task = submit(3)
    claim(task)
    assert why(task) == (WaitsFor.IN_WORK, Happened.FILE_TAKEN, Next.FINISHES)
    assert [found[0] for found in why_files(task)] == [
        WaitsFor.FILE_IN_WORK, WaitsFor.FREE_WORKER, WaitsFor.FREE_WORKER,
    ]  # fmt: skip
    settings.BATCH_WINDOW = 1
    assert why(task)[0] == WaitsFor.WINDOW
    assert [found[0] for found in why_files(task)] == [WaitsFor.FILE_IN_WORK, WaitsFor.WINDOW, WaitsFor.WINDOW]


def test_a_file_that_was_put_back_waits_until_its_time(worker_alive: None) -> None:
    task = submit()
    put_back(claim(task), error=error_document(TransientError()), seconds_until_next=60)
    item = SyncTaskFile.objects.get()
    assert why(task)[0] == WaitsFor.PAUSE
    (result,) = selectors.progress(task, sight=EVERYTHING)["results"]
    assert codes(result["waiting"]) == (WaitsFor.PAUSE, Happened.TRIED, Next.TRIED_AGAIN)
    assert result["waiting"]["waits_for"]["at"] == result["waiting"]["next"]["at"] == item.not_before
    assert "Attempt 1 failed: Something outside the file failed" in result["waiting"]["last"]["message"]
    assert "attempt 2" in result["waiting"]["next"]["message"]
    SyncTaskFile.objects.update(not_before=Now() - timedelta(seconds=1))
    assert why(task)[0] == WaitsFor.WORKER


def test_a_worker_that_falls_silent_and_one_that_is_gone(worker_alive: None) -> None:
    task = submit()
    claim(task, lease_until=Now() + timedelta(seconds=20))
    assert why(task)[0] == WaitsFor.SILENT_WORKER
    (result,) = selectors.progress(task, sight=EVERYTHING)["results"]
    item = SyncTaskFile.objects.get()
    assert codes(result["waiting"]) == (WaitsFor.SILENT_WORKER, Happened.SIGN_OF_LIFE, Next.FREED)
    assert result["waiting"]["next"]["at"] == item.lease_until
    SyncTaskFile.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert why(task)[0] == WaitsFor.LEASE_OVER
    assert why_files(task) == [(WaitsFor.LEASE_OVER, Happened.SIGN_OF_LIFE, Next.FREED)]
    sweep()
    assert why_files(task) == [(WaitsFor.WORKER, Happened.WORKER_LOST, Next.TURN)]
    claim(task, lease_until=Now() - timedelta(seconds=1))
    assert why_files(task) == [(WaitsFor.LEASE_OVER, Happened.SIGN_OF_LIFE, Next.GIVEN_UP)]


def test_cancelling(worker_alive: None) -> None:
    task = submit(2)
    claim(task)
    SyncProgressTask.objects.update(state=TaskState.CANCELLING, cancel_requested_at=Now() + timedelta(seconds=1))
    assert why(task) == (WaitsFor.CANCEL, Happened.CANCEL_ASKED, Next.STOPS)
    assert [found[::2] for found in why_files(task)] == [
        (WaitsFor.FILE_IN_WORK, Next.STOPS), (WaitsFor.CANCEL, Next.STOPS),
    ]  # fmt: skip


def test_cancelling_while_the_worker_is_silent_or_gone(worker_alive: None) -> None:
    """It takes as long as the lease then, and is not promised sooner."""
    task = submit()
    claim(task)
    cancel_task(task)
    SyncTaskFile.objects.update(lease_until=Now() + timedelta(seconds=20))
    waiting = selectors.progress(SyncProgressTask.objects.get(pk=task.pk), sight=EVERYTHING)["waiting"]
    assert codes(waiting) == (WaitsFor.SILENT_WORKER, Happened.CANCEL_ASKED, Next.STOPS)
    assert waiting["waits_for"]["at"] == waiting["next"]["at"] == SyncTaskFile.objects.get().lease_until
    SyncTaskFile.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert why(task) == (WaitsFor.LEASE_OVER, Happened.CANCEL_ASKED, Next.STOPS)


def test_where_no_worker_sweeps_nothing_is_said_to_happen_by_itself() -> None:
    late = submit(deadline_at=timezone.now() - timedelta(seconds=1))
    lost, done = submit(), submit()
    claim(lost, lease_until=Now() - timedelta(seconds=1))
    claim(done, state=ItemState.COMPLETED)
    tasks = {late: WaitsFor.DEADLINE, lost: WaitsFor.LEASE_OVER, done: WaitsFor.CLOSING}
    for task, waits_for in tasks.items():
        assert (why(task)[0], why(task)[2]) == (waits_for, Next.START_A_WORKER)
    assert why_files(lost) == [(WaitsFor.LEASE_OVER, Happened.SIGN_OF_LIFE, Next.START_A_WORKER)]
    record_heartbeat("worker@here")
    assert [why(task)[2] for task in tasks] == [Next.NOT_STARTED, Next.FREED, Next.CLOSES]


def test_all_files_done_but_not_closed(worker_alive: None) -> None:
    task = submit()
    claim(task)
    SyncTaskFile.objects.update(state=ItemState.COMPLETED, finished_at=Now())
    assert why(task) == (WaitsFor.CLOSING, Happened.FILE_DONE, Next.CLOSES)


def test_past_the_deadline(worker_alive: None) -> None:
    task = submit(deadline_at=timezone.now() - timedelta(seconds=1))
    assert why(task) == why_files(task)[0] == (WaitsFor.DEADLINE, Happened.SUBMITTED, Next.NOT_STARTED)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": TaskState.COMPLETED}, Next.NOTHING),
        ({"state": TaskState.PARTIAL, "rows_quarantined": 3}, Next.REVIEW),
        ({"state": TaskState.FAILED, "failed_files": 1}, Next.RETRY),
        ({"state": TaskState.PARTIAL, "skipped_files": 1}, Next.LOOK),
        ({"state": TaskState.PARTIAL, "skipped_files": 1, "warnings": [NotStarted().document]}, Next.RETRY),
        ({"state": TaskState.CANCELLED, "skipped_files": 1}, Next.RETRY),
    ],
)
def test_a_finished_task_says_what_is_left_to_do(values: dict[str, Any], expected: Next) -> None:
    task = submit(**values, finished_at=timezone.now())
    last = Happened.CANCELLED if values["state"] == TaskState.CANCELLED else Happened.FINISHED
    assert why(task) == (WaitsFor.NOTHING, last, expected)


def test_a_retried_task_names_its_retry() -> None:
    task = submit(state=TaskState.FAILED, failed_files=1, finished_at=timezone.now())
    SyncProgressTask.objects.create(task_id="batch_again", celery_task_id="again", kind=task.kind, parent=task)
    found = selectors.progress(
        selectors.task_for(make_user("chief", is_staff=True), task.task_id, sight=EVERYTHING), sight=EVERYTHING
    )["waiting"]["next"]
    assert (found["code"], "batch_again" in found["message"]) == (Next.RETRIED, True)
    assert why(task)[2] == Next.RETRIED


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": ItemState.COMPLETED}, (WaitsFor.NOTHING, Happened.FINISHED, Next.NOTHING)),
        (
            {"state": ItemState.PARTIAL, "rows_quarantined": 2},
            (WaitsFor.NOTHING, Happened.FINISHED, Next.REVIEW),
        ),
        (
            {"state": ItemState.FAILED, "error": EncryptedFile().document},
            (WaitsFor.NOTHING, Happened.FAILED, Next.ADVICE),
        ),
        (
            {"state": ItemState.SKIPPED, "error": NeedsDescription().document},
            (WaitsFor.DESCRIPTION, Happened.LEFT_OUT, Next.ADVICE),
        ),
        (
            {"state": ItemState.SKIPPED, "error": NoTemplate().document},
            (WaitsFor.TEMPLATE, Happened.LEFT_OUT, Next.ADVICE),
        ),
        ({"state": ItemState.CANCELLED}, (WaitsFor.NOTHING, Happened.CANCELLED, Next.ADVICE)),
    ],
)
def test_a_finished_file_says_what_is_left_to_do(
    values: dict[str, Any], expected: tuple[WaitsFor, Happened, Next]
) -> None:
    task = submit()
    SyncTaskFile.objects.update(**values, finished_at=Now())
    assert why_files(task) == [expected]


def test_every_sentence_can_be_said() -> None:
    """With the names that are given to it, in each language."""
    names = dict.fromkeys(
        ("place", "most", "in_work", "queued", "attempt", "error", "crashes", "files", "task_id", "advice", "rows"), "1"
    )
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for code in (*WaitsFor, *Happened, *Next):
                assert "%(" not in str(code.label) % names


def test_many_tasks_are_asked_about_at_once(worker_alive: None) -> None:
    tasks = [submit(2) for _ in range(5)]
    claim(tasks[0])
    with CaptureQueriesContext(connection) as captured:
        found = situations(tasks)
    assert len(captured) == 1
    assert [found[task.pk].counts["in_work"] for task in tasks] == [1, 0, 0, 0, 0]


def test_the_console_says_it(admin_client: Client) -> None:
    task = submit(2)
    put_back(claim(task), error=error_document(TransientError()), seconds_until_next=60)
    page = admin_client.get(reverse("admin:datasync_syncprogresstask_change", args=(task.pk,))).content.decode()
    assert "A worker: none is running." in page
    assert "Start a worker" in page
    assert "The end of the pause after an error" in page
    listed = admin_client.get(reverse("admin:datasync_synctaskfile_changelist")).content.decode()
    assert "The end of the pause after an error" in listed
    assert "A worker: none is running." in listed
    item = SyncTaskFile.objects.get(attempt=1)
    page = admin_client.get(reverse("admin:datasync_synctaskfile_change", args=(item.pk,))).content.decode()
    assert "Attempt 1 failed" in page


def test_the_command_line_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    task = submit(2)
    put_back(claim(task), error=error_document(TransientError()), seconds_until_next=60)
    call_command("task_status", task.task_id)
    shown = capsys.readouterr().out
    assert "A worker: none is running." in shown
    assert "Start a worker" in shown
    assert "The end of the pause after an error" in shown, "of the file that is held up"
