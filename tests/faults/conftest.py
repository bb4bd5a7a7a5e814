"""What the fault tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import _started
from tests.faults.trials import note_failure, write_trials
from tests.services import Server
from tests.workers import Worker

if TYPE_CHECKING:
    from tests.faults.stops import Stops

Start = Callable[..., Worker]


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A root of its own, with the built-in templates loaded."""
    from datasync.mapping.services import load_builtin_templates  # noqa: PLC0415 - needs the settings

    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return tmp_path


@pytest.fixture
def start(worker: Start, inbox: Path) -> Start:
    """Start workers on the inbox, with a lease that a test can wait for: ``start(processes=2)``."""

    def started(*, processes: int = 1, **environment: str) -> Worker:
        lease = {"LEASE_SECONDS": os.environ.get("FAULT_LEASE_SECONDS", "5")}
        return worker(processes=processes, environment={"DATA_ROOTS": str(inbox)} | lease | environment)

    return started


@pytest.fixture
def stops(transactional_db: None, start: Start) -> Iterator[Stops]:
    """Points at which loads wait; only on PostgreSQL."""
    if os.environ.get("TEST_DATABASE") != "postgres":
        pytest.skip("a load cannot be made to wait inside SQLite")
    from tests.faults.stops import Stops  # noqa: PLC0415 - needs the settings

    points = Stops()
    points.install()
    yield points
    points.remove()


@pytest.fixture
def postgres(private_postgres: str) -> Server:
    """The session's own PostgreSQL, to be restarted."""
    return _server_of(private_postgres)


@pytest.fixture
def redis_server(private_redis: str) -> Server:
    """The session's own Redis, to be restarted; it keeps nothing."""
    return _server_of(private_redis)


def _server_of(url: str) -> Server:
    return next(server for server in _started if server.url == url)


_skipped: list[str] = []
_failed: list[str] = []  # of those that tell of no trials


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Whatever a test fails of, its trials failed."""
    name = report.nodeid.rpartition("/")[2]
    if report.failed and not note_failure(report.nodeid):
        _failed.append(name)
    if report.skipped:
        _skipped.append(f"{name}: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}")


def pytest_sessionfinish() -> None:
    """Tell of what was tried, where a long run asks for it."""
    if told := os.environ.get("FAULT_TOLD"):
        write_trials(Path(told), skipped=_skipped, failed=_failed)
