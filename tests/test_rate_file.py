"""The embedded store's file is damaged, removed or held by somebody: all processes go on in one file, and few wait."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from erp.supervisor import BASE_DIR
from ratelimits.windows import file, shared
from ratelimits.windows.base import StoreAway, StoreBusy, Window
from ratelimits.windows.file import FileWindow
from ratelimits.windows.shared import SharedWindow

KEY = "ip:203.0.113.9|auth"
LIMIT = 3
NO_DATABASE = b"no database" * 1000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "limits"


@pytest.fixture
def windows(path: Path) -> Sequence[FileWindow]:
    """Two processes' windows that have used the file already."""
    both = FileWindow(path), FileWindow(path)
    for window in both:
        assert window.take("user:1|default", limit=LIMIT, seconds=60).allowed
    return both


def let_in(windows: Sequence[Window]) -> int:
    """How often any of them lets in, where each is asked often and a failure only means to ask again."""
    times = 0
    for _ in range(3 * LIMIT):
        for window in windows:
            try:
                times += window.take(KEY, limit=LIMIT, seconds=60).allowed
            except StoreAway:
                continue
    return times


def damage(path: Path) -> None:
    with path.open("r+b") as opened:
        opened.write(NO_DATABASE)


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for found in path.parent.glob(f"{path.name}*"):
        found.unlink()


def replace(path: Path) -> None:
    other = path.with_name("restored")
    FileWindow(other).take("user:1|default", limit=LIMIT, seconds=60)
    other.rename(path)


@pytest.mark.parametrize("how", [damage, remove, remove_all, replace])
def test_processes_go_on_counting_together(
    path: Path, windows: Sequence[FileWindow], how: Callable[[Path], None]
) -> None:
    how(path)
    assert let_in(windows) == LIMIT
    assert let_in([FileWindow(path)]) == 0


def test_only_the_journal_is_removed(path: Path, windows: Sequence[FileWindow]) -> None:
    (journal,) = path.parent.glob(f"{path.name}-*")
    journal.unlink()
    assert let_in([*windows, FileWindow(path)]) == LIMIT


def test_what_one_process_made_anew_no_other_removes(path: Path, windows: Sequence[FileWindow]) -> None:
    first, second = windows
    damage(path)
    with pytest.raises(StoreAway, match="made anew"):
        first.take(KEY, limit=LIMIT, seconds=60)
    assert let_in([first]) == LIMIT
    second._database.discard()  # it had read the damage just before
    assert let_in(windows) == 0


def test_a_file_that_never_was_a_database_is_made_anew(path: Path) -> None:
    path.write_bytes(NO_DATABASE)
    window = FileWindow(path)
    with pytest.raises(StoreAway, match="made anew"):
        window.take(KEY, limit=5, seconds=60)
    assert window.take(KEY, limit=5, seconds=60).remaining == 4


def test_half_a_moment_is_damage(path: Path, windows: Sequence[FileWindow]) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO log VALUES (?, ?, x'010203')", (KEY, time.time() + 60))
    with pytest.raises(StoreAway, match="made anew"):
        windows[0].take(KEY, limit=LIMIT, seconds=60)
    assert let_in(windows) == LIMIT


def test_what_is_no_damage_costs_nobody_their_counts(windows: Sequence[FileWindow]) -> None:
    assert let_in(windows) == LIMIT
    windows[0]._database.connection().close()
    with pytest.raises(StoreAway, match="closed"):
        windows[0].take(KEY, limit=LIMIT, seconds=60)
    assert let_in(windows) == 0


def test_a_folder_that_cannot_be_written_lifts_no_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    window = FileWindow(tmp_path / "file" / "limits")
    with pytest.raises(StoreAway):
        window.take(KEY, limit=5, seconds=60)
    assert let_in([SharedWindow(window)]) == LIMIT


@contextmanager
def a_held_file(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_all_threads_wait_at_the_same_time(path: Path) -> None:
    patience, threads = 0.5, 8
    window = SharedWindow(FileWindow(path, seconds=patience))
    window.take("user:1|default", limit=LIMIT, seconds=60)
    together = Barrier(threads)

    def ask(_number: int) -> tuple[float, bool]:
        together.wait()
        began = time.monotonic()
        allowed = window.take(KEY, limit=LIMIT, seconds=60).allowed
        return time.monotonic() - began, allowed

    with a_held_file(path), ThreadPoolExecutor(threads) as pool:
        waited, allowed = zip(*pool.map(ask, range(threads)), strict=True)
    assert max(waited) < 3 * patience
    assert sum(allowed) == LIMIT


def test_nobody_waits_for_ever_for_one_whom_the_disk_keeps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "_HUNG_SECONDS", 0.1)
    window = FileWindow(path)
    with window._lock, pytest.raises(StoreAway, match="no answer"):
        window.take(KEY, limit=LIMIT, seconds=60)


def test_a_busy_moment_is_counted_alone_and_no_longer(path: Path) -> None:
    window, other = SharedWindow(FileWindow(path, seconds=0.05)), FileWindow(path)
    assert let_in([window]) == LIMIT
    with a_held_file(path):
        assert window.take(KEY, limit=LIMIT, seconds=60).allowed
    assert let_in([window, other]) == 0


def test_a_file_that_stays_busy_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "STUCK_SECONDS", 0.1)
    store = FileWindow(path, seconds=0.2)
    window = SharedWindow(store)
    with a_held_file(path):
        with pytest.raises(StoreBusy):
            store.take(KEY, limit=LIMIT, seconds=60)
        assert let_in([window]) == LIMIT  # two of them wait
        monkeypatch.setattr(store, "ask", None)
        window.take(KEY, limit=LIMIT, seconds=60)  # does not ask it


TAKE_FOR_EVER = """
import sys
from pathlib import Path
from ratelimits.windows.base import Claim
from ratelimits.windows.file import FileWindow
window, number = FileWindow(Path(sys.argv[1])), 0
while True:
    number += 1
    window.ask([Claim(f"user:{number}|{what}", 5, 600) for what in ("default", "me", "who")], count=True)
    print(number, flush=True)
"""


def test_a_process_that_is_killed_amid_a_take_costs_nobody_anything(path: Path) -> None:
    """Whenever that is: of a request either all windows were taken or none, and what was told was taken."""
    for pause in range(8):
        path.unlink(missing_ok=True)
        told = kill_amid_takes(path, seconds=0.05 + pause / 1000)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = other.execute("SELECT count(*), count(DISTINCT substr(key, 1, instr(key, '|'))) FROM log").fetchone()
        assert rows[0] == 3 * rows[1]
        assert rows[1] in {told, told + 1}
        assert FileWindow(path).look(f"user:{told}|me", limit=5, seconds=600).remaining == 4


def kill_amid_takes(path: Path, *, seconds: float) -> int:
    """The number of the last request that was told it was taken."""
    command = [sys.executable, "-c", TAKE_FOR_EVER, str(path)]
    with subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = [process.stdout.readline()]
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()
    return max(int(line) for line in told if line.endswith("\n"))
