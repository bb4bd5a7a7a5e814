"""The demo: real files, a real worker, and an exit code that tells whether every row is accounted for."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.programs import embedded, finish, processes_of, run, start
from tests.services import wait_until

pytestmark = pytest.mark.slow
DEMO = ("demo", "--rows", "3000", "--no-progress", "--json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One installation for all tests here: they follow one another."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(autouse=True)
def no_process_stays(folder: Path) -> Iterator[None]:
    """Whatever a test does, nothing of the installation runs afterwards."""
    yield
    assert processes_of(folder) == set()


def demo(folder: Path) -> tuple[int, dict[str, Any]]:
    """Run it; its exit code and its document."""
    code, output, errors = run(DEMO, environment=embedded(folder))
    assert output, errors
    return code, json.loads(output)


def test_the_first_demo_balances(folder: Path) -> None:
    code, document = demo(folder)
    assert document["differences"] == []
    assert code == 0
    rows = document["rows"]
    assert rows["read"] == sum(number for name, number in rows.items() if name != "read")
    assert rows["inserted"] > 2000
    assert rows["quarantined"] > 0
    assert document["repeated"] is False


def test_the_second_changes_no_row(folder: Path) -> None:
    code, document = demo(folder)
    assert document["differences"] == []
    assert (code, document["repeated"]) == (0, True)
    assert (document["rows"]["inserted"], document["rows"]["updated"]) == (0, 0)


def test_a_lost_row_is_noticed(folder: Path) -> None:
    """The third finds a row missing that the second left, and says so."""
    with sqlite3.connect(folder / "erp.sqlite3") as database:
        database.execute("DELETE FROM datasync_orderline WHERE rowid = (SELECT min(rowid) FROM datasync_orderline)")
    database.close()
    code, document = demo(folder)
    assert code == 1
    assert document["balanced"] is False
    assert any("instead of none" in difference for difference in document["differences"])


def test_a_demo_over_other_files_is_refused(folder: Path) -> None:
    """Its books could not balance with what the earlier one left in the tables."""
    code, _output, errors = run(("demo", "--rows", "2000", "--no-progress"), environment=embedded(folder))
    assert code == 2
    assert "make clean" in errors


def test_ctrl_c_leaves_no_worker_behind(folder: Path) -> None:
    process = start(DEMO, environment=embedded(folder))
    log = folder / "worker.log"
    before = log.stat().st_mtime_ns
    wait_until(lambda: log.stat().st_mtime_ns != before and " ready." in log.read_text(), what="the demo's worker")
    process.send_signal(signal.SIGINT)
    _output, errors = finish(process, seconds=60)
    assert process.returncode == 130
    assert "worker is gone" in errors
