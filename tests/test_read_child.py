"""The reading child: warm, replaceable, bounded in memory and time, and cut off from the network."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.apps import apps
from django.conf import settings

from datasync.exceptions import FileError, ReaderCrashed, ReaderTimeout
from datasync.ingest.plan import ReadRequest
from datasync.ingest.read import Reader, reader
from tests.hostile import HEADER_ROW, parts, write_package

ROWS = 60_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [f"h{column}" for column in range(12)])
        for number in range(1, ROWS + 1):
            sheet.write_row(number, 0, [f"text {number} {column}" for column in range(12)])
    return path


@pytest.fixture
def own() -> Iterator[Reader]:
    with Reader(memory_limit_bytes=1536 * 1024**2, seconds=60) as found:
        yield found


def count(found: Reader, path: Path, **options: Any) -> int:
    with found.open(ReadRequest(path, **options)) as sheet:
        return sum(batch.frame.height for batch in sheet)


def test_the_child_stays_warm_between_files(own: Reader, large: Path) -> None:
    assert count(own, large, batch_rows=5_000) == ROWS
    first = own.pid
    assert own.head(large).rows[0][0] == "h0"
    assert count(own, large, batch_rows=50_000) == ROWS
    assert own.pid == first


def test_batches_come_early_and_in_order(own: Reader, large: Path) -> None:
    with own.open(ReadRequest(large, batch_rows=4_000)) as sheet:
        seen: list[int] = []
        for batch in sheet:
            assert batch.frame.height <= 4_000
            seen.extend(batch.frame["row"].to_list())
    assert seen == list(range(2, ROWS + 2))


def test_leaving_early_leaves_a_usable_reader(own: Reader, large: Path) -> None:
    with own.open(ReadRequest(large, batch_rows=1_000)) as sheet:
        for _ in sheet:
            break
    assert own.head(large, rows=2).rows[1][0] == "text 1 0"
    own.open(ReadRequest(large, batch_rows=1_000))
    assert count(own, large) == ROWS
    assert count(own, large, max_rows=7) == 7
    assert own.head(large, rows=1).rows[0][0] == "h0"


def test_a_child_killed_midway_is_reported_and_replaced(own: Reader, large: Path) -> None:
    with own.open(ReadRequest(large, batch_rows=1_000)) as sheet:
        batches = iter(sheet)
        next(batches)
        assert own.pid is not None
        os.kill(own.pid, signal.SIGKILL)
        with pytest.raises(ReaderCrashed, match="signal 9"):
            list(batches)
    assert count(own, large) == ROWS


def test_whoever_waits_for_a_child_can_be_let_go_from_another_thread(own: Reader, large: Path) -> None:
    own.interrupt()  # there is no child yet
    with own.open(ReadRequest(large, batch_rows=1_000)) as sheet:
        thread = threading.Thread(target=own.interrupt)
        thread.start()
        thread.join()
        with pytest.raises(ReaderCrashed, match="ended on purpose"):
            sum(batch.frame.height for batch in sheet)
    assert own.head(large, rows=1).rows
    warm = own.pid
    own.interrupt()  # nobody waits: the child stays for the next file
    assert own.head(large, rows=1).rows
    assert own.pid == warm


def test_a_child_killed_between_files_costs_nothing(own: Reader, large: Path) -> None:
    own.head(large)
    assert own.pid is not None
    os.kill(own.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{own.pid}/stat").read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert count(own, large) == ROWS


def test_a_frozen_child_runs_into_the_time_limit(large: Path) -> None:
    with Reader(seconds=0.5) as found:
        found.warm_up()
        first = found.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(ReaderTimeout):
            found.head(large)
        assert found.head(large, rows=1).rows
        assert found.pid != first


def test_the_consumers_own_time_does_not_count(large: Path) -> None:
    with Reader(seconds=2) as found:
        found.warm_up()
        with found.open(ReadRequest(large, batch_rows=20_000)) as sheet:
            for number, _ in enumerate(sheet):
                if number == 0:
                    time.sleep(2.2)


def test_memory_beyond_the_limit_ends_the_child_only(tmp_path: Path) -> None:
    """Texts of a hundred megabytes, in a child that may have little more than its own libraries."""
    strings = (
        "<sst><si><t>" + "</t></si><si><t>".join(f"{n:07d}" + "x" * 60 for n in range(1_500_000)) + "</t></si></sst>"
    )
    write_package(tmp_path / "a.xlsx", parts(HEADER_ROW, shared_strings=strings))
    with Reader(memory_limit_bytes=200 * 1024**2) as found:
        with pytest.raises(ReaderCrashed, match="200 MiB"):
            count(found, tmp_path / "a.xlsx")
        (tmp_path / "b.csv").write_text("a,b\n1,2\n")
        assert count(found, tmp_path / "b.csv") == 1


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.write(",".join(f"h{n}" for n in range(12)) + "\n")
        line = ",".join(["a value"] * 12) + "\n"
        for _ in range(100):
            file.write(line * 10_000)
    with Reader() as found:
        assert count(found, path) == 1_000_000
        status = Path(f"/proc/{found.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 400 * 1024


def _count_in_fork(path: Path, answers: multiprocessing.Queue[tuple[int, int | None]]) -> None:
    answers.put((count(reader(), path), reader().pid))
    reader().close()


def test_a_forked_process_gets_its_own_child(large: Path) -> None:
    assert count(reader(), large) == ROWS
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[tuple[int, int | None]] = context.Queue()
    process = context.Process(target=_count_in_fork, args=(large, answers), daemon=True)
    process.start()
    rows, pid = answers.get(timeout=60)
    process.join(timeout=60)
    assert rows == ROWS
    assert pid != reader().pid
    assert count(reader(), large) == ROWS


def test_each_thread_has_its_own_child_which_ends_with_it(large: Path) -> None:
    pids: list[int | None] = []

    def work() -> None:
        assert count(reader(), large) == ROWS
        pids.append(reader().pid)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*pids, reader().pid}) == 3
    for pid in pids:
        assert pid is not None
        wait_until_gone(pid)


def test_polars_is_not_loaded_before_the_first_file() -> None:
    code = "import sys\nimport datasync.ingest.read\nassert 'polars' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, signal\nfrom datasync.ingest.read import reader\n"
        "reader().warm_up()\nprint(reader().pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, timeout=60)
    pid = int(done.stdout)
    wait_until_gone(pid)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_confined_process_can_make_no_socket() -> None:
    code = (
        "import os, socket\nfrom datasync.ingest.read.sandbox import confine\n"
        "confine(memory_limit_bytes=2**30, parent=os.getppid())\n"
        "try:\n    socket.socket()\nexcept PermissionError:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, timeout=60)
    assert done.stdout == b"refused\n"


def test_errors_keep_their_parameters(own: Reader, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b\n1,2\n3,"x\n')
    with pytest.raises(FileError, match="row 3") as caught:
        count(own, tmp_path / "a.csv")
    assert caught.value.params == {"row": 3}


def test_a_bug_in_the_child_leaves_its_trace_in_the_log(
    own: Reader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A request of nonsense takes the place of the bug; what the exception quotes stays out of the log."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    nonsense: Any = "nonsense"
    with pytest.raises(ReaderCrashed, match="TypeError") as caught:
        own.open(ReadRequest(tmp_path / "a.csv", header_row=nonsense))
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "in header_end" in record.getMessage()
    assert "TypeError" in record.getMessage()
    assert "nonsense" not in record.getMessage() + str(caught.value)
    assert count(own, tmp_path / "a.csv") == 1


def test_the_last_words_of_a_child_that_died_are_logged(own: Reader, caplog: pytest.LogCaptureFixture) -> None:
    nonsense: Any = object()
    with pytest.raises(ReaderCrashed, match="exit 1"):
        own.head(Path(), rows=nonsense, expected_header=None)  # type: ignore[arg-type]
    assert "Traceback" in caplog.text
    assert "parse_request" in caplog.text
    assert len(caplog.text) < 10_000


def test_the_head_is_long_enough_for_a_profile(own: Reader, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 5_000)
    assert len(own.head(tmp_path / "a.csv", rows=2_040).rows) == 2_040


def test_the_settings_limit_the_readers_of_this_process() -> None:
    apps.get_app_config("datasync").ready()
    found: list[Reader] = []
    made = threading.Thread(target=lambda: found.append(reader()))
    made.start()
    made.join()
    assert (found[0]._memory_limit_bytes, found[0]._seconds) == (settings.READER_MEMORY_BYTES, settings.READER_SECONDS)
