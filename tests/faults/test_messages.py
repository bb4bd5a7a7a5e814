"""Messages that are lost, doubled or never sent: the rows in the database are the truth, a message is only a bell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from redis import Redis

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import dispatch, publish, services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
only_redis = pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the embedded broker is a folder")


def test_g1_a_task_whose_messages_were_never_sent_is_done(
    start: Start, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the web process was killed between commit and publish."""
    expected = write_exports(inbox, 3)
    with monkeypatch.context() as patched:
        patched.setattr(dispatch, "give_turns", lambda **_: True)
        services.submit_by_ids(file_ids=list(expected), owner=None)
    running = start()
    wait_until(at_rest, seconds=60, what=f"the batch; the worker's log is {running.log}")
    check(expected)


def test_g2_one_message_delivered_many_times_has_the_effect_of_one(start: Start, inbox: Path) -> None:
    expected = write_exports(inbox, 4, rows=2_000)
    services.submit_by_ids(file_ids=list(expected), owner=None)
    publish.give_turns(turns=40)
    running = start(processes=4)
    wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
    check(expected)
    ends = {(item.state, item.attempt, item.error.get("code")) for item in SyncTaskFile.objects.all()}
    assert ends == {(ItemState.COMPLETED, 1, None)}


@only_redis
def test_g9_a_broker_that_loses_everything_heals_by_itself(start: Start, inbox: Path, private_redis: str) -> None:
    expected = write_exports(inbox, 30, rows=2_000)
    services.submit_by_ids(file_ids=list(expected), owner=None)
    running = start(processes=2)
    broker = Redis.from_url(private_redis)
    done = SyncTaskFile.objects.filter(state=ItemState.COMPLETED)
    for share in (3, 10, 20):

        def reached(share: int = share) -> bool:
            return done.count() >= share or at_rest()

        wait_until(reached, seconds=120, what=f"{share} files")
        broker.flushall()
    wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
    check(expected)
