"""Each hostile file is refused with its own code, and the next file is read as if nothing had happened."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from datasync.exceptions import FileError
from datasync.ingest.plan import ReadRequest
from datasync.ingest.read import Reader
from tests.hostile import REFUSED, workbook


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(memory_limit_bytes=1536 * 1024**2, seconds=60) as found:
        yield found


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_code(name: str, reader: Reader, tmp_path: Path) -> None:
    build, code = REFUSED[name]
    path = tmp_path / name
    build(path)

    started = time.monotonic()
    with pytest.raises(FileError) as caught, reader.open(ReadRequest(path)) as sheet:
        for _ in sheet:
            pass
    assert caught.value.code == code
    assert caught.value.permanent
    assert time.monotonic() - started < 20

    workbook(tmp_path / "good.xlsx")
    with reader.open(ReadRequest(tmp_path / "good.xlsx")) as sheet:
        assert sum(batch.frame.height for batch in sheet) == 1


@pytest.mark.parametrize("name", REFUSED)
def test_the_head_of_a_hostile_file_never_hangs_or_crashes(name: str, reader: Reader, tmp_path: Path) -> None:
    build, _ = REFUSED[name]
    path = tmp_path / name
    build(path)
    reader.warm_up()
    before = reader.pid
    with contextlib.suppress(FileError):
        reader.head(path, rows=5)
    assert reader.pid == before
