"""G21: a deployment under load loses and doubles nothing."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncProgressTask
from datasync.runs import services
from erp.models import ApiToken
from tests.api import person
from tests.event_streams import Web
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_least, at_rest, check
from tests.faults.processes import restart_postgres
from tests.faults.trials import Trials
from tests.faults.web import StartWeb, call, start_web
from tests.services import Server, wait_until

__all__ = ["start_web"]
pytestmark = pytest.mark.django_db(transaction=True)
SHARE = 12
only_services = pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="there are no services")


def test_g21_workers_are_replaced_in_the_middle_of_their_work(start: Start, inbox: Path) -> None:
    trials = Trials("G21", "workers are replaced under load", cost=10, minutes=2)
    expected: dict[int, list[str]] = {}
    running = start(processes=2)
    for trial in trials:
        files = write_exports(inbox, 12, rows=4_000, trial=trial)
        expected |= files
        task = services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING).task
        done = task.items.filter(state=ItemState.COMPLETED)
        share = trials.random.randrange(1, 8)
        wait_until(partial(at_least, done, share), seconds=120, what=f"{share} files")
        running.process.send_signal(signal.SIGTERM)
        replacement = start(processes=2)
        running.stop()
        running = replacement
        wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
        assert done.count() == 12
        check(expected, trials)


@only_services
def test_g21_everything_is_restarted_under_load(
    start: Start, start_web: StartWeb, inbox: Path, postgres: Server, redis_server: Server
) -> None:
    """A client goes on submitting files, and asks again where it got no answer, with the key of its first try."""
    trials = Trials("G21", "everything is restarted under load", cost=40, minutes=2.5)
    expected: dict[int, list[str]] = {}
    owner = person("operator", is_staff=True)
    web, running = start_web(), start(processes=2)
    for trial in trials:
        files = write_exports(inbox, 5 * SHARE, rows=1_000, trial=trial, shops=4)
        expected |= files
        client = Client(web, owner)
        with client.submitting(files):
            client.go_on()
            running.process.send_signal(signal.SIGTERM)
            replacement = start(processes=2)
            running.stop()
            running = replacement
            client.go_on()
            client.web = start_web()
            web.process.terminate()
            web.process.wait(60)
            web = client.web
            client.go_on()
            redis_server.restart()
            client.go_on()
            restart_postgres(postgres, by=signal.SIGINT)
            client.go_on()
        assert client.refused == []
        wait_until(at_rest, seconds=240, what=f"the files; the worker's log is {running.log}")
        submitted = SyncProgressTask.objects.filter(items__file__in=files)
        assert submitted.count() == submitted.filter(state="completed").count() == len(files)
        check(expected, trials)


@dataclass
class Client:
    """Submits one file after the other, each until it is told that it was accepted, a share of them at each step."""

    web: Web
    owner: User
    refused: list[object] = field(default_factory=list)
    _allowed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @contextmanager
    def submitting(self, files: Iterable[int]) -> Iterator[None]:
        """Submit the files while the block runs; all are accepted when it has ended."""
        _token, secret = ApiToken.issue(user=self.owner)
        thread = threading.Thread(target=self._submit, args=(list(files), secret), name="client", daemon=True)
        thread.start()
        yield
        thread.join(timeout=240)
        assert not thread.is_alive()

    def go_on(self) -> None:
        """Submit the next share, while the test does something else."""
        self._allowed.release(SHARE)

    def _submit(self, files: list[int], secret: str) -> None:
        for file_id in files:
            self._allowed.acquire()
            while not self._accepted(file_id, secret):
                time.sleep(0.2)

    def _accepted(self, file_id: int, secret: str) -> bool:
        """Whether the file is queued; False where nobody answered, or only to say that something is away."""
        try:
            answer = call(
                self.web,
                "POST",
                "/api/data-sync/single",
                token=secret,
                body={"file_id": file_id},
                Idempotency_Key=f"deploy-{file_id}",
            )
        except (OSError, http.client.HTTPException, ValueError):
            return False
        if answer.status < 500 and answer.status != 202:
            self.refused.append(answer)
        return answer.status < 500
