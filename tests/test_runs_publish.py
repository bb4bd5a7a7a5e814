"""Publishing: a broker that is away costs about a second at most, and the task says what happened."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app

from datasync.choices import TaskState
from datasync.runs import services
from erp.publishing import breaker, messages_waiting
from tests.runs_support import make_file
from tests.services import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def broker_is_asked() -> Iterator[None]:
    """Whatever an earlier test met, and no later test is kept from asking."""
    breaker.succeeded()
    yield
    breaker.succeeded()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts and never answers, as a frozen server does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("silent", [False, True])
def test_a_dead_broker_costs_a_submit_little(
    scheme: str, silent: bool, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = silent_port if silent else free_port()
    for name in ("broker_url", "broker_write_url", "broker_read_url"):
        monkeypatch.setitem(current_app.conf, name, f"{scheme}://127.0.0.1:{port}//")
    file = make_file()
    began = time.monotonic()
    task = services.submit_single(file_id=file.pk, owner=None)
    seconds = time.monotonic() - began
    task.refresh_from_db()
    assert (task.state, task.fallback) == (TaskState.QUEUED, True)
    assert seconds < 1.5, f"{seconds:.2f} s"
    print(f"{scheme} {'silent' if silent else 'closed'}: {seconds:.2f} s")


def test_a_turn_carries_the_priority_and_the_clients_id() -> None:
    sent: list[dict[str, Any]] = []

    def remember(sender: str, headers: dict[str, Any], properties: dict[str, Any], **_: Any) -> None:
        sent.append({"task": sender, "id": headers["id"], "args": headers["argsrepr"], **properties})

    from celery.signals import before_task_publish  # noqa: PLC0415

    before_task_publish.connect(remember, weak=False)
    try:
        task = services.submit_by_ids(file_ids=[make_file().pk, make_file().pk], owner=None, priority=9).task
    finally:
        before_task_publish.disconnect(remember)
    assert [message["task"] for message in sent] == ["data_sync.take_turn"] * 2
    assert sent[0]["id"] == task.celery_task_id
    assert sent[1]["id"] != task.celery_task_id
    assert {message["args"] for message in sent} == {"()"}
    redis = current_app.conf.broker_url.startswith("redis")
    assert {message["priority"] for message in sent} == {1 if redis else 9}


def test_how_many_turns_wait_at_the_broker() -> None:
    current_app.control.purge()
    assert messages_waiting("data_sync") == 0
    services.submit_by_ids(file_ids=[make_file().pk, make_file().pk], owner=None, priority=9)
    services.submit_by_ids(file_ids=[make_file().pk], owner=None, priority=2)
    assert messages_waiting("data_sync") == 3
    current_app.control.purge()
    assert messages_waiting("data_sync") == 0
