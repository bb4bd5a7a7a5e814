"""Publishing: a broker that is away costs less than a second, and the task says what happened."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from kombu import Producer
from kombu.exceptions import LimitExceeded

from datasync.access import EVERYTHING
from datasync.choices import TaskState
from datasync.runs import publish, services
from erp import publishing
from erp.publishing import (
    BUDGET_SECONDS,
    OPEN_SECONDS,
    BrokerAvoided,
    BrokerAway,
    breaker,
    messages_waiting,
    with_producer,
)
from erp.waits import give_up, waiting_once
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
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    seconds = time.monotonic() - began
    task.refresh_from_db()
    assert (task.state, task.fallback) == (TaskState.QUEUED, True)
    assert seconds < 1.0, f"{seconds:.2f} s"
    print(f"{scheme} {'silent' if silent else 'closed'}: {seconds:.2f} s")


def test_a_turn_carries_the_priority_and_the_clients_id() -> None:
    sent: list[dict[str, Any]] = []

    def remember(sender: str, headers: dict[str, Any], properties: dict[str, Any], **_: Any) -> None:
        sent.append({"task": sender, "id": headers["id"], "args": headers["argsrepr"], **properties})

    from celery.signals import before_task_publish  # noqa: PLC0415

    before_task_publish.connect(remember, weak=False)
    try:
        task = services.submit_by_ids(
            file_ids=[make_file().pk, make_file().pk], owner=None, priority=9, sight=EVERYTHING
        ).task
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
    services.submit_by_ids(file_ids=[make_file().pk, make_file().pk], owner=None, priority=9, sight=EVERYTHING)
    services.submit_by_ids(file_ids=[make_file().pk], owner=None, priority=2, sight=EVERYTHING)
    assert messages_waiting("data_sync") == 3
    current_app.control.purge()
    assert messages_waiting("data_sync") == 0


def test_a_slow_broker_is_given_fewer_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def slow(_producer: Producer, name: str, **_options: Any) -> None:
        time.sleep(0.25)
        sent.append(name)

    monkeypatch.setattr(publish, "send", slow)
    began = time.monotonic()
    assert publish.give_turns(turns=10)
    assert time.monotonic() - began < 1.0
    assert 1 <= len(sent) <= 2


def test_a_broker_that_answers_too_late_is_away() -> None:
    """Whatever hangs: here each step is quick, and there are many."""
    ended = threading.Event()

    def many_steps(_producer: Producer) -> None:
        while not ended.wait(0.1):
            pass

    began = time.monotonic()
    with pytest.raises(BrokerAway, match="no answer"):
        with_producer(many_steps)
    assert time.monotonic() - began < BUDGET_SECONDS + 0.3
    ended.set()
    with pytest.raises(BrokerAvoided):
        with_producer(many_steps)


def test_connections_that_are_all_in_use_are_not_the_brokers_fault() -> None:
    def none_free(_producer: Producer) -> None:
        raise LimitExceeded(10)

    with pytest.raises(BrokerAway, match="in use"):
        with_producer(none_free)
    assert with_producer(lambda _producer: "asked") == "asked"


def test_a_defect_of_ours_is_not_hidden() -> None:
    def defect(_producer: Producer) -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        with_producer(defect)


def test_after_a_failure_nobody_asks_the_broker_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(publishing, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    breaker.failed()
    with pytest.raises(BrokerAvoided, match="a moment ago"):
        with_producer(lambda _producer: None)
    clock[0] += OPEN_SECONDS
    breaker.enter()  # one may try
    with pytest.raises(BrokerAvoided):
        breaker.enter()  # the others wait for what comes of it
    breaker.succeeded()
    breaker.enter()


def test_a_request_that_has_waited_for_the_brokers_server_does_not_wait_again() -> None:
    """It is one server whoever asks it; other servers, other requests and what is no request are asked."""

    def ask() -> str:
        return with_producer(lambda _producer: "asked")

    broker = current_app.conf.broker_url
    with waiting_once():
        give_up("redis://127.0.0.1:1/0")
        assert ask() == "asked"
        give_up(broker.replace("://", "://somebody:secret@") + "/7")
        with pytest.raises(BrokerAvoided):
            ask()
        with ThreadPoolExecutor(1) as another:
            assert another.submit(ask).result() == "asked"
    give_up(broker)
    assert ask() == "asked"
