"""The private servers and workers of the test session really are what they claim to be."""

from __future__ import annotations

import os
from collections.abc import Callable

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from tests.services import start_redis, wait_until
from tests.workers import Worker


@pytest.mark.django_db
def test_the_session_runs_on_the_database_it_was_asked_for() -> None:
    """A run that says PostgreSQL and tests SQLite would be worse than none."""
    wanted = "postgresql" if os.environ.get("TEST_DATABASE") == "postgres" else "sqlite"
    assert connection.vendor == wanted
    assert "test" in str(connection.settings_dict["NAME"])


def test_the_session_writes_outside_the_tree() -> None:
    assert not settings.VAR_DIR.is_relative_to(settings.BASE_DIR)


def test_postgres_answers_and_is_recent_enough(private_postgres: str) -> None:
    with psycopg.connect(private_postgres) as client:
        assert client.info.server_version >= 150000


def test_redis_answers_and_goes_when_stopped() -> None:
    server = start_redis()
    client = redis.Redis.from_url(server.url)
    assert client.ping()
    server.stop()
    assert not server.folder.exists()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    client.close()


def test_waiting_says_what_did_not_come() -> None:
    with pytest.raises(TimeoutError, match="the impossible"):
        wait_until(lambda: False, seconds=0.05, what="the impossible")


def test_a_worker_answers_once_the_fixture_returns_and_stops_by_its_id(worker: Callable[..., Worker]) -> None:
    """It is asked again: it calls itself ready for tasks a moment before it hears what is said to all at once."""
    from erp.celery import app  # noqa: PLC0415

    one = worker(processes=1)
    wait_until(lambda: bool(app.control.inspect(timeout=1).ping()), what="an answer of the worker")
    one.stop()
    assert one.process.returncode == 0
