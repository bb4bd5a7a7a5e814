"""Queues: each task has one, a worker takes all of them, and 10 goes first on every broker."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.beat import Scheduler
from kombu import Connection, Exchange, Queue

from erp.broker import QUEUES, ROUTES, broker_priority, broker_settings
from erp.celery import app
from erp.supervisor import worker_command


def _tasks() -> list[str]:
    app.loader.import_default_modules()
    return sorted(app.tasks)


def test_every_task_has_a_route_to_a_known_queue() -> None:
    names = _tasks()
    assert "data_sync.take_turn" in names
    routes = {name: app.amqp.router.route({}, name) for name in names}
    lost = [name for name in names if not any(Path(name).match(pattern) for pattern in ROUTES)]
    assert not lost, f"no route for {lost}"
    assert {route["queue"].name for route in routes.values()} <= set(QUEUES)


def test_every_route_leads_to_a_queue_and_every_queue_is_used() -> None:
    assert {route["queue"] for route in ROUTES.values()} == set(QUEUES)
    assert [queue.name for queue in app.conf.task_queues] == list(QUEUES)


def test_the_first_route_that_fits_wins() -> None:
    assert app.amqp.router.route({}, "tasks.file.export_file")["queue"].name == "export"
    assert app.amqp.router.route({}, "tasks.file.import_file")["queue"].name == "file_tasks"


def test_a_worker_takes_every_queue() -> None:
    command = worker_command()
    assert set(command[command.index("--queues") + 1].split(",")) == set(QUEUES)


def _defaults() -> dict[str, Any]:
    """The entries that Beat adds to every schedule of its own accord."""
    scheduler = Scheduler(app=app, lazy=True)
    entries: dict[str, Any] = {}
    scheduler.install_default_entries(entries)
    return entries | scheduler.schedule


def test_what_beat_and_celery_add_by_themselves_is_scheduled_work() -> None:
    assert app.amqp.router.route({}, "celery.backend_cleanup")["queue"].name == "scheduled"


def test_nobody_throws_a_clients_result_away() -> None:
    assert app.conf.result_expires is None
    assert "celery.backend_cleanup" not in _defaults()


def test_a_message_killed_at_the_hard_limit_comes_back() -> None:
    assert app.conf.task_acks_late
    task: Any = app.tasks["data_sync.take_turn"]
    assert task.acks_on_timeout is False


def test_messages_store_no_results() -> None:
    assert app.tasks["data_sync.take_turn"].ignore_result


@pytest.mark.parametrize(
    ("url", "redis"),
    [
        ("redis://h/0", True),
        ("rediss://h/0", True),
        ("sentinel://h:26379", True),
        ("amqp://h//", False),
        ("", False),
    ],
)
def test_our_priority_becomes_the_brokers(url: str, redis: bool, tmp_path: Path) -> None:
    settings = broker_settings(url=url, folder=tmp_path)
    numbers = [broker_priority(ours, redis=redis) for ours in range(1, 11)]
    assert numbers == (list(range(9, -1, -1)) if redis else list(range(1, 11)))
    assert settings["task_default_priority"] == 5
    kinds = {(queue.queue_arguments or {}).get("x-queue-type") for queue in settings["task_queues"]}
    assert kinds == ({"quorum"} if url.startswith("amqp") else {None})
    if redis:
        assert settings["broker_transport_options"]["priority_steps"] == list(range(10))


@pytest.fixture
def embedded(tmp_path: Path) -> Celery:
    """An app on an embedded broker of its own."""
    own = Celery("test", set_as_current=False)
    own.conf.update(broker_settings(url="", folder=tmp_path))
    return own


def _channel(own: Celery) -> Any:
    connection: Connection = own.connection_for_write()
    channel = connection.channel()
    Queue("data_sync", Exchange("data_sync"), routing_key="data_sync")(channel).declare()
    return channel


def test_the_embedded_broker_keeps_priorities_and_order(embedded: Celery) -> None:
    with embedded.connection_for_write() as connection:
        producer = connection.Producer()
        name = uuid.uuid4().hex  # kombu remembers by name, across folders, what it has declared
        waiting: Any = Queue(name, Exchange(name), routing_key=name)(connection.default_channel)
        waiting.declare()
        for text, priority in (("a", 5), ("b", 1), ("c", 10), ("d", 5)):
            producer.publish(text, exchange=name, routing_key=name, priority=priority)
        assert [waiting.get(no_ack=True).payload for _ in range(4)] == ["c", "a", "d", "b"]
        assert waiting.get() is None


def test_the_embedded_broker_hands_each_message_out_once_and_whole(embedded: Celery) -> None:
    """Readers look all the time while messages are written: none is read half, none twice, none is lost."""
    messages = 300
    got: list[int] = []
    failures: list[Exception] = []
    writing = threading.Event()

    def read() -> None:
        channel = _channel(embedded)
        while not writing.is_set() or channel._size("data_sync"):
            try:
                got.append(channel._get("data_sync")["body"])
            except Exception as error:
                if type(error).__name__ != "Empty":
                    failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    channel = _channel(embedded)
    for number in range(messages):
        channel._put("data_sync", {"body": number, "properties": {"priority": 5}})
    writing.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert sorted(got) == list(range(messages))
