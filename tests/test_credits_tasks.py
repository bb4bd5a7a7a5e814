"""Celery's doors to the ledger: a message that comes twice does nothing twice, and the clock sends some."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from datasync.choices import TaskState
from datasync.models import SyncProgressTask
from ratelimits import tasks as tasks  # noqa: PLC0414 - makes Celery know them
from ratelimits.models import CreditAccount, CreditEntry
from ratelimits.quotas.exceptions import UserNotFound
from tests.credits_support import balance, ended_task, give, ledger, let_pass, use
from tests.runs_support import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def send(name: str, **told: Any) -> Any:
    """What the task gives whose message a worker gets."""
    task = current_app.tasks[f"tasks.credits.{name}"]
    return task.apply(kwargs=told, throw=True).get()


def test_grant(ana: User) -> None:
    told = {"user_id": ana.pk, "amount": 50, "key": "march", "note": "March", "expires_at": "2100-01-01T00:00:00Z"}
    assert send("grant", **told) == send("grant", **told) == 50
    entry = CreditEntry.objects.get()
    assert (entry.note, entry.expires_at) == ("March", datetime(2100, 1, 1, tzinfo=UTC))


def test_grant_to_nobody() -> None:
    with pytest.raises(UserNotFound):
        send("grant", user_id=404, amount=5, key="x")


def test_consume_one_task_or_all_that_were_missed(ana: User) -> None:
    give(ana, 100)
    first = ended_task(ana, inserted=10)
    ended_task(ana, updated=20)
    for _ in range(2):
        send("consume", task_id=first.task_id)
    assert balance(ana) == 90
    for _ in range(2):
        send("consume")
    assert ledger(ana)[1:] == [("consume", -10, 90), ("consume", -20, 70)]


def test_refund(ana: User) -> None:
    give(ana, 100)
    task = ended_task(ana, state=TaskState.FAILED)
    use(ana, 30, task=task.task_id)
    assert send("refund", task_id=task.task_id, note="sorry") == send("refund", task_id=task.task_id) == 30
    assert balance(ana) == 100
    assert send("refund", task_id="batch_unknown") == 0


def test_expire_of_one_person_or_of_all(ana: User) -> None:
    bo = make_user("bo")
    let_pass(give(ana, 10, days=1), give(bo, 20, days=1))
    send("expire", user_id=ana.pk)
    assert (balance(ana), balance(bo)) == (0, 20)
    for _ in range(2):
        send("expire")
    assert ledger(bo) == [("grant", 20, 20), ("expire", -20, 0)]


def test_check_charges_what_was_missed_for_long_and_logs_what_does_not_add_up(
    ana: User, caplog: pytest.LogCaptureFixture
) -> None:
    give(ana, 100)
    CreditAccount.objects.update(opened_at=F("opened_at") - timedelta(days=30))
    SyncProgressTask.objects.filter(pk=ended_task(ana, inserted=10).pk).update(
        finished_at=timezone.now() - timedelta(days=20)
    )
    send("consume")
    assert balance(ana) == 100
    send("check")
    assert ledger(ana)[1:] == [("consume", -10, 90)]
    assert "do not add up" not in caplog.text
    CreditAccount.objects.update(balance=91)
    send("check")
    assert "the credits of ana do not add up: balance 91, sum of the entries 90" in caplog.text


def test_the_clock_charges_expires_and_checks() -> None:
    planned = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert {"tasks.credits.consume", "tasks.credits.expire", "tasks.credits.check"} <= planned
    routes = {current_app.amqp.router.route({}, name)["queue"].name for name in planned if "credits" in name}
    assert routes == {"credits"}
