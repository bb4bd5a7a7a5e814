"""A submit that is sent again with its key makes no second task, at once or later, for a day."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import FileState
from datasync.exceptions import DataNotFound, IdempotencyConflict, InvalidRequest
from datasync.models import IdempotencyKey, SyncProgressTask
from datasync.runs import services
from datasync.runs.idempotency import digest_of, submit_once
from datasync.runs.services import Submission
from datasync.runs.sweep import sweep
from tests.runs_support import Bell, bell, make_file, make_user
from tests.test_quarantine_races import at_once

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)


def _once(
    file_ids: list[int], *, key: str | None = "k", digest: str = "same", owner: User | None = None
) -> Submission | None:
    person = owner or make_user()
    return submit_once(
        lambda: services.submit_by_ids(file_ids=file_ids, owner=person, sight=EVERYTHING),
        owner=person,
        key=key,
        digest=digest,
    )


def test_the_same_request_is_answered_with_the_same_task_and_rung_for_once(bell: Bell) -> None:
    file, busy = make_file(), make_file()
    services.submit_single(file_id=busy.pk, owner=None, sight=EVERYTHING)
    rung = len(bell.rung)
    first = _once([file.pk, busy.pk, 404])
    assert first is not None
    assert (first.busy_file_ids, first.missing_file_ids) == ((busy.pk,), (404,))
    assert _once([file.pk, busy.pk, 404]) == first
    assert len(bell.rung) == rung + 1


def test_another_request_with_the_key_is_refused(bell: Bell) -> None:
    first = _once([make_file().pk])
    assert first is not None
    with pytest.raises(IdempotencyConflict, match=first.task.task_id):
        _once([make_file().pk], digest="other")
    assert SyncProgressTask.objects.count() == 1


def test_each_person_has_keys_of_their_own(bell: Bell) -> None:
    first, second = (_once([make_file().pk], owner=make_user(name)) for name in ("ana", "bo"))
    assert first is not None
    assert second is not None
    assert first.task != second.task


def test_without_a_key_each_request_is_done(bell: Bell) -> None:
    assert _once([make_file().pk], key=None) != _once([make_file().pk], key=None)
    assert not IdempotencyKey.objects.exists()


def test_a_submit_that_fails_leaves_its_key_free(bell: Bell) -> None:
    with pytest.raises(DataNotFound):
        _once([404])
    file = make_file()
    assert _once([file.pk]) is not None


def test_a_submit_that_finds_nothing_to_do_leaves_its_key_free(bell: Bell) -> None:
    person = make_user()

    def everything() -> Submission | None:
        task = services.submit_batch(owner=person, only_with_template=False, sight=EVERYTHING)
        return Submission(task=task) if task else None

    assert submit_once(everything, owner=person, key="k", digest="d") is None
    make_file(state=FileState.PENDING)
    assert submit_once(everything, owner=person, key="k", digest="d") is not None


def test_fifty_at_once_make_one_task(bell: Bell) -> None:
    file, person = make_file(), make_user()
    given = at_once(*[lambda: _once([file.pk], owner=person)] * 50)
    assert {one.task.pk for one in given} == {SyncProgressTask.objects.get().pk}
    assert len(bell.rung) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one submit after the other in")
def test_of_two_at_once_the_second_is_done_where_the_first_fails(bell: Bell) -> None:
    """The second waits for the first, and must not be answered with what never came about."""
    file, person, entered = make_file(), make_user(), threading.Event()

    def failing() -> Submission:
        entered.set()
        threading.Event().wait(0.3)
        raise DataNotFound(what="x")

    def second() -> Submission | None:
        assert entered.wait(timeout=20)
        return _once([file.pk], owner=person)

    failed, done = at_once(lambda: submit_once(failing, owner=person, key="k", digest="same"), second)
    assert isinstance(failed, DataNotFound)
    assert done.task == SyncProgressTask.objects.get()


def test_after_a_day_a_key_is_free_again_and_swept(bell: Bell) -> None:
    first = _once([make_file().pk])
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=23, minutes=59))
    file = make_file()
    assert _once([file.pk]) == first
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=24, seconds=1))
    assert _once([file.pk]) != first
    _once([make_file().pk], key="other")
    IdempotencyKey.objects.filter(key="k").update(created_at=Now() - timedelta(hours=25))
    sweep(dry_run=True)
    assert IdempotencyKey.objects.count() == 2
    sweep()
    assert IdempotencyKey.objects.get().key == "other"


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\n", "\x7f", "a" * 256])
def test_what_is_no_key(bell: Bell, key: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        _once([make_file().pk], key=key)
    assert raised.value.params["field"] == "Idempotency-Key"
    assert not SyncProgressTask.objects.exists()


@pytest.mark.parametrize("key", ["!", "~", "a" * 255, '"quoted"', "8e03978e-40d5-43e8-bc93-6894a57f9324"])
def test_what_is_one(bell: Bell, key: str) -> None:
    assert _once([make_file().pk], key=key) is not None


def test_what_makes_two_requests_the_same() -> None:
    digest = digest_of(method="POST", path="/a", asked={"x": 1, "y": 2})
    assert digest == digest_of(method="POST", path="/a", asked={"y": 2, "x": 1})
    assert digest != digest_of(method="POST", path="/a", asked={"x": 1})
    assert digest != digest_of(method="POST", path="/b", asked={"x": 1, "y": 2})
    assert digest != digest_of(method="PUT", path="/a", asked={"x": 1, "y": 2})
