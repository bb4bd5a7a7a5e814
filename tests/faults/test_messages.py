"""Messages that are lost, doubled or never sent: the rows in the database are the truth, a message is only a bell."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone
from redis import Redis

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import dispatch, publish, services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_least, at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
only_redis = pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the embedded broker is a folder")


def test_g1_a_task_whose_messages_were_never_sent_is_done(
    start: Start, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the web process was killed between commit and publish."""
    trials = Trials("G1", "no message of a submit is ever sent")
    expected: dict[int, list[str]] = {}
    running = start()
    for trial in trials:
        files = write_exports(inbox, 3, trial=trial)
        expected |= files
        with monkeypatch.context() as patched:
            patched.setattr(dispatch, "give_turns", lambda **_: True)
            services.submit_by_ids(file_ids=list(files), owner=None)
        lost = timezone.now()
        wait_until(at_rest, seconds=60, what=f"the batch; the worker's log is {running.log}")
        trials.recovery.append((timezone.now() - lost).total_seconds())
        check(expected, trials)


def test_g2_one_message_delivered_many_times_has_the_effect_of_one(start: Start, inbox: Path) -> None:
    trials = Trials("G2", "a message is delivered forty times to four processes")
    expected: dict[int, list[str]] = {}
    running = start(processes=4)
    for trial in trials:
        files = write_exports(inbox, 4, rows=2_000, trial=trial)
        expected |= files
        services.submit_by_ids(file_ids=list(files), owner=None)
        publish.give_turns(turns=40)
        wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
        check(expected, trials)
    ends = {(item.state, item.attempt, item.error.get("code")) for item in SyncTaskFile.objects.all()}
    assert ends == {(ItemState.COMPLETED, 1, None)}


@only_redis
def test_g9_a_broker_that_loses_everything_heals_by_itself(start: Start, inbox: Path, private_redis: str) -> None:
    trials = Trials("G9", "FLUSHALL under load", quick=3)
    expected: dict[int, list[str]] = {}
    running = start(processes=2)
    broker = Redis.from_url(private_redis)
    for trial in trials:
        files = write_exports(inbox, 8, rows=2_000, trial=trial)
        expected |= files
        task = services.submit_by_ids(file_ids=list(files), owner=None).task
        done = task.items.filter(state=ItemState.COMPLETED)
        share = trials.random.randrange(6)
        wait_until(partial(at_least, done, share), seconds=120, what=f"{share} files")
        broker.flushall()
        flushed = timezone.now()
        wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
        trials.recovery.append((timezone.now() - flushed).total_seconds())
    check(expected, trials)
