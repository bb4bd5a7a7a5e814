"""Each hostile file on its whole way: one attempt, its own code, nothing loaded, and the next file as ever."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path, scan
from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import FileError, UnsupportedFormat
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, OrderLine
from tests.hostile import REFUSED, directory, fifo, link_to_outside, unix_socket
from tests.order_exports import NAME, End, line, run, shop_folder, sync, text
from tests.runs_support import bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
NO_REGULAR_FILE = {"fifo.csv": fifo, "directory.csv": directory, "socket.csv": unix_socket, "link.csv": link_to_outside}
GOOD = text([line("G1"), line("G2")]).encode()


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A shop's folder in a root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return shop_folder(tmp_path)


def check_failed(end: End, code: str) -> None:
    item = end.task.items.get()
    assert (item.state, item.error["code"], item.attempt) == (ItemState.FAILED, code, 1)
    assert (end.task.state, end.task.rows_read, [error["code"] for error in end.task.errors]) == (
        TaskState.FAILED, 0, [code],
    )  # fmt: skip
    assert (end.file.last_error["code"], end.file.quarantined.count()) == (code, 0)
    assert not OrderLine.objects.exists()


def check_still_working(inbox: Path) -> None:
    good = sync(inbox / f"{NAME.replace('06_', '07_')}.csv", GOOD)
    assert (good.task.state, good.orders) == (TaskState.COMPLETED, {"G1", "G2"})


@pytest.mark.parametrize("name", [name for name in REFUSED if name not in NO_REGULAR_FILE])
def test_refused_once_and_for_all(name: str, inbox: Path) -> None:
    build, code = REFUSED[name]
    end = sync(inbox / f"{NAME}{Path(name).suffix}", build)
    check_failed(end, code)
    assert end.file.state == FileState.FAILED
    check_still_working(inbox)


@pytest.mark.parametrize("name", NO_REGULAR_FILE)
def test_what_is_no_regular_file_is_never_catalogued(name: str, inbox: Path) -> None:
    NO_REGULAR_FILE[name](inbox / f"{NAME}.csv")
    with pytest.raises(UnsupportedFormat):
        catalogue_path(inbox / f"{NAME}.csv")
    assert scan(sight=EVERYTHING).new == 0
    assert not CatalogFile.objects.exists()


@pytest.mark.parametrize("name", NO_REGULAR_FILE)
def test_what_takes_the_place_of_a_queued_file_is_not_read(name: str, inbox: Path) -> None:
    path = inbox / f"{NAME}.csv"
    path.write_bytes(GOOD)
    file = catalogue_path(path)
    path.unlink()
    NO_REGULAR_FILE[name](path)
    check_failed(run(file), "SOURCE_MISSING")
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    check_still_working(inbox)


def test_an_unreadable_file_is_named_by_the_scan_and_stops_nothing(inbox: Path) -> None:
    path = inbox / f"{NAME}.csv"
    path.write_bytes(GOOD)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read every file")
    (inbox / f"{NAME.replace('06_', '07_')}.csv").write_bytes(GOOD)
    found = scan(sight=EVERYTHING)
    assert (found.new, [error["code"] for error in found.errors]) == (1, [FileError.code])


def test_the_hostile_files_of_a_folder_do_not_keep_the_scan_from_the_good_one(inbox: Path) -> None:
    for number, (name, (build, _)) in enumerate(REFUSED.items()):
        folder = inbox / f"{number:02d}"
        folder.mkdir()
        build(folder / f"{NAME}{Path(name).suffix}")
    (inbox / f"{NAME}.csv").write_bytes(GOOD)
    threads = threading.active_count()
    found = scan(sight=EVERYTHING)
    assert found.seen >= len(REFUSED) - len(NO_REGULAR_FILE) + 1
    assert Path(CatalogFile.objects.get(state=FileState.PENDING).storage_name).parent.name == inbox.name
    assert threading.active_count() <= threads + 1
    shutil.rmtree(inbox / "00")
    assert scan(sight=EVERYTHING).missing == 1
