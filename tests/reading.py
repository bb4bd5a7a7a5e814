"""Reading a file in a test: everything of a sheet at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasync.ingest.plan import CellProblem, ReadRequest, SheetInfo
from datasync.ingest.read import reader


@dataclass(frozen=True)
class Whole:
    """All rows of a sheet, each with its number first."""

    info: SheetInfo
    rows: list[tuple[Any, ...]]
    problems: list[CellProblem]

    @property
    def reasons(self) -> list[tuple[int, int | None, str]]:
        return [(problem.row, problem.column, problem.reason.value) for problem in self.problems]


def read_whole(path: Path, **options: Any) -> Whole:
    """Read a sheet through this process's reader."""
    with reader().open(ReadRequest(path, **options)) as sheet:
        batches = list(sheet)
    return Whole(
        sheet.info,
        [row for batch in batches for row in batch.frame.rows()],
        [problem for batch in batches for problem in batch.problems],
    )
