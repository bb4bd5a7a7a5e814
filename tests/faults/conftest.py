"""What the fault tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.trials import write_report
from tests.workers import Worker

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


def pytest_sessionfinish() -> None:
    """Write the table of what was tried, where a long run asks for it."""
    if report := os.environ.get("FAULT_REPORT"):
        write_report(Path(report))
